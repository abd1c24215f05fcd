// Makes a middleware of a function `(request, next) => Response`. It runs as a hosted Fetch app does (from-fetch.ts); `next`
// calls the application inside by an exchange of its own, and gives what that answers as a `Response`.

import { checkApplication } from '../../core/check.ts';
import { describe, isA, report } from '../../core/errors.ts';
import { Exchange } from '../../core/exchange.ts';
import { log } from '../../core/log.ts';
import type { Answer, ResponseBody } from '../../core/response.ts';
import type { Application, Environ, Middleware } from '../../core/types.ts';
import { fetchPlatform } from './environ.ts';
import { cancelBody } from './foreign-body.ts';
import { hostAround } from './from-fetch.ts';
import { environOf } from './hosted/request.ts';
import { showRequest } from './hosted/shown-request.ts';
import { callBehind, type DirectCall } from './passthrough.ts';
import { type ResponseCall, toResponse } from './response.ts';

/**
 * Calls what stands behind a Fetch middleware, once.
 *
 * @param request what it gets in place of the request that the middleware got
 * @returns its response; rejects with what it has thrown before its head went out
 */
export type FetchNext = (request?: Request) => Promise<Response>;

/** A middleware of the Fetch kind: it may answer by itself, pass a request on, and change or replace the response. */
export type FetchMiddleware = (request: Request, next: FetchNext) => Response | Promise<Response>;

/**
 * Makes a middleware of a function `(request, next) => Response`, which then stands around any application.
 *
 * `next()` calls the application and resolves with its response; `next(other)` has the application see another request:
 * its method, URL, headers and body become those of environ. `environOf(request)` is the environ. A response that is
 * returned as it came passes through as it is, streams and all; one that is thrown away is closed.
 *
 * @param middleware the function
 * @returns a middleware; what the function throws fails the request, as an error of an application does
 * @throws {TypeError} for anything but a function
 * @example
 * const timed = fromFetchMiddleware(async (request, next) => {
 *   const began = Date.now();
 *   const answer = await next();
 *   const response = new Response(answer.body, answer);
 *   response.headers.set('Server-Timing', `app;dur=${Date.now() - began}`);
 *   return response;
 * });
 * export const handler = toLambda(timed(app));
 */
export function fromFetchMiddleware(middleware: FetchMiddleware): Middleware {
  if (typeof middleware !== 'function') {
    throw new TypeError(
      `fromFetchMiddleware was given ${describe(middleware)}; expected a function (request, next) => Response.`,
    );
  }
  return (app) => {
    checkApplication(app);
    return hostAround((request) => {
      const inner = new InnerCall(app, request);
      return { answer: inner.run(middleware), isLive: () => inner.isLive };
    });
  };
}

/** The application inside, for one request. */
class InnerCall implements ResponseCall {
  readonly method: string;
  /** Whether the application gives its body chunk by chunk. */
  isLive = false;
  readonly #app: Application;
  readonly #request: Request;
  readonly #environ: Environ;
  /** The body of the request, as it was ahead of the middleware; it is looked at only where there can be one. */
  readonly #body: ReadableStream<Uint8Array> | null;
  #exchange: Exchange<DirectCall> | null = null;
  #failures: unknown[] = [];
  /** The response that the middleware got, and its stream. */
  #response: Response | null = null;
  #stream: ReadableStream<Uint8Array> | null = null;

  constructor(app: Application, request: Request) {
    this.#app = app;
    this.#request = request;
    this.#environ = environOf(request) as Environ;
    this.method = request.method;
    this.#body = this.method === 'HEAD' || this.method === 'GET' ? null : request.body;
  }

  /** Calls the middleware around the application. */
  async run(middleware: FetchMiddleware): Promise<Response> {
    try {
      const response = await middleware(this.#request, this.next);
      this.#release(response);
      return response;
    } catch (error) {
      this.#release(null);
      throw error;
    }
  }

  readonly next: FetchNext = async (request = this.#request) => {
    if (this.#exchange !== null) {
      throw new Error(
        'A Fetch middleware called next() a second time; an application is called once for each request.',
      );
    }
    const environ = this.#environ;
    const exchange = new Exchange(environ, {
      onFailure: (error) => this.#failures.push(error),
      passthrough: callBehind,
      context: { waitUntil: environ['waygate.wait_until'] },
    });
    this.#exchange = exchange;
    showRequest(environ, request, this.#request, this.#body);
    const answer = await exchange.run((shown, startResponse) => {
      const body = this.#app(shown, startResponse);
      // Its first chunk is asked for when the middleware has returned a body of its own. (L-55)
      return Array.isArray(body) ? body : Promise.resolve(body);
    });
    if (answer.passthrough === undefined && answer.failure !== undefined) {
      const { error } = answer.failure;
      this.#settle(error);
      this.#close();
      throw error;
    }
    this.#response = await this.#respond(answer);
    this.#stream = this.#response.body;
    return this.#response;
  };

  #respond(answer: Answer<DirectCall>): Response | Promise<Response> {
    if (answer.passthrough !== undefined) return answer.passthrough();
    const { body } = answer;
    if (Array.isArray(body)) {
      this.#close();
      return toResponse(answer, fetchPlatform, this);
    }
    this.isLive = true;
    return toResponse({ ...answer, body: this.#followed(body) }, fetchPlatform, this);
  }

  /** The same body; its reader reports what it fails with. */
  #followed(body: ResponseBody): ResponseBody {
    const fail = (error: unknown): never => {
      this.#settle(error);
      throw error;
    };
    return {
      wantsHead: body.wantsHead,
      stream: null,
      next: () => {
        try {
          const chunk = body.next();
          return chunk instanceof Promise ? chunk.catch(fail) : chunk;
        } catch (error) {
          return fail(error);
        }
      },
      close: () => this.#close(),
      [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](),
    };
  }

  /**
   * The middleware has answered: where nobody has begun with the application's body by then, nobody will. (MW-05)
   *
   * @param response what it answered with; null where it failed
   */
  #release(response: Response | null): void {
    const own = this.#response;
    if (own === null || own === response) return;
    // A response that was cloned or read has another stream by then, or one that somebody has.
    if (own.bodyUsed || own.body !== this.#stream || own.body?.locked) return;
    if (isA(response, Response) && response.body !== null && response.body === own.body) return;
    cancelBody(own);
    this.#close();
  }

  // What the response asks of the request it answers.

  clientLeft(): void | Promise<void> {
    return this.#close();
  }

  onClientLeft(): void {}

  drain(): undefined {
    return undefined;
  }

  bodyOver(body: ResponseBody): void {
    const closing = body.close();
    if (closing instanceof Promise) this.#environ['waygate.wait_until'](closing);
  }

  /** A failure that somebody gets is not one to report here. */
  #settle(error: unknown): void {
    this.#failures = this.#failures.filter((each) => each !== error);
  }

  #close(): void | Promise<void> {
    const reportAll = (): void => {
      for (const error of this.#failures) log(this.#environ['wsgi.errors'], report(error));
      this.#failures = [];
    };
    const closing = this.#exchange?.close();
    if (closing instanceof Promise) return closing.then(reportAll);
    reportAll();
  }
}
