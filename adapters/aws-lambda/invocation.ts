// One invocation of the function: what `waygate.wait_until` and `waygate.signal` stand on.

import { attachState, lazyKey } from '../../core/private-state.ts';
import type { Environ, ErrorStream } from '../../core/types.ts';
import { logRejection } from '../../core/work.ts';

/** One invocation. Nothing of it outlives the invocation: several may run at a time in one process. */
export class Invocation {
  readonly errors: ErrorStream;
  readonly event: unknown;
  readonly context: unknown;
  #work: Promise<void>[] | null = null;
  #controller: AbortController | null = null;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param errors `wsgi.errors` of this invocation
   * @param event the event as it came
   * @param context what the runtime gave beside it, if anything
   */
  constructor(errors: ErrorStream, event: unknown, context: unknown) {
    this.errors = errors;
    this.event = event;
    this.context = context;
  }

  /** Adds the keys of this invocation to its environ. */
  attach(environ: Environ): void {
    attachState(environ, this);
    Object.defineProperty(environ, 'waygate.signal', SIGNAL);
    environ['waygate.wait_until'] = (promise) => {
      this.#work ??= [];
      this.#work.push(logRejection(promise, this.errors));
    };
    environ['aws.event'] = this.event;
    if (this.context !== undefined) environ['aws.context'] = this.context as Environ['aws.context'];
  }

  /**
   * Has the signal abort some time before Lambda ends the invocation.
   *
   * @param marginMs how long before, in milliseconds; the context tells when that is, and without it nothing happens
   */
  abortBefore(marginMs: number): void {
    const { context } = this;
    const { getRemainingTimeInMillis: remaining } = (context ?? {}) as { getRemainingTimeInMillis?: unknown };
    if (typeof remaining !== 'function') return;
    const left = Number(remaining.call(context)) - marginMs;
    const abort = (): void => this.abort(new DOMException('The invocation is about to time out.', 'TimeoutError'));
    if (left > 0) this.#timer = setTimeout(abort, left).unref();
    else if (!Number.isNaN(left)) abort();
  }

  /** Whether there is something to end: Lambda freezes the process as soon as the invocation ends. */
  get hasWork(): boolean {
    return this.#work !== null || this.#timer !== null;
  }

  /** Settles when all work is done, also what was added meanwhile. Never rejects. */
  async workDone(): Promise<void> {
    for (let work = this.#work; work !== null && work.length > 0; work = this.#work) {
      this.#work = null;
      await Promise.all(work);
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** The client has gone, or the time is over. */
  abort(reason?: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

const SIGNAL = lazyKey('waygate.signal', (invocation: Invocation) => invocation.signal);
