// One invocation of the function: the lifetime of its request, and what the runtime gave for it.

import { RequestLifetime } from '../../core/lifetime.ts';
import type { Environ, ErrorStream } from '../../core/types.ts';

/**
 * One invocation. Nothing of it outlives the invocation: several may run at a time in one process. Lambda freezes the process
 * when the invocation ends, so the invocation itself waits for its work.
 */
export class Invocation extends RequestLifetime {
  readonly errors: ErrorStream;
  readonly event: unknown;
  readonly context: unknown;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param errors `wsgi.errors` of this invocation
   * @param event the event as it came
   * @param context what the runtime gave beside it, if anything
   */
  constructor(errors: ErrorStream, event: unknown, context: unknown) {
    super();
    this.errors = errors;
    this.event = event;
    this.context = context;
  }

  /** Adds the keys of this invocation to its environ. */
  override attachTo(environ: Environ): void {
    super.attachTo(environ);
    environ['aws.event'] = this.event;
    if (this.context !== undefined) environ['aws.context'] = this.context as Environ['aws.context'];
  }

  /**
   * Has the signal abort some time before Lambda ends the invocation.
   *
   * @param marginMs how long before, in milliseconds. The context says when that is; without it nothing happens
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

  /** Whether there is something to wait for or to stop before the invocation may end. */
  override get hasWork(): boolean {
    return this.#timer !== null || super.hasWork;
  }

  override async workDone(): Promise<void> {
    await super.workDone();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
