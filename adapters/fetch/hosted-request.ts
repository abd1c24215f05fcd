// The `Request` that a Fetch handler sees, made from environ: what a middleware changed there is what it shows.

import { isToken } from '../../core/check.ts';
import { BadRequestError, RequestError } from '../../core/errors.ts';
import { Input } from '../../core/input.ts';
import type { Environ } from '../../core/types.ts';
import { encodedPathInfo, quotePath } from '../../core/url.ts';

/**
 * Makes the request. Its URL is made of `wsgi.url_scheme`, `HTTP_HOST` (or `SERVER_NAME` and `SERVER_PORT`), `PATH_INFO`
 * in the encoding that was sent, and `QUERY_STRING`; `Request` normalizes it as every URL. Its signal is
 * `waygate.signal`, and its body reads from `wsgi.input`. A body of a GET or HEAD request is left out, since a `Request`
 * cannot hold it; it stays in `wsgi.input`.
 *
 * @throws {RequestError} 400 for a Host that is none and for a header that `Headers` refuses, 501 for a method that
 *   `Request` refuses
 */
export function hostedRequest(environ: Environ): Request {
  const method = environ.REQUEST_METHOD;
  const body = hasBody(environ) ? environ['wsgi.input'].stream() : null;
  const init = {
    method,
    headers: hostedHeaders(environ),
    signal: environ['waygate.signal'],
    ...(body === null ? null : { body, duplex: 'half' }),
  };
  let request: Request;
  try {
    request = new Request(hostedUrl(environ), init);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw refusal(environ, error);
  }
  remember(request, environ);
  return request;
}

/** Why `Request` refused what it was made of; none of it is the handler's fault. (Fetch standard, `new Request`) */
function refusal(environ: Environ, cause: unknown): RequestError {
  const method = environ.REQUEST_METHOD;
  if (/^(?:CONNECT|TRACE|TRACK)$/i.test(method) || !isToken(method)) {
    return new RequestError(501, `The method is ${JSON.stringify(method)}, which a Fetch Request cannot have.`, {
      cause,
    });
  }
  return new BadRequestError('The request cannot be shown as a Fetch Request.', { cause });
}

function hasBody(environ: Environ): boolean {
  const method = environ.REQUEST_METHOD;
  if (/^(?:GET|HEAD)$/i.test(method)) return false;
  const input = environ['wsgi.input'];
  return !(input instanceof Input && input.exhausted);
}

// The URL.

/** A host name, an address or a bracketed IPv6 address, and perhaps a port: no user, no path, no space. (RFC 3986 §3.2.2) */
const HOST = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/;

function hostedUrl(environ: Environ): string {
  const scheme = environ['wsgi.url_scheme'];
  const path = encodedPathInfo(environ);
  const query = environ.QUERY_STRING;
  // `*` is the whole server, which has no path.
  const rooted = path === '*' ? '/' : path.charCodeAt(0) === 0x2f ? path : `/${path}`;
  return `${scheme}://${authority(environ, scheme)}${escapeBytes(rooted)}${query ? `?${escapeBytes(query)}` : ''}`;
}

function authority(environ: Environ, scheme: string): string {
  const host = environ.HTTP_HOST;
  if (!host) {
    const port = environ.SERVER_PORT;
    return `${environ.SERVER_NAME}${port === (scheme === 'https' ? '443' : '80') ? '' : `:${port}`}`;
  }
  if (!HOST.test(host)) {
    throw new BadRequestError(
      `The Host is ${JSON.stringify(host.slice(0, 80))}; expected a host name and perhaps a port.`,
    );
  }
  return host;
}

/** What the URL parser would drop, take for text, or take for another separator is escaped byte by byte before. */
function escapeBytes(part: string): string {
  return part.replace(/[^\x21-\x7e]+|[\\#]/g, quotePath);
}

// The headers.

/** Environ key → header name. Bounded, since clients choose the names. */
const NAMES = new Map<string, string>();
const NAMES_LIMIT = 1024;

function headerName(key: string): string {
  let name = NAMES.get(key);
  if (name === undefined) {
    name = key.slice(5).toLowerCase().replaceAll('_', '-');
    if (NAMES.size >= NAMES_LIMIT) NAMES.clear();
    NAMES.set(key, name);
  }
  return name;
}

function hostedHeaders(environ: Environ): [string, string][] {
  const headers: [string, string][] = [];
  for (const key in environ) {
    if (!key.startsWith('HTTP_')) continue;
    const value = environ[key];
    if (typeof value === 'string') headers.push([headerName(key), value]);
  }
  if (environ.CONTENT_TYPE !== undefined) headers.push(['content-type', environ.CONTENT_TYPE]);
  if (environ.CONTENT_LENGTH !== undefined) headers.push(['content-length', environ.CONTENT_LENGTH]);
  return headers;
}

// The environ behind a request.

class Itself {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the subclass then puts its private field on this very object.
    return object;
  }
}

/** Rides on the request as a private field: no listing shows it, and it costs less than a WeakMap. */
class Remembered extends Itself {
  #environ: Environ;

  constructor(request: Request, environ: Environ) {
    super(request);
    this.#environ = environ;
  }

  static set(request: object, environ: Environ): void {
    if (#environ in request) request.#environ = environ;
    else new Remembered(request as Request, environ);
  }

  static get(request: object): Environ | undefined {
    return #environ in request ? request.#environ : undefined;
  }
}

/** Lets {@link environOf} find the environ of a request. A request that is handled again gets the later one. */
export function remember(request: Request, environ: Environ): void {
  Remembered.set(request, environ);
}

/**
 * The environ behind a request that `fromFetch` handed to its handler: what a middleware left there, `REMOTE_USER`,
 * `SCRIPT_NAME`, and the platform's keys.
 *
 * @param request the very request that the handler was called with, `c.req.raw` in Hono; a clone has none
 * @returns the environ, or undefined for any other request
 */
export function environOf(request: Request): Environ | undefined {
  return Remembered.get(request);
}
