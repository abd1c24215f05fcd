// Work that goes on after the response: what every platform's `waygate.wait_until` does with a promise.

import { report } from './errors.ts';
import { flush, log } from './log.ts';
import type { ErrorStream } from './types.ts';

/**
 * A promise that settles with the work and never rejects: a failure is told to `errors`, since nobody else is left to
 * see it.
 *
 * @param work what was given to `waygate.wait_until`
 * @example
 * environ['waygate.wait_until'] = (promise) => void work.push(settled(promise, errors));
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
