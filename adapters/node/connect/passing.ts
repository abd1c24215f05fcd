// The application's body on its way to the response that connect functions have seen and wrapped.

import { AsyncResource } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import { EMPTY } from '../../../core/bytes.ts';
import type { ResponseBody } from '../../../core/response.ts';
import { HostedSocket } from '../hosted/socket.ts';

/**
 * The application's body on its way to the response. Its steps run in the context in which the application was called,
 * and a chunk does not wait in a compressor for the next one. (MW-02)
 */
export class Passing implements ResponseBody {
  readonly stream = null;
  readonly wantsHead: boolean;
  readonly #body: ResponseBody;
  readonly #response: ServerResponse & { flush?(): void };
  readonly #fail: (error: unknown) => void;
  readonly #context = new AsyncResource('WAYGATE');
  #hasWritten = false;

  constructor(body: ResponseBody, response: ServerResponse, fail: (error: unknown) => void) {
    this.#body = body;
    this.#response = response;
    this.#fail = fail;
    this.wantsHead = body.wantsHead;
  }

  next(): Uint8Array | null | Promise<Uint8Array | null> {
    const { socket } = this.#response as { socket: unknown };
    if (!this.#hasWritten || !(socket instanceof HostedSocket) || socket.writableLength === 0) return this.#pull();
    // On a connection in memory the next chunk is asked for when this one has been taken, no sooner. (L-56)
    return new Promise<void>((taken) => socket.write(EMPTY, () => taken())).then(() => this.#pull());
  }

  #pull(): Uint8Array | null | Promise<Uint8Array | null> {
    try {
      const chunk = this.#context.runInAsyncScope(this.#body.next, this.#body);
      if (!(chunk instanceof Promise)) {
        this.#hasWritten = true;
        return chunk;
      }
      // compression gives responses this method, and asks that it is called where a pause begins.
      if (this.#hasWritten) this.#response.flush?.();
      this.#hasWritten = true;
      return chunk.catch((error) => this.#broken(error));
    } catch (error) {
      return this.#broken(error);
    }
  }

  /** Nothing more comes: the host ends the response, and not as one that is complete. */
  #broken(error: unknown): Promise<never> {
    this.#fail(error);
    return new Promise(() => {});
  }

  close(): void | Promise<void> {
    return this.#body.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#body[Symbol.asyncIterator]();
  }
}
