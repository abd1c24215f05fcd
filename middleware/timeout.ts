// A limit to the time of a response. (RFC 9110 §15.6.4, §15.6.5)

import { checkApplication, checkOptions } from '../core/check.ts';
import { describe, quote, RequestError, report } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../core/types.ts';
import { answer } from './answer.ts';
import { discardBody } from './discard-body.ts';
import { type BodyDeadline, TimedBody } from './timed-body.ts';

/** How long a response may take. */
export interface TimeoutOptions {
  /**
   * The most time for the whole response, in milliseconds.
   *
   * @default only the platform's own deadline
   */
  ms?: number;
  /**
   * How long before the deadline of a Lambda invocation the time is over, in milliseconds. The answer needs what is left.
   *
   * @default 500
   */
  marginMs?: number;
  /**
   * The status of the answer where no response has begun.
   *
   * @default 503
   */
  status?: 503 | 504;
}

const SIGNAL = 'waygate.signal';

/**
 * Limits the time from the call of the application to the end of its response. The limit is `ms`, and on Lambda what is
 * left of the invocation, if that is less. When it is over, `waygate.signal` aborts with a `TimeoutError`. Where no byte
 * went out the client gets a plain 503, else the response is broken off. Either is one line in `wsgi.errors`.
 *
 * The application itself cannot be stopped: give its signal to what it waits for. What it still does has no effect; its body is
 * closed. A synchronous application that returns an array is never late, since nothing can interrupt it. A body that
 * the client takes slowly is broken off at the next chunk.
 *
 * No timer outlives its response, and none is set for an array.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), and for an option of the wrong type
 * @example
 * serve(timeout(app, { ms: 10_000 }));
 */
export function timeout(app: Application, options: TimeoutOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { ms = Number.POSITIVE_INFINITY, marginMs = 500, status = 503 } = options;
  for (const [name, value] of Object.entries({ ms, marginMs }))
    if (typeof value !== 'number' || !(value >= 0))
      throw new TypeError(`The option "${name}" of timeout is ${describe(value)}; expected a number of milliseconds.`);
  if (status !== 503 && status !== 504)
    throw new TypeError(`The option "status" of timeout is ${describe(status)}; expected 503 or 504.`);
  return (environ, startResponse) => {
    const limit = Math.min(ms, remaining(environ) - marginMs);
    if (limit === Number.POSITIVE_INFINITY) return app(environ, startResponse);
    return new TimedRequest(environ, startResponse, Math.max(0, limit), status).run(app);
  };
}

/** What is left of a Lambda invocation, in milliseconds; Infinity elsewhere. */
function remaining(environ: Environ): number {
  const context = environ['aws.context'] as { getRemainingTimeInMillis?: unknown } | undefined;
  if (typeof context?.getRemainingTimeInMillis !== 'function') return Number.POSITIVE_INFINITY;
  const left = Number(context.getRemainingTimeInMillis());
  return Number.isNaN(left) ? Number.POSITIVE_INFINITY : left;
}

/** The longest time that timers take: beyond it they fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

class TimedRequest implements BodyDeadline {
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #limit: { readonly milliseconds: number; readonly status: number };
  readonly #begun = performance.now();
  /** `waygate.signal` as it was. */
  readonly #outer: PropertyDescriptor | undefined;
  #outerSignal: AbortSignal | undefined;
  #controller: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  /** What breaks the response off, once the time is over. */
  #error: RequestError | null = null;
  /** Whether bytes of the application went out. */
  #sent = false;
  /** Ends the step that is waited for. */
  #cut: (() => void) | null = null;

  constructor(environ: Environ, startResponse: StartResponse, milliseconds: number, status: number) {
    this.#environ = environ;
    this.#startResponse = startResponse;
    this.#limit = { milliseconds, status };
    this.#outer = Object.getOwnPropertyDescriptor(environ, SIGNAL);
  }

  run(app: Application): ApplicationBody | Promise<ApplicationBody> {
    const environ = this.#environ;
    const define = (value: unknown) => {
      Object.defineProperty(environ, SIGNAL, { value, writable: true, enumerable: true, configurable: true });
      return value;
    };
    const descriptor = { get: () => define(this.#signal()), set: define, enumerable: true, configurable: true };
    Object.defineProperty(environ, SIGNAL, descriptor);
    let result: ApplicationBody | Promise<ApplicationBody>;
    try {
      result = app(environ, this.#start);
    } catch (error) {
      this.#disarm();
      throw error;
    }
    if (!isThenable(result)) return this.#accept(result);
    this.#arm();
    // A client that has left waits for no answer. While there is no body to be closed, only the signal shows that it has
    // left.
    this.#readOuter()?.addEventListener('abort', this.#leave, { once: true });
    return new Promise((resolve, reject) => {
      const attempt = (step: () => ApplicationBody) => {
        try {
          resolve(step());
        } catch (error) {
          this.#disarm();
          reject(error);
        }
      };
      const cut = (): void => attempt(() => this.#answer());
      this.#cut = cut;
      Promise.resolve(result).then(
        (body) => {
          this.#cut = null;
          if (this.#error === null) attempt(() => this.#accept(body));
          else this.#drop(body);
        },
        (error) => {
          this.#cut = null;
          this.#disarm();
          if (this.#error === null) reject(error);
          else this.reportError(error);
        },
      );
    });
  }

  readonly #start: StartResponse = (status, headers, error) => {
    if (this.#error !== null) throw this.#error;
    const write = this.#startResponse(status, headers, error);
    return (chunk) => {
      if (this.#error !== null) throw this.#error;
      const taken = write(chunk);
      if (chunk.byteLength > 0) this.#sent = true;
      return taken;
    };
  };

  #accept(body: ApplicationBody): ApplicationBody {
    if (Array.isArray(body)) {
      this.#disarm();
      return body;
    }
    if (this.#timer === undefined) this.#arm();
    return new TimedBody(body, this).front;
  }

  #arm(): void {
    if (this.#isOver) return;
    const left = this.#limit.milliseconds - (performance.now() - this.#begun);
    this.#timer = setTimeout(this.#expire, Math.min(Math.max(0, left), LONGEST_TIMER));
  }

  readonly #disarm = (): void => {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#outerSignal?.removeEventListener('abort', this.#leave);
  };

  /** The client has gone. */
  readonly #leave = (): void => {
    this.#controller?.abort(this.#outerSignal?.reason);
    this.#disarm();
  };

  readonly #expire = (): void => {
    this.#isOver = true;
    this.#error = new RequestError(
      this.#limit.status,
      `The response was not complete after ${Math.round(this.#limit.milliseconds)} ms.`,
    );
    this.#controller?.abort(timeoutReason());
    this.#cut?.();
    this.#cut = null;
  };

  /** The answer in place of the application's; throws where that has begun. */
  #answer(): ApplicationBody {
    const error = this.#error as RequestError;
    if (this.#sent) throw error;
    const body = answer(this.#startResponse, this.#limit.status, [], '', error);
    const { REQUEST_METHOD: method, PATH_INFO: path } = this.#environ;
    log(
      this.#environ['wsgi.errors'],
      `timeout: ${quote(method)} ${quote(path)} got a ${this.#limit.status}. ${error.message}`,
    );
    return body;
  }

  /** A body that came too late. */
  #drop(body: ApplicationBody): void {
    discardBody(body, (error) => this.reportError(error));
  }

  /** Reports to the log of the request. Never throws. */
  reportError(error: unknown): void {
    const name = (error as { name?: unknown } | null | undefined)?.name;
    // The signal was given to what failed, or startResponse has thrown this very error.
    if (error === this.#error || name === 'TimeoutError' || name === 'AbortError') return;
    log(this.#environ['wsgi.errors'], report(error));
  }

  // The signal, which is made when somebody asks for it.

  #readOuter(): AbortSignal | undefined {
    if (this.#outerSignal === undefined && this.#outer !== undefined) {
      const own = Object.getOwnPropertyDescriptor(this.#environ, SIGNAL);
      const { get, value } = this.#outer;
      this.#outerSignal = (get === undefined ? value : get.call(this.#environ)) as AbortSignal | undefined;
      // Its accessor has put itself in the place of this one.
      if (own !== undefined) Object.defineProperty(this.#environ, SIGNAL, own);
    }
    return this.#outerSignal;
  }

  #signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      const outer = this.#readOuter();
      if (outer?.aborted) this.#controller.abort(outer.reason);
      else if (this.#error !== null) this.#controller.abort(timeoutReason());
      else if (!this.#isOver) outer?.addEventListener('abort', this.#leave, { once: true });
    }
    return this.#controller.signal;
  }

  // For the body.

  get error(): RequestError | null {
    return this.#error;
  }

  /** Waits for a step, but not beyond the time. */
  limit<T>(pending: Promise<T>, cut: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const cutStep = (): void => {
        try {
          resolve(cut());
        } catch (error) {
          reject(error);
        }
      };
      this.#cut = cutStep;
      pending.then(
        (value) => {
          this.#cut = null;
          resolve(value);
        },
        (error) => {
          this.#cut = null;
          if (this.#error !== null) this.reportError(error);
          reject(error);
        },
      );
    });
  }

  /** @returns the chunk of the answer in place of the application's */
  cutOff(): Uint8Array {
    return (this.#answer() as Uint8Array[])[0] as Uint8Array;
  }

  noteChunk(chunk: Uint8Array): void {
    if (chunk.byteLength > 0) this.#sent = true;
  }

  finish(): void {
    this.#disarm();
  }
}

function timeoutReason(): DOMException {
  return new DOMException('The time of the response is over.', 'TimeoutError');
}
