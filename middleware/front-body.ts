// A body that reads the one behind it chunk by chunk, and may end it or put other bytes in its place. (MW-05)

import { BodyReader } from '../core/body.ts';
import type { ApplicationBody } from '../core/types.ts';
import { discardBody } from './discard-body.ts';
import { inFrontOf } from './observed-body.ts';

/** A step of an iteration. */
export type Step = IteratorResult<Uint8Array>;

const DONE: Step = { done: true, value: undefined };

/** What stands in front of a body; synchronous where that is. */
export abstract class FrontBody {
  readonly #body: ApplicationBody;
  #reader: BodyReader | null = null;
  #isClosed = false;
  /** Nothing more is given. */
  protected isOver = false;

  /** @param body the body behind */
  constructor(body: ApplicationBody) {
    this.#body = body;
  }

  /** The body that the gateway gets. */
  get front(): ApplicationBody {
    return inFrontOf(this.#body, this.#start, this.#close);
  }

  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The next step. It is not called once {@link isOver} is true. */
  protected abstract step(reader: BodyReader): Step | Promise<Step>;

  /** Reports what closing the body has thrown. (CLOSE-05) */
  protected abstract report(error: unknown): void;

  /** The response is over. Called once. */
  protected closed(): void {}

  /** Gives nothing more. */
  protected end(): Step {
    this.isOver = true;
    return DONE;
  }

  readonly #start = (): Iterator<Uint8Array> => {
    const reader = new BodyReader(this.#body);
    this.#reader = reader;
    const next = (): Step | Promise<Step> => (this.isOver ? DONE : this.step(reader));
    return { next, return: () => this.end() } as unknown as Iterator<Uint8Array>;
  };

  readonly #close = (): void | Promise<void> => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.isOver = true;
    this.closed();
    const fail = (error: unknown): void => this.report(error);
    return this.#reader === null ? discardBody(this.#body, fail) : this.#reader.release(fail);
  };
}
