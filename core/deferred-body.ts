// The body of a response that has not started: that of an app of a platform's own kind, hosted as an application. Handed
// back to a gateway of that platform as it is, the app answers there directly; read by anybody else, it starts then. (EXT-02)

import { BodyReader } from './body.ts';
import { isThenable } from './thenable.ts';
import type { ApplicationBody, StartResponse } from './types.ts';

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };
const ignore = (): void => {};

/**
 * A body behind which stands an app that has not answered yet. An adapter derives its own, by which its gateway knows it;
 * the class must have no public fields.
 *
 * @example
 * class Hosted extends DeferredBody {
 *   protected begin() {
 *     this.#startResponse('200 OK', []);
 *     return [page];
 *   }
 * }
 * const passthrough = (body, startResponse) => (body instanceof Hosted && body.isUntouched(startResponse) ? body.call : null);
 */
export abstract class DeferredBody implements AsyncIterableIterator<Uint8Array> {
  readonly #startResponse: StartResponse;
  #reader: BodyReader | null = null;
  #begun = false;
  #closed = false;

  /** @param startResponse the very function that the application was called with */
  constructor(startResponse: StartResponse) {
    this.#startResponse = startResponse;
  }

  /**
   * Starts the response, and returns the body that is read in place of this one. Called once, by the first read; what it
   * throws, or rejects with, is a failure of the body.
   */
  protected abstract begin(): ApplicationBody | Promise<ApplicationBody>;

  /** Closed before anybody began to read: gets rid of an answer that may be there already. */
  protected abandon(): void {}

  /** Whether it was closed. */
  protected get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Whether a gateway has this body as the app gave it: nothing has come between, and nobody has begun to read.
   *
   * @param startResponse the gateway's own
   */
  isUntouched(startResponse: StartResponse): boolean {
    // An object that inherits from a body is another one.
    if (!(#begun in this) || this.#startResponse !== startResponse || this.#begun || this.#closed) return false;
    // Whatever a middleware has put on the object, for example a close() of its own, must have its effect.
    return Object.keys(this).length === 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#reader === null) {
      if (this.#begun || this.#closed) return OVER;
      this.#begun = true;
      const body = this.begin();
      this.#reader = new BodyReader(isThenable(body) ? await body : body);
      // Closed meanwhile, it had nothing to end yet.
      if (this.isClosed) await this.#reader.release(ignore);
    }
    const chunk = await this.#reader.pull();
    return chunk === null ? OVER : { done: false, value: chunk };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    // Not close(): a middleware may have put its own on the object, which the gateway calls once. (CLOSE-02)
    await this.#end();
    return OVER;
  }

  /** Ends the response. An app that has not begun never will. */
  close(): void | Promise<void> {
    return this.#end();
  }

  #end(): void | Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#reader !== null) return this.#reader.release(ignore);
    if (!this.#begun) this.abandon();
  }
}
