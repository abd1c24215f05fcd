// The body of an application that has only so much time. (see timeout.ts)

import { BodyReader } from '../core/body.ts';
import { isThenable } from '../core/thenable.ts';
import type { ApplicationBody } from '../core/types.ts';
import { discardBody } from './discard-body.ts';

/** What the body asks of the request that it belongs to. */
export interface BodyDeadline {
  /** What breaks the response off once the time is over; null before. */
  readonly error: Error | null;
  /** Waits for a step, but not beyond the time: then it settles with what `cut` gives, or throws. */
  limit<T>(pending: Promise<T>, cut: () => T): Promise<T>;
  /** The chunk of the answer in place of the application's; throws where bytes of that went out. */
  cutOff(): Uint8Array;
  /** A chunk is on its way. */
  noteChunk(chunk: Uint8Array): void;
  /** The response is over. */
  finish(): void;
  /** Reports what closing the body has thrown. */
  tell(error: unknown): void;
}

type Step = IteratorResult<Uint8Array>;

/** The body of the application, as long as there is time. */
export class TimedBody {
  readonly #body: ApplicationBody;
  readonly #request: BodyDeadline;
  #reader: BodyReader | null = null;
  #isOver = false;
  #isClosed = false;

  constructor(body: ApplicationBody, request: BodyDeadline) {
    this.#body = body;
    this.#request = request;
  }

  readonly start = (): Iterator<Uint8Array> => {
    this.#reader = new BodyReader(this.#body);
    return { next: this.#next, return: this.#return } as unknown as Iterator<Uint8Array>;
  };

  readonly #next = (): Step | Promise<Step> => {
    if (this.#isOver) return { done: true, value: undefined };
    if (this.#request.error !== null) return this.#cut();
    const chunk = (this.#reader as BodyReader).pull();
    if (!isThenable(chunk)) return this.#arrived(chunk);
    return this.#request.limit(chunk.then(this.#arrived), () => this.#cut());
  };

  readonly #arrived = (chunk: Uint8Array | null): Step => {
    if (chunk === null) {
      this.#isOver = true;
      this.#request.finish();
      return { done: true, value: undefined };
    }
    this.#request.noteChunk(chunk);
    return { done: false, value: chunk };
  };

  #cut(): Step {
    this.#isOver = true;
    return { done: false, value: this.#request.cutOff() };
  }

  readonly #return = (): Step => {
    this.#isOver = true;
    return { done: true, value: undefined };
  };

  readonly close = (): void | Promise<void> => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOver = true;
    this.#request.finish();
    const tell = (error: unknown): void => this.#request.tell(error);
    return this.#reader === null ? discardBody(this.#body, tell) : this.#reader.release(tell);
  };
}
