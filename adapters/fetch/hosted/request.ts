// The `Request` that a Fetch handler sees, made from environ: what a middleware changed there is what it shows.

import { isToken } from '../../../core/check.ts';
import type { DirectRequest } from '../../../core/direct-app.ts';
import { BadRequestError, quote, RequestError } from '../../../core/errors.ts';
import { gatewayInput } from '../../../core/input-base.ts';
import { signalToHear } from '../../../core/lifetime.ts';
import { attachState, stateOf } from '../../../core/private-state.ts';
import type { Environ } from '../../../core/types.ts';
import { real } from '../light/real.ts';
import { isLightEnough, LazyRequest, type RequestParts } from '../light/request.ts';
import { hostedHeaders } from './headers.ts';
import { directUrl, hostedUrl } from './url.ts';

/**
 * Makes the request. Its URL is that of {@link hostedUrl}, its signal is `waygate.signal`, its body reads from
 * `wsgi.input`. A body of a GET or HEAD request is left out, since a `Request` cannot hold it; it stays in `wsgi.input`.
 *
 * @throws {RequestError} 400 for a Host that is none, 501 for a method that `Request` refuses; 400 for headers that
 *   `Headers` refuses, where a light request throws it when it is first looked at more closely
 */
export function hostedRequest(environ: Environ): Request {
  const method = normalizedMethod(environ.REQUEST_METHOD);
  const parts: RequestParts = { url: hostedUrl(environ), method, hasBody: hasBody(environ, method) };
  let request: Request;
  if (isLightEnough()) {
    request = new LazyRequest(environ, null, parts, makeRequest) as unknown as Request;
  } else {
    request = makeRequest(environ, parts);
    remember(request, environ);
  }
  copyOwnProperties(environ['fetch.request'], request);
  return request;
}

/**
 * The same request where there is no environ yet: one that makes its parts when they are used. Nobody has put anything on it.
 *
 * @throws {RequestError} as {@link hostedRequest}
 */
export function directRequest(direct: DirectRequest): Request {
  const method = normalizedMethod(direct.method);
  const isBodiless = method === 'GET' || method === 'HEAD';
  const url = directUrl(direct) ?? hostedUrl(direct.environ);
  const parts: RequestParts = { url, method, hasBody: !isBodiless && direct.input !== null };
  return new LazyRequest(null, direct, parts, makeRequest) as unknown as Request;
}

/** What a router, for example, has put on the platform's own request is meant for the code that gets it next. */
function copyOwnProperties(original: unknown, request: Request): void {
  // The first look at the global may load all of the platform's fetch.
  if (original === undefined || !(original instanceof real('Request'))) return;
  for (const key of Object.keys(original)) {
    const value = (original as unknown as Record<string, unknown>)[key];
    Object.defineProperty(request, key, { value, writable: true, enumerable: true, configurable: true });
  }
}

function makeRequest(
  environ: Environ,
  parts: RequestParts,
  headers: HeadersInit = hostedHeaders(environ),
  signal: AbortSignal | null = signalToHear(environ),
): Request {
  const body = parts.hasBody ? environ['wsgi.input'].stream() : null;
  try {
    return new (real('Request'))(parts.url, {
      method: parts.method,
      headers,
      signal,
      ...fetchOptions(environ['fetch.request']),
      ...(body === null ? null : { body, duplex: 'half' }),
    });
  } catch (cause) {
    throw new BadRequestError('The request cannot be shown as a Fetch Request.', { cause });
  }
}

/**
 * What a platform's request says of how it is to be fetched, and no environ has. On Workers that is its `cf` object, and
 * that the client follows a redirect itself. The mode is left out, since not every one can be asked for.
 */
const FETCH_OPTIONS = [
  'cf',
  'credentials',
  'integrity',
  'keepalive',
  'redirect',
  'referrer',
  'referrerPolicy',
] as const;

function fetchOptions(original: unknown): RequestInit {
  const options: Record<string, unknown> = {};
  if (original === undefined || !(original instanceof real('Request'))) return options;
  for (const key of FETCH_OPTIONS) {
    const value = (original as unknown as Record<string, unknown>)[key];
    if (value) options[key] = value;
  }
  return options;
}

/** The method as `Request` has it: six are upper-cased, three refused, and no other is touched. (Fetch standard §2.2.1) */
function normalizedMethod(method: string): string {
  if (method === 'GET' || method === 'POST') return method;
  if (/^(?:CONNECT|TRACE|TRACK)$/i.test(method) || !isToken(method)) {
    throw new RequestError(501, `The method is ${quote(method)}, which a Fetch Request cannot have.`);
  }
  return /^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i.test(method) ? method.toUpperCase() : method;
}

function hasBody(environ: Environ, method: string): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  return gatewayInput(environ['wsgi.input'])?.exhausted !== true;
}

// The environ behind a request.

/** Lets {@link environOf} find the environ of a request. A request that is handled again gets the later one. */
export function remember(request: Request, environ: Environ): void {
  attachState(request, environ);
}

/**
 * The environ behind a request that `fromFetch` handed to its handler: what a middleware left there, `REMOTE_USER`,
 * `SCRIPT_NAME`, and the platform's keys.
 *
 * @param request the very request that the handler was called with, `c.req.raw` in Hono; a clone has none
 * @returns the environ, or undefined for any other request
 * @example
 * hono.get('/me', (c) => c.text(environOf(c.req.raw)?.REMOTE_USER ?? 'nobody'));
 */
export function environOf(request: Request): Environ | undefined {
  return LazyRequest.environOf(request) ?? (stateOf(request) as Environ | undefined);
}
