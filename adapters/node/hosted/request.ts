// The `http.IncomingMessage` that a hosted listener gets: Node's own class, made from environ, its body read from
// `wsgi.input` when it is asked for.

import { headerKey, headerName } from '../../../core/environ.ts';
import { BodyTooLargeError } from '../../../core/errors.ts';
import type { Environ } from '../../../core/types.ts';
import { absoluteOrigin, decodePath, encodedPathInfo, querySuffix, quotePath, splitTarget } from '../../../core/url.ts';
import { IncomingMessage } from '../http.ts';
import { type BodyFailed, HostedBody } from './body.ts';
import type { Messages } from './messages.ts';
import { showProperties } from './properties.ts';
import type { HostedSocket } from './socket.ts';

/** A request as listeners get it: with the environ it was made from. */
export interface HostedRequest extends IncomingMessage {
  environ: Environ;
  originalUrl?: string;
  baseUrl?: string;
}

/** What Node's class has and its types leave out. */
interface Internals {
  _consuming: boolean;
  readonly _readableState: Record<
    'readingMore' | 'ended' | 'endEmitted' | 'destroyed' | 'closed' | 'closeEmitted',
    boolean
  >;
  _dump(): void;
  _addHeaderLines(lines: string[], count: number): void;
}

/**
 * @param failed called when the body could not be read to its end; it decides what becomes of the request
 * @param messages makes the requests of this listener
 */
export function hostedRequest(
  environ: Environ,
  socket: HostedSocket,
  failed: BodyFailed,
  messages: Messages,
): HostedRequest {
  // A HostedSocket has all of a net.Socket that a request uses.
  const request = messages.request(socket) as HostedRequest;
  request.environ = environ;
  request.method = environ.REQUEST_METHOD;
  addVersion(request, environ.SERVER_PROTOCOL);
  addUrl(request, environ);
  const body = new HostedBody(request, environ, failed);
  const headers = rawHeaders(environ, body);
  (request as unknown as Internals)._addHeaderLines(headers, headers.length);
  // Only now: header lines of a complete request are trailers.
  request.complete = body.isEmpty;
  // An own method: frameworks replace the prototypes of the requests they get.
  request._read = body.read;
  const seen = environ['connect.request'] ?? environ['node.request'];
  if (seen !== undefined) showProperties(request, seen);
  return request;
}

function addVersion(request: IncomingMessage, protocol: string): void {
  if (protocol === 'HTTP/1.1') {
    request.httpVersion = '1.1';
    request.httpVersionMajor = 1;
    request.httpVersionMinor = 1;
    return;
  }
  const [, major = '1', minor = '0'] = /^HTTP\/([0-9]+)(?:\.([0-9]+))?$/.exec(protocol) ?? [];
  request.httpVersion = `${major}.${minor}`;
  request.httpVersionMajor = Number(major);
  request.httpVersionMinor = Number(minor);
}

/** The listener routes on PATH_INFO. A mount prefix shows in the same members that Express gives to what it mounts. */
function addUrl(request: HostedRequest, environ: Environ): void {
  const { SCRIPT_NAME: script, REQUEST_URI: uri } = environ;
  const info = encodedPathInfo(environ);
  const search = querySuffix(environ);
  // A plain path at the root has nothing more to show.
  const isAbsolute = uri !== undefined && uri.charCodeAt(0) !== 0x2f;
  const sent = script !== '' || isAbsolute ? sentPath(environ) : null;
  // Node leaves scheme and authority of an absolute target in the URL. A middleware that changes the path removes them.
  const origin = isAbsolute && sent !== null ? absoluteOrigin(uri) : '';
  request.url = `${origin}${info.charCodeAt(0) === 0x2f || info === '*' ? info : `/${info}`}${search}`;
  if (script === '') return;
  request.baseUrl = quotePath(script);
  request.originalUrl = origin + (sent ?? request.baseUrl + info) + search;
}

/** The whole path as it was sent, while it still denotes SCRIPT_NAME and PATH_INFO. */
function sentPath(environ: Environ): string | null {
  try {
    const { path } = splitTarget(environ.REQUEST_URI ?? '', environ.REQUEST_METHOD);
    const { SCRIPT_NAME: script, PATH_INFO: info } = environ;
    const whole = decodePath(path);
    // A router that is asked for its mount point itself makes "/" of what is left.
    return whole === script + info || (info === '/' && whole === script) ? path : null;
  } catch {
    return null;
  }
}

/** Names and values in turn: those of environ, in the order, spelling and number of the client's lines where Node has them. */
function rawHeaders(environ: Environ, body: HostedBody): string[] {
  const headers: string[] = [];
  const raw = (environ['node.request'] as IncomingMessage | undefined)?.rawHeaders;
  const placed = Array.isArray(raw) ? placeSent(raw, environ, headers) : null;
  for (const key in environ) {
    const name = headerName(key);
    if (name === '' || placed?.has(key)) continue;
    const value = environ[key];
    if (typeof value === 'string') headers.push(name, value);
  }
  if (body.hasUnknownLength) headers.push('transfer-encoding', 'chunked');
  return headers;
}

/**
 * Puts down the lines that environ still has, each with its own value. A header that a middleware has changed gets its new
 * value in the place of its first line.
 *
 * @returns by the keys that are done, whether they are as they were sent
 */
function placeSent(raw: string[], environ: Environ, headers: string[]): ReadonlyMap<string, boolean> {
  const joined = new Map<string, string>();
  for (let at = 0; at < raw.length; at += 2) {
    const key = headerKey(raw[at] as string);
    const before = joined.get(key);
    const value = raw[at + 1] as string;
    joined.set(key, before === undefined ? value : `${before}${key === 'HTTP_COOKIE' ? '; ' : ', '}${value}`);
  }
  /** By key, whether the lines are as they were sent: compared once, since there may be many of a long header. */
  const placed = new Map<string, boolean>();
  for (let at = 0; at < raw.length; at += 2) {
    const key = headerKey(raw[at] as string);
    const value = environ[key];
    if (key === '' || typeof value !== 'string') continue;
    const isSent = placed.get(key) ?? value === joined.get(key);
    if (isSent) headers.push(raw[at] as string, raw[at + 1] as string);
    else if (!placed.has(key)) headers.push(raw[at] as string, value);
    placed.set(key, isSent);
  }
  return placed;
}

/** Takes the `signal` of a request off its connection; since Node 24 there is one. */
const DETACH = /* @__PURE__ */ Object.getOwnPropertySymbols(IncomingMessage.prototype).find(
  ({ description }) => description === 'kDetachAbortSignal',
);

/** The response is over: what becomes of the connection no longer aborts the request's `signal`, as on Node's server. */
export function detachSignal(request: IncomingMessage): void {
  if (DETACH !== undefined) (request as unknown as Record<symbol, () => void>)[DETACH]?.();
}

/**
 * Ends a request whose client has gone, as Node does: `aborted`, then `error` where somebody listens, then `close`.
 */
export function abort(request: IncomingMessage): void {
  request.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
}

/**
 * Ends a request whose body the listener has not begun to read, as Node does after the response: it ends and closes. What
 * is left of the body is the gateway's to get rid of.
 */
export function dump(request: IncomingMessage): void {
  const own = request as unknown as Internals;
  if (own._consuming || request.readableFlowing === true || request.listenerCount('readable') > 0) return;
  request.complete = true;
  if (request.listenerCount('end') + request.listenerCount('close') + request.listenerCount('data') === 0) {
    // Nobody listens: code that looks later finds the state in which Node's request is by then, at no cost.
    const state = own._readableState;
    state.ended = true;
    state.endEmitted = true;
    state.destroyed = true;
    state.closed = true;
    state.closeEmitted = true;
    return;
  }
  request.push(null);
  own._dump();
}

/**
 * Ends the body of a request with an error while its connection lasts, so that the listener can still answer.
 *
 * @returns false when nobody listens for the error
 */
export function failBody(request: IncomingMessage, error: unknown): boolean {
  if (request.listenerCount('error') === 0) return false;
  request._destroy = destroyNothing;
  // Nothing more comes: who waits for the rest, as body parsers do before they answer, must not wait for ever.
  request.complete = true;
  request.destroy(error as Error);
  return true;
}

const destroyNothing: IncomingMessage['_destroy'] = (cause, destroyed) => destroyed(cause);

/** Whether a listener may still answer after this failure of the body: the client is there, but sends too much. */
export function isAnswerable(error: unknown): boolean {
  return error instanceof BodyTooLargeError;
}
