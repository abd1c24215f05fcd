// Writing to `wsgi.errors` where a log that fails must fail nothing else. (ERR-06)

import { printable } from './errors.ts';
import { isThenable } from './thenable.ts';
import type { ErrorStream } from './types.ts';

/** Writes a line, whose text may hold what a client sent. Never throws: nowhere is left to report it. */
export function log(errors: ErrorStream, line: string): void {
  try {
    ignoreFailure(errors.write(`${printable(line)}\n`));
  } catch {}
}

/** A promise that rejects where nobody is left to hear of it would end the process. (ERR-06) */
export function ignoreFailure(result: unknown): void {
  if (isThenable(result)) Promise.resolve(result).catch(() => {});
}

/** Flushes a log, if it has a `flush`. Neither throws nor rejects. */
export function flush(errors: { flush?(): void | Promise<void> }): void | Promise<void> {
  try {
    const flushed = errors.flush?.();
    if (isThenable(flushed)) return Promise.resolve(flushed).then(undefined, () => {});
  } catch {}
}
