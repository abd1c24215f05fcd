// Writing to `wsgi.errors` where a log that fails must fail nothing else. (ERR-06)

import { isThenable } from './body.ts';
import type { ErrorStream } from './types.ts';

/** Writes a line. Never throws: nowhere is left to tell it. */
export function log(errors: ErrorStream, line: string): void {
  try {
    errors.write(`${line}\n`);
  } catch {}
}

/** Flushes the log. Neither throws nor rejects. */
export function flush(errors: ErrorStream): void | Promise<void> {
  try {
    const flushed = errors.flush();
    if (isThenable(flushed)) return flushed.then(undefined, () => {});
  } catch {}
}
