// What a Fetch middleware has changed of a request, as changes of its environ.

import { declaredLength, headerKey } from '../../../core/environ.ts';
import { Input } from '../../../core/input.ts';
import { StreamSource } from '../../../core/stream-source.ts';
import { encodeWsgi } from '../../../core/strings.ts';
import type { Environ } from '../../../core/types.ts';
import { checkHost, decodePath, splitTarget } from '../../../core/url.ts';
import { fetchPlatform } from '../environ.ts';

/**
 * Brings an environ up to date with the request that a middleware passes on.
 *
 * @param environ that of `before`
 * @param request what the middleware passes on, perhaps `before` itself
 * @param before the request that it got
 * @param body the stream of `before`, as it was ahead of the middleware
 * @throws {BadRequestError} for a URL or a host that cannot be served
 */
export function showRequest(
  environ: Environ,
  request: Request,
  before: Request,
  body: ReadableStream<Uint8Array> | null,
): void {
  if (request.method !== before.method) environ.REQUEST_METHOD = request.method;
  if (request.url !== before.url) showUrl(environ, new URL(request.url), new URL(before.url));
  showHeaders(environ, request.headers);
  showBody(environ, request, before, body);
}

function showUrl(environ: Environ, url: URL, before: URL): void {
  if (url.pathname !== before.pathname || url.search !== before.search) {
    const { path, query } = splitTarget(encodeWsgi(url.pathname + url.search), environ.REQUEST_METHOD);
    environ.PATH_INFO = decodePath(path);
    environ.QUERY_STRING = query;
  }
  if (url.host !== before.host) {
    checkHost(url.host);
    environ.HTTP_HOST = url.host;
  }
  if (url.protocol === before.protocol) return;
  environ['wsgi.url_scheme'] = url.protocol === 'https:' ? 'https' : 'http';
  if (url.protocol === 'https:') environ.HTTPS = 'on';
  else delete environ.HTTPS;
}

function showHeaders(environ: Environ, headers: Headers): void {
  const shown = new Set(['HTTP_HOST', 'CONTENT_LENGTH']);
  headers.forEach((value, name) => {
    const key = headerKey(name);
    if (key === '') return;
    shown.add(key);
    const native = fetchPlatform.headerValue(value);
    if (environ[key] !== native) environ[key] = native;
  });
  for (const key of Object.keys(environ)) {
    if ((key.startsWith('HTTP_') || key === 'CONTENT_TYPE') && !shown.has(key)) delete environ[key];
  }
}

function showBody(environ: Environ, request: Request, before: Request, body: ReadableStream<Uint8Array> | null): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  if (request.bodyUsed) {
    environ['wsgi.input'] = new Input({ pull: used }, declaredLength(environ));
    return;
  }
  const stream = request.body;
  // The platform's own request, untouched: its input reads the same stream, and knows more of it.
  if (request === environ['fetch.request'] && stream === body) return;
  if (stream === null) {
    if (body !== null) environ['wsgi.input'] = new Input(null);
    if (body !== null) delete environ.CONTENT_LENGTH;
    return;
  }
  // A body of another request has a length of its own, which its headers need not say.
  if (request !== before) delete environ.CONTENT_LENGTH;
  environ['wsgi.input'] = new Input(new StreamSource(stream), declaredLength(environ));
}

function used(): never {
  throw new Error(
    'A Fetch middleware has read the body of the request that it passed on; expected one that is unread. Read a clone of it, or pass on a new Request with the body: next(new Request(request, { body })).',
  );
}
