// One line for each request, when it is over.

import { checkApplication, checkOptions } from '../core/check.ts';
import { ClientDisconnectedError, describe, isA, statusOf } from '../core/errors.ts';
import { ignoreFailure, log } from '../core/log.ts';
import { isNullBodyStatus } from '../core/status.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../core/types.ts';
import { requestUri } from '../core/url.ts';
import { type AccessLogEntry, type AccessLogFormat, formatter } from './access-log-format.ts';
import { observeBody } from './observed-body.ts';
import { REQUEST_ID } from './request-id.ts';

/** How {@link accessLog} writes, and where. */
export interface AccessLogOptions {
  /**
   * `'common'` and `'combined'` are those of Apache, followed by the time in milliseconds and, where it applies, by `client-left`,
   * `failed` and the request id; `'json'` is an object on one line. A function makes the line itself, or null for none.
   *
   * @default 'combined'
   */
  format?: AccessLogFormat | ((entry: AccessLogEntry) => string | null);
  /**
   * Called with each line, without its end. What it throws, and a promise of it that rejects, is ignored.
   *
   * @default a line of wsgi.errors
   */
  write?: (line: string, entry: AccessLogEntry) => unknown;
}

/**
 * Logs each request once, when its response is over: at its end, after a failure, and when the client has left. The bytes
 * are those that the gateway took, not those that were promised. The time runs from the call of the application to the end
 * of the response.
 *
 * In every format a text that a client chose is escaped: no control byte, quote or line end of it reaches the log.
 *
 * Put it around the middleware whose work should count, and inside `proxyFix` and `requestId`, whose answers it logs.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), and for an option of the wrong type
 * @example
 * serve(requestId(accessLog(app, { format: 'json', write: (line) => console.log(line) })));
 */
export function accessLog(app: Application, options: AccessLogOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { format = 'combined', write } = options;
  const lineOf = formatter(format);
  if (write !== undefined && typeof write !== 'function')
    throw new TypeError(`The option "write" of accessLog is ${describe(write)}; expected a function (line, entry).`);
  const emit = (entry: AccessLogEntry, environ: Environ): void => {
    try {
      const line = lineOf(entry);
      if (line === null) return;
      if (write === undefined) log(environ['wsgi.errors'], line);
      else ignoreFailure(write(line, entry));
    } catch {}
  };
  return (environ, startResponse) => new LoggedRequest(environ, startResponse, emit).run(app);
}

type Emit = (entry: AccessLogEntry, environ: Environ) => void;

class LoggedRequest {
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #emit: Emit;
  readonly #begun = { at: new Date(), clock: performance.now() };
  // The application may change the environ: what the client asked for is what it said before.
  readonly #asked: { readonly method: string; readonly uri: string };

  #status = 0;
  /** Bytes that the declared Content-Length still wants; NaN where none is declared. */
  #left = Number.NaN;
  #bytes = 0;
  #ended = false;
  #failed = false;
  #clientLeft = false;
  #logged = false;

  constructor(environ: Environ, startResponse: StartResponse, emit: Emit) {
    this.#environ = environ;
    this.#startResponse = startResponse;
    this.#emit = emit;
    const uri = environ.REQUEST_URI ?? requestUri(environ).replace(/^https?:\/\/[^/]*/, '');
    this.#asked = { method: environ.REQUEST_METHOD, uri };
  }

  #signal(): AbortSignal | undefined {
    return this.#environ['waygate.signal'];
  }

  run(app: Application): ApplicationBody | Promise<ApplicationBody> {
    let result: ApplicationBody | Promise<ApplicationBody>;
    try {
      result = app(this.#environ, this.#start);
    } catch (error) {
      throw this.#fail(error);
    }
    if (!isThenable(result)) return this.#accept(result);
    // An application that never answers has no body to be closed: that the client has left is the end then.
    const signal = this.#signal();
    signal?.addEventListener('abort', this.#abandon, { once: true });
    const settled = () => signal?.removeEventListener('abort', this.#abandon);
    return Promise.resolve(result).then(
      (body) => {
        settled();
        return this.#accept(body);
      },
      (error) => {
        settled();
        throw this.#fail(error);
      },
    );
  }

  readonly #start: StartResponse = (status, headers, error) => {
    const write = this.#startResponse(status, headers, error);
    this.#status = Number(status.slice(0, 3));
    this.#left = Number.NaN;
    for (const [name, value] of headers) if (name.toLowerCase() === 'content-length') this.#left = Number(value);
    return (chunk) => {
      const taken = write(chunk);
      this.#count(chunk.byteLength);
      return taken;
    };
  };

  #accept(body: ApplicationBody): ApplicationBody {
    try {
      return observeBody(body, {
        chunk: (bytes) => this.#count(bytes),
        end: () => {
          this.#ended = true;
        },
        fail: (error) => this.#noteFailure(error),
        close: () => this.#close(Array.isArray(body) ? sizeOf(body) : Number.NaN),
      });
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** The gateway cuts what exceeds the declared length. */
  #count(bytes: number): void {
    const taken = bytes > this.#left ? this.#left : bytes;
    this.#bytes += taken;
    if (!Number.isNaN(this.#left)) this.#left -= taken;
  }

  readonly #abandon = (): void => {
    this.#clientLeft = true;
    this.#write(this.#bytes > 0 ? this.#status : 499);
  };

  #fail(error: unknown): unknown {
    this.#noteFailure(error);
    this.#write(this.#bytes > 0 ? this.#status : statusOf(error));
    return error;
  }

  /** A failure before the first byte is a response of the gateway's own. */
  #noteFailure(error: unknown): void {
    if (isA(error, ClientDisconnectedError)) this.#clientLeft = true;
    else this.#failed = true;
    if (this.#bytes === 0) this.#status = statusOf(error);
  }

  /** @param size the bytes of an array, which is complete when it has given them; else NaN */
  #close(size: number): void {
    const hasNoContent = this.#asked.method === 'HEAD' || isNullBodyStatus(this.#status);
    const isComplete = this.#ended || hasNoContent || this.#left === 0 || this.#bytes === size;
    if (!isComplete && !this.#failed && this.#signal()?.aborted) this.#clientLeft = true;
    // A body without startResponse is a failure that the gateway finds. (SR-15)
    if (this.#status === 0 && !this.#clientLeft) this.#noteFailure(undefined);
    this.#write(this.#clientLeft && this.#bytes === 0 ? 499 : this.#status);
  }

  #write(status: number): void {
    if (this.#logged) return;
    this.#logged = true;
    const environ = this.#environ;
    const isContent = this.#asked.method !== 'HEAD' && !isNullBodyStatus(status);
    this.#emit(
      {
        time: this.#begun.at,
        durationMs: performance.now() - this.#begun.clock,
        method: this.#asked.method,
        uri: this.#asked.uri,
        protocol: environ.SERVER_PROTOCOL,
        status,
        bytes: isContent ? this.#bytes : 0,
        remoteAddr: environ.REMOTE_ADDR,
        remoteUser: environ.REMOTE_USER,
        referer: environ.HTTP_REFERER,
        userAgent: environ.HTTP_USER_AGENT,
        host: environ.HTTP_HOST,
        requestId: environ[REQUEST_ID],
        clientLeft: this.#clientLeft,
        failed: this.#failed,
      },
      environ,
    );
  }
}

function sizeOf(chunks: Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return total;
}
