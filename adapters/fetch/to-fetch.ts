// Serves an application on a Fetch platform, and to `fetch`-style calls in a test.

import { isThenable } from '../../core/body.ts';
import { type Settings, settings } from '../../core/environ.ts';
import { RequestError } from '../../core/errors.ts';
import { Exchange } from '../../core/gateway.ts';
import { carry, lazyKey } from '../../core/lazy.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { GatewayResponse, ResponseBody } from '../../core/response.ts';
import type { Application, Environ, ErrorStream, GatewayOptions } from '../../core/types.ts';
import { asciiTarget } from '../../core/url.ts';
import { settled } from '../../core/work.ts';
import { type FetchCall, type FetchFacts, fetchEnviron, fetchFacts } from './environ.ts';
import { checkResponse } from './hosted-response.ts';
import { type CarriesRequest, PendingBody, SentRequest } from './native.ts';
import { type ResponseCall, toResponse } from './response.ts';

/** Options of {@link toFetch}. */
export interface FetchOptions extends GatewayOptions {
  /** Keeps the platform running until a promise has settled; where there is none, the process is taken to live on. */
  waitUntil?: (work: Promise<unknown>) => void;
}

/**
 * An application as the platform calls it: with a `Request`, or like `fetch` with a URL or a path. What a platform passes
 * after a `Request` and is no `RequestInit` (Deno's connection info, Bun's server) is `fetch.arguments` in environ.
 */
export type FetchHandler = (
  input: Request | string | URL,
  init?: RequestInit | object,
  ...platform: unknown[]
) => Promise<Response>;

/**
 * Serves an application on a Fetch platform (Deno, Bun, any `(Request) => Response`).
 *
 * For tests it takes what `fetch` takes, and a bare path: `await toFetch(app)('/users?page=2')`. A path reaches the
 * application exactly as written, dot segments included; a URL has been normalized by the platform. What follows
 * `init` there goes to `fetch.arguments` too: `toFetch(fromFetch(hono))('/users', undefined, env, executionContext)`.
 *
 * @param app the application
 * @param options see {@link FetchOptions}
 * @returns a function that answers with a `Response`; it rejects only for arguments that `Request` refuses, or when
 *   `init.signal` aborts before there is a response
 * @throws {TypeError} for an application that is no function or an option of the wrong type
 */
export function toFetch(app: Application, options: FetchOptions = {}): FetchHandler {
  const gateway = new FetchGateway(app, settings(app, options), fetchFacts);
  const { waitUntil } = options;
  return async (input, ...rest) => {
    const call = toCall(input, rest);
    const response = gateway.handle(call, waitUntil);
    const signal = call.request === input ? null : (rest[0] as RequestInit | undefined)?.signal;
    return signal ? abortable(response, signal) : response;
  };
}

/** One application on one Fetch platform. What a platform adds, it adds through `facts` and `decorate`. */
export class FetchGateway {
  readonly #app: Application;
  readonly #settings: Settings;
  readonly #facts: FetchFacts;
  /** A header that the deployer sets is in environ, but not in the platform's request. */
  readonly #mayShowRequest: boolean;

  constructor(app: Application, prepared: Settings, facts: FetchFacts) {
    this.#mayShowRequest = !prepared.extra.some(([key]) => key.startsWith('HTTP_'));
    this.#app = app;
    this.#settings = prepared;
    this.#facts = facts;
  }

  /**
   * Answers one request.
   *
   * @param waitUntil the platform's own, for this request
   * @param decorate adds the platform's keys to the environ
   */
  handle(
    call: FetchCall,
    waitUntil: ((work: Promise<unknown>) => void) | undefined,
    decorate?: (environ: Environ) => void,
  ): Response | Promise<Response> {
    const errors = this.#settings.errors();
    const facts = this.#facts;
    const client = new Client(call.request, errors, waitUntil, facts.dropsRequests === true);
    let environ: Environ;
    try {
      environ = fetchEnviron(call, facts, this.#settings, errors);
      carry(environ, client);
      Object.defineProperty(environ, 'waygate.signal', SIGNAL);
      environ['waygate.wait_until'] = client.keep;
      if (this.#mayShowRequest) client.sent = new SentRequest(call, facts, this.#settings, environ);
      decorate?.(environ);
    } catch (error) {
      return toResponse(refuse(error, errors, client.head), facts, client);
    }
    const { onError } = this.#settings;
    const exchange = new Exchange(environ, {
      onError,
      takesStreams: true,
      native: PendingBody.native,
      linger: client.keep,
    });
    client.exchange = exchange;
    const answer = (response: GatewayResponse): Response | Promise<Response> => {
      if (response.native !== undefined)
        return this.#answerNatively(response.native as () => unknown, client, exchange);
      if (Array.isArray(response.body)) client.over();
      else client.watch();
      return toResponse(response, facts, client);
    };
    const response = exchange.run(this.#app);
    if (!(response instanceof Promise)) return answer(response);
    client.watch();
    return response.then(answer);
  }

  /**
   * The response of a Fetch handler goes to the platform as it is. A failure is the same 500 as everywhere.
   *
   * @param call calls the handler
   */
  #answerNatively(call: () => unknown, client: Client, exchange: Exchange): Response | Promise<Response> {
    client.over();
    const fail = (error: unknown): Response => {
      exchange.tell(error);
      const status = error instanceof RequestError ? error.status : 500;
      return toResponse(plainResponse(status, client.head), this.#facts, client);
    };
    try {
      const answer = call();
      return isThenable(answer) ? answer.then(checkResponse).catch(fail) : checkResponse(answer);
    } catch (error) {
      return fail(error);
    }
  }
}

/** The client of one request: whether it is still there, and what goes on after its response. */
class Client implements CarriesRequest, ResponseCall {
  readonly head: boolean;
  exchange: Exchange | null = null;
  readonly #request: Request;
  readonly #errors: ErrorStream;
  readonly #waitUntil: ((work: Promise<unknown>) => void) | undefined;
  readonly #isDropped: boolean;
  #controller: AbortController | null = null;
  #watched = false;
  #gone = false;
  #finished = false;
  #reason: unknown;
  /** Tells a platform that would drop this request to wait no longer for its end. */
  #release: (() => void) | null = null;
  /** The request as it came, where an app of the platform's own kind may have it; else null. */
  sent: SentRequest | null = null;

  /** @param isDropped see {@link FetchFacts.dropsRequests} */
  constructor(
    request: Request,
    errors: ErrorStream,
    waitUntil: ((work: Promise<unknown>) => void) | undefined,
    isDropped: boolean,
  ) {
    this.head = request.method === 'HEAD';
    this.#request = request;
    this.#errors = errors;
    this.#waitUntil = waitUntil;
    this.#isDropped = isDropped;
  }

  /** `waygate.wait_until`. */
  readonly keep = (work: Promise<unknown>): void => {
    const done = settled(work, this.#errors);
    this.#waitUntil?.(done);
  };

  /** `waygate.signal`, made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#gone) this.#controller.abort(this.#reason);
      else this.#listen();
    }
    return this.#controller.signal;
  }

  originalRequest(environ: Environ): Request | null {
    const request = this.sent?.shownBy(environ) ?? null;
    // A signal that a middleware put there is not the request's. The lazy key is not read, for that would make one.
    const signal = Object.getOwnPropertyDescriptor(environ, 'waygate.signal');
    const own =
      signal?.get === SIGNAL.get || (signal?.value !== undefined && signal.value === this.#controller?.signal);
    return own ? request : null;
  }

  /** From now on the application has something to close: it must hear when the client leaves. */
  watch(): void {
    this.#listen();
    if (!this.#isDropped || this.#release !== null || this.#waitUntil === undefined) return;
    this.#waitUntil(
      new Promise<void>((release) => {
        this.#release = release;
      }),
    );
  }

  gone(reason: unknown): void | Promise<void> {
    // Some platforms abort the request's signal also when all went well.
    if (!this.#gone && !this.#finished) {
      this.#gone = true;
      this.#reason = reason;
      this.#controller?.abort(reason);
    }
    return this.#closed(this.exchange?.close());
  }

  finish(body: ResponseBody): void {
    this.#finished = body.stream === null;
    this.#closed(body.close());
  }

  /** Nothing is left to send that the application could hear of. */
  over(): void {
    this.#finished = true;
    this.#release?.();
  }

  #closed(closing: void | Promise<void>): void | Promise<void> {
    if (closing instanceof Promise) this.keep(closing);
    this.#release?.();
    return closing;
  }

  #listen(): void {
    const signal = this.#request.signal as AbortSignal | undefined;
    if (!signal || this.#watched) return;
    this.#watched = true;
    if (signal.aborted) this.gone(signal.reason);
    else signal.addEventListener('abort', () => this.gone(signal.reason), { once: true });
  }
}

const SIGNAL = lazyKey('waygate.signal', (client: Client) => client.signal);

/** What was passed, as a request; a path gets `http://localhost` in front of it. */
function toCall(input: Request | string | URL, rest: readonly unknown[]): FetchCall {
  const init = rest[0] as RequestInit | undefined;
  if (typeof input !== 'string' && !(input instanceof URL)) {
    // Servers call handlers with a second argument of their own, which is no RequestInit.
    const platform = rest.length > 0 ? rest : undefined;
    if (rest.length !== 1 || !isRequestInit(init)) return { request: input, target: null, length: -1, platform };
    return { request: new Request(input, init), target: null, length: -1 };
  }
  const platform = rest.length > 1 ? rest.slice(1) : undefined;
  const length = init ? bodyLength(init.body) : -1;
  const complete = init?.body && length < 0 ? ({ ...init, duplex: 'half' } as RequestInit) : init;
  const isPath = typeof input === 'string' && (input.startsWith('/') || input === '*');
  if (!isPath) return { request: new Request(input, complete), target: null, length, platform };
  const hash = input.indexOf('#');
  const target = asciiTarget(hash === -1 ? input : input.slice(0, hash));
  return {
    request: new Request(`http://localhost${target === '*' ? '/' : target}`, complete),
    target,
    length,
    platform,
  };
}

const REQUEST_INIT = ['method', 'headers', 'body', 'signal'] as const;

function isRequestInit(init: unknown): init is RequestInit {
  return typeof init === 'object' && init !== null && REQUEST_INIT.some((key) => Object.hasOwn(init, key));
}

/** The length that `fetch` would put into Content-Length for this body, or -1. */
function bodyLength(body: BodyInit | null | undefined): number {
  if (typeof body === 'string') return new TextEncoder().encode(body).byteLength;
  if (body instanceof URLSearchParams) return body.toString().length;
  if (body instanceof Blob) return body.size;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  return -1;
}

function abortable(response: Response | Promise<Response>, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    Promise.resolve(response).then(resolve, reject);
  });
}
