// The body of an application that has only so much time. (see timeout.ts)

import type { BodyReader } from '../core/body.ts';
import { isThenable } from '../core/thenable.ts';
import type { ApplicationBody } from '../core/types.ts';
import { FrontBody, type Step } from './front-body.ts';

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
  reportError(error: unknown): void;
}

/** The body of the application, as long as there is time. */
export class TimedBody extends FrontBody {
  readonly #request: BodyDeadline;

  constructor(body: ApplicationBody, request: BodyDeadline) {
    super(body);
    this.#request = request;
  }

  protected override step(reader: BodyReader): Step | Promise<Step> {
    if (this.#request.error !== null) return this.#cut();
    const chunk = reader.pull();
    if (!isThenable(chunk)) return this.#arrived(chunk);
    return this.#request.limit(chunk.then(this.#arrived), () => this.#cut());
  }

  readonly #arrived = (chunk: Uint8Array | null): Step => {
    if (chunk === null) {
      this.#request.finish();
      return this.end();
    }
    this.#request.noteChunk(chunk);
    return { done: false, value: chunk };
  };

  #cut(): Step {
    this.isOver = true;
    return { done: false, value: this.#request.cutOff() };
  }

  protected override closed(): void {
    this.#request.finish();
  }

  protected override report(error: unknown): void {
    this.#request.reportError(error);
  }
}
