// The body of a `node:http` request as a source for `wsgi.input`: read on demand, so that TCP holds the client back.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { ClientDisconnectedError } from '../../core/errors.ts';
import type { ByteSource } from '../../core/input.ts';

/** How long an unread body may go on after the response, in milliseconds, before the connection is closed. */
const DRAIN_TIMEOUT = 5000;

export class NodeSource implements ByteSource {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  /** Whether the client waits for a 100 before it sends its body. (HTTP-01) */
  #expects: boolean;
  #listening = false;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, expects: boolean) {
    this.#request = request;
    this.#response = response;
    this.#expects = expects && waitsForContinue(request);
  }

  /** Whether the client still waits for leave to send: nobody knows then what follows on the connection. */
  get awaitsContinue(): boolean {
    return this.#expects;
  }

  /** Whether something of the body has been asked for. */
  get isRead(): boolean {
    return this.#listening || this.#request.readableDidRead;
  }

  pull(): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#expects) {
      this.#expects = false;
      if (!this.#response.headersSent) this.#response.writeContinue();
    }
    const chunk: Buffer | null = this.#request.read();
    if (chunk !== null) return plain(chunk);
    if (this.#request.readableEnded) return null;
    return this.#wait();
  }

  async #wait(): Promise<Uint8Array | null> {
    const request = this.#request;
    if (!this.#listening) this.#listen();
    for (;;) {
      const chunk: Buffer | null = request.read();
      if (chunk !== null) return plain(chunk);
      if (request.readableEnded) return null;
      if (this.#error !== null || request.destroyed) {
        throw new ClientDisconnectedError('The client left before it had sent its whole body.', {
          cause: this.#error ?? undefined,
        });
      }
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  #listen(): void {
    this.#listening = true;
    const request = this.#request;
    const wake = (): void => {
      const waiting = this.#wake;
      this.#wake = null;
      waiting?.();
    };
    request.on('readable', wake);
    request.on('end', wake);
    request.on('close', wake);
    request.on('error', (error) => {
      this.#error = error;
      wake();
    });
  }

  /**
   * Gets rid of what the application did not read, so that the next request on the connection starts where it should;
   * a client that goes on for too long loses the connection. (RFC 9112 §9.3)
   */
  discard(): void {
    // The end of a body that was read in whole is often just being parsed.
    if (!this.#isRead()) setImmediate(() => this.#drain());
  }

  #drain(): void {
    if (this.#isRead()) return;
    const request = this.#request;
    request.removeAllListeners('readable');
    // Without a listener for data, Node takes resume() back once it has noticed that none for readable is left.
    request.on('data', () => {});
    request.resume();
    const timer = setTimeout(() => {
      if (!request.complete) request.destroy();
    }, DRAIN_TIMEOUT);
    timer.unref();
    const stop = (): void => clearTimeout(timer);
    request.once('end', stop);
    request.once('close', stop);
  }

  /** Whether nothing is left that could hold up the connection, neither on its way nor in Node's buffer. */
  #isRead(): boolean {
    const request = this.#request;
    return request.destroyed || (request.complete && request.readableLength === 0);
  }
}

/** Where somebody listens for `checkContinue`, Node leaves the 100 to the listener; else it has sent one already. */
function waitsForContinue(request: IncomingMessage): boolean {
  const server = (request.socket as { server?: { listenerCount(event: string): number } }).server;
  return (
    request.httpVersion !== '1.0' && // RFC 9110 §10.1.1
    /^100-continue$/i.test(request.headers.expect ?? '') &&
    server !== undefined &&
    server.listenerCount('checkContinue') > 0
  );
}

/** Applications get a `Uint8Array`, not a `Buffer`, whose `slice` and `toString` mean something else. */
function plain(chunk: Buffer): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
