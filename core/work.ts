// Work that goes on after the response: who waits for it, and what becomes of its failures.

import { report } from './errors.ts';
import { flush, log } from './log.ts';
import type { ErrorStream } from './types.ts';

/** Keeps a platform running until a promise has settled, as the `ExecutionContext` of a Worker does. */
export interface WaitContext {
  /** @param work never rejects */
  waitUntil(work: Promise<unknown>): void;
}

/**
 * Work that has not settled yet: of one request, or of all requests of a server. It holds a promise no longer than that.
 *
 * @example
 * const work = new PendingWork();
 * work.waitUntil(logRejection(sendMail(), environ['wsgi.errors']));
 * await work.settled();
 */
export class PendingWork implements WaitContext {
  readonly #work = new Set<Promise<unknown>>();

  /** How many promises have not settled yet. */
  get size(): number {
    return this.#work.size;
  }

  waitUntil(work: Promise<unknown>): void {
    this.#work.add(work);
    work.then(() => this.#work.delete(work));
  }

  /** Resolves when all work is done, also what was added meanwhile. Never rejects. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }
}

/**
 * A promise that settles with the work and never rejects: a failure is reported to `errors`, since nobody else is left to
 * see it.
 *
 * @param work what was given to `waygate.wait_until`
 * @example
 * environ['waygate.wait_until'] = (promise) => work.waitUntil(logRejection(promise, errors));
 */
export function logRejection(work: unknown, errors: ErrorStream): Promise<void> {
  return Promise.resolve(work).then(
    () => {},
    (error: unknown) => {
      log(errors, `Work after the response failed: ${report(error)}`);
      return flush(errors);
    },
  );
}
