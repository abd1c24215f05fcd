// The body of a hosted request: from `wsgi.input` into the request's stream, when the listener asks for it.

import type { IncomingMessage } from 'node:http';
import { GatewayInput, gatewayInput } from '../../../core/input-base.ts';
import type { Environ, InputStream } from '../../../core/types.ts';

/** Called when a body cannot be read to its end. */
export type BodyFailed = (error: unknown) => void;

/**
 * How long a listener waits for the first bytes of a body that no header announces, in milliseconds. A client that
 * sends them only once the response has begun is not waited for any longer.
 */
const FIRST_BYTES_MILLISECONDS = 50;

/**
 * Finds out whether there is a body where no header says so, as in HTTP/2, or in a Fetch request with a stream. Frameworks
 * take a request that announces a body for one with content. Nothing is read away. (RFC 9112 §6.3)
 *
 * @returns settles when it is known, or the time is over; null where it is known already. Never rejects.
 */
export function awaitBody(environ: Environ): Promise<void> | null {
  if (!isOfUnknownLength(environ)) return null;
  // A client that asks beforehand has a body, and waits for a listener that wants it. (RFC 9110 §10.1.1)
  if (environ.HTTP_EXPECT !== undefined) return null;
  const input = gatewayInput(environ['wsgi.input']);
  if (input === null || input.exhausted) return null;
  const known = input.peek();
  if (!(known instanceof Promise)) return null;
  return new Promise((resolve) => {
    // One more turn: what has arrived while the process was busy is seen first.
    const timer = setTimeout(() => setTimeout(resolve, 0), FIRST_BYTES_MILLISECONDS);
    const over = (): void => {
      clearTimeout(timer);
      resolve();
    };
    // The reader of the body gets a failure.
    known.then(over, over);
  });
}

/** Neither a length nor a coding was sent. */
function isOfUnknownLength(environ: Environ): boolean {
  return environ.CONTENT_LENGTH === undefined && environ.HTTP_TRANSFER_ENCODING === undefined;
}

/** What Node's class has and its types leave out. */
interface Internals {
  _consuming: boolean;
  readonly _readableState: { readingMore: boolean };
}

/** The body of one request, from `wsgi.input` into the request's stream. */
export class HostedBody {
  readonly #request: IncomingMessage;
  readonly #input: InputStream;
  readonly #known: GatewayInput | null;
  readonly #failed: BodyFailed;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  readonly isEmpty: boolean;
  /** No header gives the length, as in HTTP/2 or a Fetch request; a body parser needs a header that announces the body. */
  readonly hasUnknownLength: boolean;

  constructor(request: IncomingMessage, environ: Environ, failed: BodyFailed) {
    this.#request = request;
    this.#failed = failed;
    const input = environ['wsgi.input'];
    this.#input = input;
    this.#known = gatewayInput(input);
    const isOpen = isOfUnknownLength(environ);
    this.isEmpty = environ.CONTENT_LENGTH === '0' || (isOpen && this.#known?.exhausted === true);
    this.hasUnknownLength = isOpen && !this.isEmpty;
  }

  /** `_read` of the request's stream. */
  readonly read = (): void => {
    const own = this.#request as unknown as Internals;
    if (!own._consuming) {
      // Node's own _read does so: until then its stream asks for nothing by itself.
      own._consuming = true;
      own._readableState.readingMore = false;
    }
    if (this.isEmpty) this.#end();
    else this.#next();
  };

  #next(): void {
    const chunk = this.#pull();
    if (chunk instanceof Promise) chunk.then((each) => this.#arrive(each), this.#failed);
    else this.#arrive(chunk);
  }

  #pull(): Uint8Array | null | Promise<Uint8Array | null> {
    const input = this.#input;
    if (input instanceof GatewayInput) return input.pull();
    this.#reader ??= input.stream().getReader();
    return this.#reader.read().then(({ done, value }) => (done ? null : value));
  }

  #arrive(chunk: Uint8Array | null): void {
    const request = this.#request;
    if (request.destroyed) return;
    if (chunk === null) {
      this.#end();
      return;
    }
    // As on a connection, what arrives puts a timeout off.
    const { socket } = request;
    if (socket.timeout !== undefined && socket.timeout > 0) socket.setTimeout(socket.timeout);
    request.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (this.#known?.exhausted === true) this.#end();
  }

  #end(): void {
    this.#request.complete = true;
    this.#request.push(null);
  }
}
