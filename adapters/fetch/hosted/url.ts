// The URL that a Fetch handler sees, made from environ.

import type { DirectRequest } from '../../../core/direct-app.ts';
import { BadRequestError, quote } from '../../../core/errors.ts';
import { memo } from '../../../core/memo.ts';
import type { Environ } from '../../../core/types.ts';
import { encodedPathInfo, querySuffix, quotePath } from '../../../core/url.ts';

/** A host name, an address or a bracketed IPv6 address, and perhaps a port: no user, no path, no space. (RFC 3986 §3.2.2) */
const HOST = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/;

/** What the URL standard leaves as it is, in a path and in a query. */
const PLAIN_PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;
const PLAIN_QUERY = /^[\x21\x24-\x26\x28-\x3b\x3d\x3f-\x7e]*$/;
/** A segment that the URL standard resolves; its `%2E` is a dot. (URL standard, "double-dot URL path segment") */
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|[?#]|$)/i;

/**
 * The URL of the request as the URL standard writes it. It is made of `wsgi.url_scheme`, `HTTP_HOST` (or `SERVER_NAME` and
 * `SERVER_PORT`), `PATH_INFO` in the encoding that was sent, and `QUERY_STRING`; `SCRIPT_NAME` is not in it. Its path,
 * decoded, is `PATH_INFO`: a handler sees the path that a middleware has checked. (URL-05)
 *
 * @throws {BadRequestError} for a Host that is none, and for a path with dot segments
 */
export function hostedUrl(environ: Environ): string {
  const path = encodedPathInfo(environ);
  checkDotSegments(path);
  // `*` is the whole server, which has no path.
  const rooted = path === '*' ? '/' : path.charCodeAt(0) === 0x2f ? path : `/${path}`;
  const query = environ.QUERY_STRING ?? '';
  const start = origin(environ);
  if (query === '' && querySuffix(environ) === '?') return new URL(`${start}${escapeBytes(rooted)}?`).href;
  if (PLAIN_PATH.test(rooted) && PLAIN_QUERY.test(query)) {
    return query === '' ? start + rooted : `${start}${rooted}?${query}`;
  }
  const end = query === '' ? '' : `?${escapeBytes(query)}`;
  return new URL(start + escapeBytes(rooted) + end).href;
}

/** A target that the URL standard leaves as it is, but for dot segments; a lone "?" is rare. */
const PLAIN_TARGET = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*(?:\?[\x21\x24-\x26\x28-\x3b\x3d\x3f-\x7e]+)?$/;

/** The same URL without an environ; null where the URL standard would change it. */
export function directUrl({ scheme, host, target }: DirectRequest): string | null {
  if (!PLAIN_TARGET.test(target) || hasDotSegments(target)) return null;
  const start = originOf(`${scheme}://${host}`);
  return start === null ? null : start + target;
}

/** Whether a path, in the encoding that was sent, is another one in a URL. (URL-05) */
export function hasDotSegments(path: string): boolean {
  return (path.includes('.') || path.includes('%2')) && DOT_SEGMENT.test(path);
}

/** @throws {BadRequestError} for a path that is another one in a URL */
function checkDotSegments(path: string): void {
  if (!hasDotSegments(path)) return;
  throw new BadRequestError(
    `The path is ${quote(path, 80)}, and a URL cannot hold its "." and ".." segments; expected a path without them. Resolve them before you send the request, as browsers do.`,
  );
}

/** What the URL parser would drop, take for text, or take for another separator is escaped byte by byte before. */
function escapeBytes(part: string): string {
  return part.replace(/[^\x21-\x7e]+|[\\#]/g, quotePath);
}

/** `http://Example.com:80` → `http://example.com`; null for a host that is none. */
const originOf: (text: string) => string | null = /* @__PURE__ */ memo((text) =>
  HOST.test(text.slice(text.indexOf('//') + 2)) ? parse(text) : null,
);

function origin(environ: Environ): string {
  const host = environ.HTTP_HOST || `${environ.SERVER_NAME}:${environ.SERVER_PORT}`;
  const made = originOf(`${environ['wsgi.url_scheme']}://${host}`);
  if (made !== null) return made;
  throw new BadRequestError(`The Host is ${quote(host, 80)}; expected a host name and perhaps a port.`);
}

function parse(text: string): string | null {
  try {
    return new URL(text).origin;
  } catch {
    return null;
  }
}
