// What goes wrong with an application, and who hears of it. (ERR-02, ERR-05, ERR-06)

import { ClientDisconnectedError, isA, RequestError, report } from './errors.ts';
import { flush, log } from './log.ts';
import type { ExchangeOptions } from './response.ts';
import { isThenable } from './thenable.ts';
import type { Environ, ErrorStream } from './types.ts';

/** Reports the failures of one request. What it needs of environ is read before the application can change it. (ENV-02) */
export class Reporter<Call = never> {
  readonly environ: Environ;
  readonly #errors: ErrorStream;
  readonly options: ExchangeOptions<Call>;
  /** What was reported last. */
  #reported: unknown;

  constructor(environ: Environ, options: ExchangeOptions<Call>) {
    this.environ = environ;
    this.#errors = environ['wsgi.errors'];
    this.options = options;
  }

  /** Writes a line to `wsgi.errors`. Never throws. (LOG-02) */
  log(text: string): void {
    log(this.#errors, text);
  }

  /** Flushes `wsgi.errors`, at the end of the response. Never throws. (LOG-04) */
  flush(): void | Promise<void> {
    return flush(this.#errors);
  }

  /**
   * Reports a failure of the application, to `wsgi.errors` and `onError`, or to `onFailure` alone. A client's mistake, or
   * its leaving, is not a failure of the application. Never throws. (ERR-05)
   */
  report(error: unknown): void {
    if (isA(error, ClientDisconnectedError)) return;
    // A stream that fails gives the same error to its reader and to the code that cancels it. (ERR-02)
    if (typeof error === 'object' && error !== null && error === this.#reported) return;
    this.#reported = error;
    const { onFailure } = this.options;
    if (onFailure !== undefined) {
      onFailure(error);
      return;
    }
    if (isA(error, RequestError)) {
      log(this.#errors, `${error.name}: ${error.message}`);
      return;
    }
    log(this.#errors, report(error));
    const fail = (second: unknown): void => log(this.#errors, report(second));
    try {
      const returned: unknown = this.options.onError?.(error, this.environ);
      if (isThenable(returned)) Promise.resolve(returned).catch(fail);
    } catch (second) {
      fail(second);
    }
  }
}

/** Whether a value is what `fetch` and its kind throw once their signal has aborted. Never throws. */
export function isAbort(thrown: unknown): boolean {
  try {
    return thrown instanceof Error && thrown.name === 'AbortError';
  } catch {
    return false;
  }
}
