// What connect middleware has changed of a request, as changes of its environ.

import type { IncomingMessage } from 'node:http';
import { addHeader, headerKey } from '../../../core/environ.ts';
import { encodeWsgi } from '../../../core/strings.ts';
import type { Environ } from '../../../core/types.ts';
import { decodePath, splitTarget } from '../../../core/url.ts';

/** A request as it was ahead of the middleware. */
export interface SeenRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

/** Remembers what a middleware may change. */
export function seen({ method, url, headers }: IncomingMessage): SeenRequest {
  return { method, url, headers: { ...headers } };
}

/**
 * Brings an environ up to date with its request: method, path, query and headers.
 *
 * @throws {BadRequestError} for a URL that is none
 */
export function showChanges(environ: Environ, request: IncomingMessage, before: SeenRequest): void {
  const { method = 'GET', url = '/', headers } = request;
  if (method !== before.method) environ.REQUEST_METHOD = method;
  if (url !== before.url) {
    const { path, query } = splitTarget(nativeString(url), method);
    environ.PATH_INFO = decodePath(path);
    environ.QUERY_STRING = query;
  }
  for (const name in headers) if (headers[name] !== before.headers[name]) setHeader(environ, name, headers[name]);
  for (const name in before.headers) if (headers[name] === undefined) setHeader(environ, name, undefined);
}

function setHeader(environ: Environ, name: string, value: string | string[] | undefined): void {
  const key = headerKey(name);
  if (key === '') return;
  delete environ[key];
  for (const each of [value ?? []].flat()) addHeader(environ, name, nativeString(String(each)));
}

/** What the client sent is bytes already, one each; what a middleware wrote may be any text. */
function nativeString(text: string): string {
  return /[^\x00-\xff]/.test(text) ? encodeWsgi(text) : text;
}
