// Serves an application on a Fetch platform, and to `fetch`-style calls in a test.

import { prepareOptions } from '../../core/environ.ts';
import { describe } from '../../core/errors.ts';
import { encodeWsgi } from '../../core/strings.ts';
import type { Application, GatewayOptions } from '../../core/types.ts';
import { asciiTarget } from '../../core/url.ts';
import { fetchPlatform } from './environ.ts';
import { FetchGateway } from './gateway.ts';
import type { FetchPlatform, FetchRequest } from './platform.ts';

/** Options of {@link toFetch}. */
export interface FetchOptions extends GatewayOptions {
  /**
   * Keeps the platform running until a promise has settled; where there is none, the process is taken to live on.
   *
   * @default nothing waits for work after the response
   */
  waitUntil?: (work: Promise<unknown>) => void;
  /**
   * `REMOTE_ADDR`, which no `Request` has. It is one address for all, such as `'127.0.0.1'` in a test, or a function. The
   * function gets what the platform passes: the request, and after it Deno's connection info or Bun's server. (RFC 3875
   * §4.1.8)
   *
   * On Deno: `toFetch(app, { remoteAddr: (_request, { remoteAddr: { hostname, port } }) => ({ address: hostname, port }) })`;
   * on Bun: `toFetch(app, { remoteAddr: (request, server) => server.requestIP(request) })`.
   *
   * @default no address: `REMOTE_ADDR` is absent
   */
  remoteAddr?: string | RemoteAddr;
}

/**
 * Tells the client's address from what the platform passes to a handler: the address, or with it the port for
 * `REMOTE_PORT`. Where it is not known: undefined, null or an empty string.
 */
export type RemoteAddr = (
  request: Request,
  // biome-ignore lint/suspicious/noExplicitAny: every platform has its own types for these.
  ...platform: any[]
) => string | { readonly address: string; readonly port?: number } | null | undefined;

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
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * const handler = toFetch(app);
 * const response = await handler('/notes?page=2', { method: 'POST', body: 'text' });
 * Deno.serve(handler);
 */
export function toFetch(app: Application, options: FetchOptions = {}): FetchHandler {
  const { waitUntil, remoteAddr } = options;
  const platform = remoteAddr === undefined ? fetchPlatform : withAddress(remoteAddr);
  const gateway = new FetchGateway(app, prepareOptions(app, options), platform);
  const context = waitUntil && { waitUntil };
  return async (input, ...rest) => {
    const call = toCall(input, rest);
    const response = gateway.handle(call, context);
    const signal = call.isLikeFetch ? (rest[0] as RequestInit | undefined)?.signal : null;
    return signal ? abortable(response, signal) : response;
  };
}

/** Facts of a platform whose requests have an address. */
function withAddress(remoteAddr: string | RemoteAddr): FetchPlatform {
  if (typeof remoteAddr !== 'function' && (typeof remoteAddr !== 'string' || remoteAddr === '')) {
    throw new TypeError(
      `The option "remoteAddr" is ${describe(remoteAddr)}; expected an address such as "127.0.0.1", or a function (request, ...platform) that returns one.`,
    );
  }
  return {
    ...fetchPlatform,
    addKeys(environ, call) {
      fetchPlatform.addKeys(environ, call);
      // The deployer's own key is there already.
      if (environ.REMOTE_ADDR !== undefined) return;
      const found = typeof remoteAddr === 'string' ? remoteAddr : remoteAddr(call.request, ...(call.platform ?? []));
      const { address, port } = typeof found === 'object' && found !== null ? found : { address: found };
      if (!address) return;
      environ.REMOTE_ADDR = encodeWsgi(address);
      if (port !== undefined) environ.REMOTE_PORT = String(port);
    },
  };
}

/** What was passed, as a request; a path gets `http://localhost` in front of it. */
function toCall(input: Request | string | URL, rest: readonly unknown[]): FetchRequest {
  const init = rest[0] as RequestInit | undefined;
  if (typeof input !== 'string' && !(input instanceof URL)) {
    // Servers call handlers with a second argument of their own, which is not a RequestInit.
    const platform = rest.length > 0 ? rest : undefined;
    if (rest.length !== 1 || !isRequestInit(init)) return { request: input, target: null, length: -1, platform };
    return { request: new Request(input, init), target: null, length: -1, isLikeFetch: true };
  }
  const platform = rest.length > 1 ? rest.slice(1) : undefined;
  const length = init ? bodyLength(init.body) : -1;
  const complete = init?.body && length < 0 ? ({ ...init, duplex: 'half' } as RequestInit) : init;
  const isPath = typeof input === 'string' && (input.startsWith('/') || input === '*');
  if (!isPath) return { request: new Request(input, complete), target: null, length, isLikeFetch: true, platform };
  const hash = input.indexOf('#');
  const target = asciiTarget(hash === -1 ? input : input.slice(0, hash));
  // A URL would take a backslash for a slash: the path of the Request has to be the one in environ.
  const path = target === '*' ? '/' : target.replaceAll('\\', '%5C');
  return {
    request: new Request(`http://localhost${path}`, complete),
    target,
    length,
    isLikeFetch: true,
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
