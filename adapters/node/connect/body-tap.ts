// The request body where connect middleware has read of it ahead of the application. What it took is kept: the application
// reads the same bytes from `wsgi.input`.

import { declaredLength } from '../../../core/environ.ts';
import { ClientDisconnectedError } from '../../../core/errors.ts';
import { type ByteSource, Input } from '../../../core/input.ts';
import type { Environ, InputStream } from '../../../core/types.ts';
import { IncomingMessage } from '../http.ts';

/** Up to this many bytes are kept of a body that a middleware reads: the largest that AWS Lambda delivers, and some. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** Keeps the bytes of a request body as they come, whichever code reads them. */
export class BodyTap implements ByteSource {
  readonly #request: IncomingMessage;
  #chunks: Uint8Array[] = [];
  #at = 0;
  /** Bytes that are kept, taken or not. */
  #kept = 0;
  #isTooLong = false;
  #ended = false;
  /** Settles the promise of the reader that waits for a chunk. */
  #wake: (() => void) | null = null;

  constructor(request: IncomingMessage) {
    this.#request = request;
    // Uploaded files are stored by the middleware that reads them: a second copy would only take memory.
    this.#isTooLong = /^multipart\//i.test(request.headers['content-type'] ?? '');
    request.push = this.#push;
  }

  /** Whether a request can have a body that somebody reads. */
  static isFor({ headers }: IncomingMessage): boolean {
    return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  }

  /**
   * What the application reads the body from.
   *
   * @returns null where nobody has begun to read: then the environ's own input has all of it
   */
  input(environ: Environ): InputStream | null {
    const request = this.#request;
    if (request.readableFlowing !== null || request.readableDidRead) return new Input(this, declaredLength(environ));
    Reflect.deleteProperty(request, 'push');
    this.#chunks = [];
    return null;
  }

  readonly #push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null) this.#ended = true;
    else if (!this.#isTooLong) this.#keep(chunk as Uint8Array);
    this.#awake();
    return IncomingMessage.prototype.push.call(this.#request, chunk, encoding);
  };

  #keep(chunk: Uint8Array): void {
    this.#kept += chunk.byteLength;
    if (this.#kept <= KEPT_BYTES) {
      this.#chunks.push(chunk);
      return;
    }
    this.#isTooLong = true;
    this.#chunks = [];
  }

  // For the application.

  pull(): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#isTooLong) throw this.#tooLong();
    const chunk = this.#chunks[this.#at];
    if (chunk !== undefined) {
      this.#at++;
      return chunk;
    }
    if (this.#ended) return null;
    const request = this.#request;
    if (request.destroyed)
      throw request.errored ?? new ClientDisconnectedError('The client left before its body ended.');
    if (request.isPaused()) request.resume();
    return new Promise<void>((wake) => {
      if (this.#wake === null) request.once('close', this.#awake);
      this.#wake = wake;
    }).then(() => this.pull());
  }

  readonly #awake = (): void => {
    this.#wake?.();
  };

  #tooLong(): Error {
    return new Error(
      `A connect middleware has read the request body, which is a multipart one or has more than ${KEPT_BYTES} bytes, so that wsgi.input cannot give it again; read what the middleware made of it: environ['connect.request'].body.`,
    );
  }
}
