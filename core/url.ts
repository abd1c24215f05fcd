// Request targets, paths and URLs: the one place where a path is decoded, quoted, split and put together again.
// (URL-01 … URL-05, ENV-05 … ENV-07, ENV-29)

import { BadRequestError, quote } from './errors.ts';
import { encodeWsgi } from './strings.ts';
import type { Environ } from './types.ts';

/** A request target in its parts; `path` and `query` as they were sent. */
export interface Target {
  /** The encoded path; `*` for the asterisk form. */
  path: string;
  /** What follows the first `?`; empty when there is none. */
  query: string;
}

/** With a host: without one such a URI is invalid, and must be refused. (RFC 9110 §4.2.1) */
const ABSOLUTE = /^https?:\/\/[^/?#]+/i;

/**
 * Scheme and authority of a request target in absolute form, as they were sent; empty for every other form.
 *
 * @param target what stood in the request line
 */
export function absoluteOrigin(target: string): string {
  return ABSOLUTE.exec(target)?.[0] ?? '';
}

/** What RFC 3986 §3.2.2 allows as a host that is a name or an IPv4 address, with the optional port of RFC 9110 §7.2. */
const NAMED_HOST = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*(?::[0-9]*)?$/;
/** An IPv6 address in brackets, as far as its characters go. */
const BRACKETED_HOST = /^\[[0-9A-Fa-f:.]+\](?::[0-9]*)?$/;

/**
 * Whether a text can be the value of a `Host` header: a host and an optional port, without user information, blanks or
 * anything else. An empty one is legal. (RFC 9110 §7.2, RFC 9112 §3.2)
 *
 * @example isHost('example.com:8080'); // true
 * @example isHost('good.com@evil.com'); // false
 */
export function isHost(text: string): boolean {
  if (text.charCodeAt(0) !== 0x5b /* [ */) return NAMED_HOST.test(text);
  return BRACKETED_HOST.test(text) && URL.canParse(`http://${text.slice(0, text.indexOf(']') + 1)}/`);
}

/** The last host that passed: most requests of a server are for the same one. */
let lastHost = '';

/**
 * @param host the value of a `Host` header, or of `:authority`
 * @throws {BadRequestError} unless {@link isHost} (RFC 9112 §3.2 asks for a 400)
 */
export function checkHost(host: string): void {
  if (host === lastHost) return;
  if (!isHost(host)) {
    throw new BadRequestError(`The Host header is ${quote(host, 80)}; expected a host and an optional port.`);
  }
  lastHost = host;
}

/**
 * Splits a request target. The absolute form gives its path only: scheme and authority are never the client's to choose
 * there. A leading `//` is a path like any other, and a fragment, which is illegal in a target, is dropped. (URL-05,
 * RFC 9112 §3.2)
 *
 * @param target what stood in the request line
 * @param method the request method: `*` is legal for `OPTIONS` alone
 * @throws {BadRequestError} for a target of no known form
 * @example
 * splitTarget('/notes?page=2', 'GET'); // path '/notes', query 'page=2'
 */
export function splitTarget(target: string, method: string): Target {
  let rest = target;
  if (target.charCodeAt(0) !== 0x2f /* / */) {
    const origin = absoluteOrigin(target);
    if (origin !== '') {
      rest = target.slice(origin.length);
      if (rest.charCodeAt(0) !== 0x2f) rest = `/${rest}`;
    } else if (target !== '*' || method !== 'OPTIONS') {
      throw new BadRequestError(`The request target is ${quote(target, 80)}; expected a path that starts with "/".`);
    }
  }
  const hash = rest.indexOf('#');
  if (hash !== -1) rest = rest.slice(0, hash);
  const mark = rest.indexOf('?');
  return mark === -1 ? { path: rest, query: '' } : { path: rest.slice(0, mark), query: rest.slice(mark + 1) };
}

/**
 * Percent-decodes a path once into a native string. Malformed escapes stay as they are and `+` is not a space: no path makes
 * it throw, but one that holds a NUL. (URL-02, trap 15)
 *
 * @param encoded a path as sent; its code units must be bytes
 * @throws {BadRequestError} when the path holds a NUL, which ends a string in every system below
 * @example
 * decodePath('/a%20b'); // '/a b'
 */
export function decodePath(encoded: string): string {
  const decoded = encoded.indexOf('%') === -1 ? encoded : encoded.replace(/%([0-9A-Fa-f]{2})/g, unescapeByte);
  if (decoded.indexOf('\0') !== -1) throw new BadRequestError('The request path holds a NUL byte.');
  return decoded;
}

function unescapeByte(_escape: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** RFC 3986 §3.3: what a path may hold unescaped; all else, `%` included, becomes an escape. */
const NOT_IN_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g;

/**
 * Percent-encodes a native string for use as a URL path: each code unit is one byte. The inverse of {@link decodePath}.
 *
 * @param native a decoded path such as `SCRIPT_NAME` or `PATH_INFO`
 * @example
 * quotePath('/a b'); // '/a%20b'
 */
export function quotePath(native: string): string {
  // Nearly all paths need no escape, and to look is cheaper than to replace nothing.
  return native.search(NOT_IN_PATH) === -1 ? native : native.replace(NOT_IN_PATH, escapeByte);
}

/** The escape of a byte that is given as a code unit: `%2A` for `*`. */
export function escapeByte(unit: string): string {
  const byte = unit.charCodeAt(0) & 0xff;
  return `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
}

/**
 * Moves a mount prefix from the path to the script name, on a segment boundary and at most once: `/api` is not a prefix of
 * `/apiary`. A path outside of the prefix is left alone. (ENV-29)
 *
 * @param path a decoded path
 * @param prefix a prefix without trailing slash, see {@link normalizePrefix}
 * @example
 * splitPrefix('/api/notes', '/api'); // { scriptName: '/api', pathInfo: '/notes' }
 */
export function splitPrefix(path: string, prefix: string): { scriptName: string; pathInfo: string } {
  if (prefix !== '' && path.startsWith(prefix)) {
    const next = path.charCodeAt(prefix.length);
    if (Number.isNaN(next) || next === 0x2f /* / */) return { scriptName: prefix, pathInfo: path.slice(prefix.length) };
  }
  return { scriptName: '', pathInfo: path };
}

/**
 * A mount prefix as the deployer wrote it (`api`, `/api/`, `/`) in the form that {@link splitPrefix} takes (`/api`, ``).
 *
 * @param prefix the `basePath` option, as text
 */
export function normalizePrefix(prefix: string | undefined): string {
  const text = prefix ?? '';
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) === 0x2f /* / */) start++;
  while (end > start && text.charCodeAt(end - 1) === 0x2f) end--;
  return start === end ? '' : `/${text.slice(start, end)}`;
}

/**
 * The URL of the application's root, from `environ`: scheme, authority and quoted `SCRIPT_NAME`. (URL-01)
 *
 * @returns an absolute URL, with `/` as path where `SCRIPT_NAME` is empty
 * @example
 * applicationUri(environ); // 'https://example.com/api'
 */
export function applicationUri(environ: Environ): string {
  return origin(environ) + (quotePath(environ.SCRIPT_NAME ?? '') || '/');
}

/**
 * The URL of the request, from `environ`. It follows what middleware made of `SCRIPT_NAME` and `PATH_INFO`, and need not
 * equal what the client sent. (URL-01)
 *
 * @param includeQuery whether `QUERY_STRING` is appended; default true
 * @example
 * requestUri(environ); // 'https://example.com/api/notes?page=2'
 */
export function requestUri(environ: Environ, includeQuery = true): string {
  const info = environ.PATH_INFO ?? '';
  let path = quotePath((environ.SCRIPT_NAME ?? '') + (info === '*' ? '' : info));
  if (path.charCodeAt(0) !== 0x2f) path = `/${path}`;
  const query = includeQuery ? (environ.QUERY_STRING ?? '') : '';
  return origin(environ) + path + (query === '' ? '' : `?${query}`);
}

function origin(environ: Environ): string {
  const scheme = environ['wsgi.url_scheme'];
  const host = environ.HTTP_HOST;
  if (host) return `${scheme}://${host}`;
  const port = environ.SERVER_PORT;
  return `${scheme}://${environ.SERVER_NAME}${port === (scheme === 'https' ? '443' : '80') ? '' : `:${port}`}`;
}

/**
 * Moves one segment from `PATH_INFO` to the end of `SCRIPT_NAME`, in place. Empty and `.` segments in the middle are
 * dropped, `..` takes a segment off `SCRIPT_NAME`, a lone `/` moves as an empty segment. (URL-03)
 *
 * @returns the segment, or null when nothing is left
 * @example
 * shiftPathInfo(environ); // 'notes' for PATH_INFO '/notes/1', which becomes '/1'
 */
export function shiftPathInfo(environ: Environ): string | null {
  const info = environ.PATH_INFO ?? '';
  if (info === '') return null;
  const parts = (info.charCodeAt(0) === 0x2f ? info.slice(1) : info).split('/');
  const segments = parts.filter((part, index) => index === parts.length - 1 || (part !== '' && part !== '.'));
  const name = segments.shift() as string;
  let script = environ.SCRIPT_NAME ?? '';
  if (script.endsWith('/')) script = script.slice(0, -1);
  if (name === '..') script = script.slice(0, Math.max(script.lastIndexOf('/'), 0));
  else if (name !== '.') script += `/${name}`;
  environ.SCRIPT_NAME = script;
  environ.PATH_INFO = segments.map((segment) => `/${segment}`).join('');
  return name === '.' ? null : name;
}

/**
 * `PATH_INFO` as a URL path. It is in the exact encoding that was sent (`%2F`, `%zz`, `~`) while `REQUEST_URI` still
 * denotes `SCRIPT_NAME` and `PATH_INFO`. Else it is quoted anew, since what a middleware changed wins.
 *
 * @returns an encoded path that starts with `/`, or `*`, or is empty where `PATH_INFO` is
 * @example
 * encodedPathInfo(environ); // '/a%2Fb' as the client sent it, where PATH_INFO is '/a/b'
 */
export function encodedPathInfo(environ: Environ): string {
  const info = environ.PATH_INFO;
  const script = environ.SCRIPT_NAME;
  const uri = environ.REQUEST_URI;
  if (typeof uri !== 'string') return quotePath(info);
  let sent: string;
  try {
    sent = splitTarget(uri, environ.REQUEST_METHOD).path;
    if (script === '' && sent === info && sent.indexOf('%') === -1) return sent;
    if (decodePath(sent) !== script + info) return quotePath(info);
  } catch {
    return quotePath(info);
  }
  let at = 0;
  for (let decoded = 0; decoded < script.length; decoded++) at += isEscape(sent, at) ? 3 : 1;
  const rest = sent.slice(at);
  // The slash between mount and path may have come as %2F, with which no path begins.
  return isEscape(rest, 0) && info.charCodeAt(0) === 0x2f ? `/${rest.slice(3)}` : rest;
}

/**
 * The query of a URL, with its `?`: that of `QUERY_STRING`, or else empty. A `?` alone is kept where the client sent one;
 * `QUERY_STRING` does not show it.
 */
export function querySuffix(environ: Environ): string {
  const query = environ.QUERY_STRING ?? '';
  if (query !== '') return `?${query}`;
  const uri = environ.REQUEST_URI;
  return uri?.endsWith('?') && uri.indexOf('?') === uri.length - 1 ? '?' : '';
}

function isEscape(text: string, at: number): boolean {
  return text.charCodeAt(at) === 0x25 && /^[0-9A-Fa-f]{2}$/.test(text.slice(at + 1, at + 3));
}

/**
 * A path as a URL shows it. A JS string that may hold any character becomes printable ASCII, through UTF-8. The escapes
 * that are there stay.
 *
 * @param text a path or target as a person or a decoding gateway wrote it
 */
export function asciiTarget(text: string): string {
  return text.replace(/[^\x21-\x7e]+/gu, (run) => quotePath(encodeWsgi(run)));
}
