// One invocation of the function: what `waygate.wait_until` and `waygate.signal` stand on.

import { carry, lazyKey } from '../../core/lazy.ts';
import type { Environ, ErrorStream } from '../../core/types.ts';
import { settled } from '../../core/work.ts';

/** One invocation. Nothing of it outlives the invocation: several may run at a time in one process. */
export class Invocation {
  readonly #errors: ErrorStream;
  #work: Promise<void>[] | null = null;
  #controller: AbortController | null = null;

  constructor(errors: ErrorStream) {
    this.#errors = errors;
  }

  /** Adds the keys of this invocation to its environ. */
  attach(environ: Environ, event: unknown, context: unknown): void {
    environ['waygate.wait_until'] = (promise) => {
      this.#work ??= [];
      this.#work.push(settled(promise, this.#errors));
    };
    environ['aws.event'] = event;
    if (context !== undefined) environ['aws.context'] = context;
    carry(environ, this);
    Object.defineProperty(environ, 'waygate.signal', SIGNAL);
  }

  /** Whether there is work to wait for: Lambda freezes the process as soon as the invocation ends. */
  get hasWork(): boolean {
    return this.#work !== null;
  }

  /** Settles when all work is done, also what was added meanwhile. Never rejects. */
  async workDone(): Promise<void> {
    for (let work = this.#work; work !== null && work.length > 0; work = this.#work) {
      this.#work = null;
      await Promise.all(work);
    }
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** The client has gone. */
  abort(): void {
    this.#controller ??= new AbortController();
    this.#controller.abort();
  }
}

const SIGNAL = lazyKey('waygate.signal', (invocation: Invocation) => invocation.signal);
