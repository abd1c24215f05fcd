// The `http.ServerResponse` that a hosted listener gets: Node's own class on a connection in memory. Its head is taken
// as values before Node makes text of it, and what is about a connection, framing above all, is left out.

import { isHopByHop } from '../../../core/check.ts';
import { memo } from '../../../core/memo.ts';
import { trimBlanks } from '../../../core/strings.ts';
import { isThenable } from '../../../core/thenable.ts';
import type { HeaderList } from '../../../core/types.ts';
import { type IncomingMessage, ServerResponse } from '../http.ts';
import { connect } from './connection.ts';
import type { Messages } from './messages.ts';
import type { HostedSocket } from './socket.ts';

/** The head of a response as its listener gave it. */
export interface Head {
  /** `200 OK`. */
  status: string;
  headers: HeaderList;
  /** The declared `Content-Length` in bytes, or -1. */
  length: number;
}

/** Sends early hints, see `waygate.early_hints`. */
export type EarlyHints = (headers: HeaderList) => void;

const HEAD: unique symbol = Symbol('waygate.head');
const HINTS: unique symbol = Symbol('waygate.hints');
const UNREAD: unique symbol = Symbol('waygate.unread');

type Close = () => void | Promise<void>;

/** A response as listeners get it. */
export interface HostedResponse extends ServerResponse {
  [HEAD]: Head | null;
  [HINTS]: EarlyHints | undefined;
  /** What is closed when nobody reads on. */
  [UNREAD]: Close[];
}

type Written = (error?: Error | null) => void;

/** What Node's class has and its types leave out. */
interface Internals {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _contentLength: number | null;
  _removedContLen: boolean;
  _closed: boolean;
  _storeHeader(this: HostedResponse, firstLine: string, headers: unknown): void;
  _send(this: HostedResponse, data: string | Uint8Array, encoding?: BufferEncoding | null, written?: Written): boolean;
  _writeRaw(this: HostedResponse, data: string, encoding?: BufferEncoding | null, written?: Written): boolean;
  _flush(): void;
  _flushOutput(): boolean;
  getRawHeaderNames(): string[];
}

const inside = (response: ServerResponse): Internals => response as unknown as Internals;
const nodes = inside(ServerResponse.prototype);

/**
 * @param hints where early hints go; undefined drops them
 * @param messages makes the responses of this listener
 */
export function hostedResponse(
  request: IncomingMessage,
  socket: HostedSocket,
  hints: EarlyHints | undefined,
  messages: Messages,
): HostedResponse {
  const response = messages.response(request) as HostedResponse;
  response[HEAD] = null;
  response[HINTS] = hints;
  response[UNREAD] = [];
  // Own methods: frameworks replace the prototypes of the responses they get.
  const own = inside(response);
  own._storeHeader = storeHeader;
  own._send = send;
  own._writeRaw = writeRaw;
  connect(response, socket, () => closeResponse(response));
  return response;
}

/** The head of a response, or null while it can still change. */
export function headOf(response: HostedResponse): Head | null {
  return response[HEAD] !== null && inside(response)._headerSent ? response[HEAD] : null;
}

/** Whether a response has content: not after HEAD, nor with a status such as 204. */
export function hasContent(response: HostedResponse): boolean {
  return inside(response)._hasBody;
}

/** Node makes the head here. Nothing of it has gone out yet, and nothing in it can change any more. */
function storeHeader(this: HostedResponse, firstLine: string, headers: unknown): void {
  this[HEAD] = makeHead(this, headers);
  nodes._storeHeader.call(this, firstLine, headers);
  this.chunkedEncoding = false;
}

/** All that goes out after the head passes here, an empty text ahead of the end too. */
function send(
  this: HostedResponse,
  data: string | Uint8Array,
  encoding?: BufferEncoding | null,
  written?: Written,
): boolean {
  const socket = this.socket;
  if (socket === null || socket.destroyed) return false;
  if (inside(this)._header !== null) inside(this)._headerSent = true;
  return socket.write(data, encoding ?? undefined, written);
}

/** Informational responses are not the response: only early hints have a way to the client. (RFC 9110 §15.2) */
function writeRaw(this: HostedResponse, data: string, _encoding?: BufferEncoding | null, written?: Written): boolean {
  if (data.startsWith('HTTP/1.1 103 ')) this[HINTS]?.(hintHeaders(data));
  if (typeof written === 'function') process.nextTick(written);
  return true;
}

/** The header list in the text that Node has made of early hints; each link by itself, as it was given. */
function hintHeaders(text: string): HeaderList {
  const headers: HeaderList = [];
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(': ');
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 2);
    const values = name === 'Link' ? value.split(/, (?=<)/) : [value];
    for (const each of values) headers.push([name, each]);
  }
  return headers;
}

/** The listener's status and headers as `startResponse` takes them, with the length that Node would add. */
function makeHead(response: HostedResponse, given: unknown): Head {
  const own = inside(response);
  const list: HeaderList = [];
  let length = -1;
  let isCoded = false;
  let named: string | null = null;
  for (const header of allHeaders(response, given)) {
    const kind = kindOf(header[0]);
    if (kind === 'plain') list.push(header);
    else if (kind === 'length') {
      length = Number(header[1]);
      list.push(header);
    } else if (kind === 'coding') isCoded = true;
    else if (kind === 'connection') named = named === null ? header[1] : `${named},${header[1]}`;
  }
  if (length < 0 && !isCoded && own._hasBody && !own._removedContLen && typeof own._contentLength === 'number') {
    length = own._contentLength;
    list.push(['Content-Length', String(length)]);
  }
  return {
    status: `${response.statusCode} ${reason(response.statusMessage)}`,
    headers: named === null ? list : withoutNamed(list, named),
    length,
  };
}

/** What a header means for the head. A gateway takes none that poses as the status, and Node gives it no meaning. (L-34) */
const kindOf: (name: string) => 'plain' | 'length' | 'coding' | 'connection' | 'dropped' = /* @__PURE__ */ memo(
  (name) => {
    const lower = name.toLowerCase();
    if (lower === 'content-length') return 'length';
    if (lower === 'transfer-encoding') return 'coding';
    if (lower === 'connection') return 'connection';
    return isHopByHop(lower) || lower === 'status' ? 'dropped' : 'plain';
  },
);

/** Node lets a reason hold a tab and border on blanks; a status line reads the same everywhere without. */
function reason(message: unknown): string {
  return trimBlanks(String(message).replaceAll('\t', ' '));
}

/** `Connection` names headers that are meant for the next server only. (RFC 9110 §7.6.1) */
function withoutNamed(list: HeaderList, connection: string): HeaderList {
  const names = new Set(connection.split(',').map((each) => each.trim().toLowerCase()));
  return list.filter(([name]) => !names.has(name.toLowerCase()));
}

/** All forms in which a listener gives headers, in order, repeats one by one. */
function allHeaders(response: HostedResponse, given: unknown): HeaderList {
  const list: HeaderList = [];
  if (isStore(response, given)) {
    for (const key in given) {
      const [name, value] = given[key] as [string, unknown];
      addHeader(list, name, value);
    }
    return list;
  }
  const names = inside(response).getRawHeaderNames();
  if (names.length > 0) {
    // Node has merged what writeHead was given into what setHeader had set.
    for (const name of names) addHeader(list, name, response.getHeader(name));
  } else if (Array.isArray(given)) {
    if (Array.isArray(given[0])) for (const [name, value] of given) addHeader(list, String(name), value);
    else for (let at = 0; at + 1 < given.length; at += 2) addHeader(list, String(given[at]), given[at + 1]);
  } else if (typeof given === 'object' && given !== null) {
    for (const [name, value] of Object.entries(given)) addHeader(list, name, value);
  }
  return list;
}

/**
 * Whether Node gives its own store, which it does once a header was set by `setHeader`. Its keys are names in lower case;
 * it has the name as it was given, and the value. It then has what `writeHead` was given as well. The store of workerd
 * is of another shape.
 */
function isStore(response: HostedResponse, given: unknown): given is Record<string, [string, unknown]> {
  if (typeof given !== 'object' || given === null || Object.getPrototypeOf(given) !== null) return false;
  const store = given as Record<string, unknown>;
  for (const key in store) {
    const entry = store[key];
    return Array.isArray(entry) && entry.length === 2 && entry[1] === response.getHeader(key);
  }
  return false;
}

function addHeader(list: HeaderList, name: string, value: unknown): void {
  if (!Array.isArray(value)) list.push([name, String(value)]);
  else if (name.toLowerCase() === 'cookie') list.push([name, value.join('; ')]);
  else for (const each of value) list.push([name, String(each)]);
}

const flushed = (): boolean => true;

/** The connection has room again: code that waits for `drain` hears it. */
export function drained(response: HostedResponse): void {
  if (response.finished) return;
  // Node emits `drain` where it has flushed what it held back; here it never holds anything back.
  inside(response)._flushOutput = flushed;
  inside(response)._flush();
}

/**
 * Has something closed as soon as nobody reads on of a response in memory: no later than its body, and a turn before `close`. On
 * a connection nothing is called.
 *
 * @param close returns a promise where closing takes time, for which the body waits
 */
export function closeUnread(response: ServerResponse, close: Close): void {
  const { [UNREAD]: closes } = response as HostedResponse;
  closes?.push(close);
}

/** Nobody reads on. */
export function unread(response: HostedResponse): void | Promise<void> {
  const closes = response[UNREAD];
  response[UNREAD] = [];
  const pending = closes.map((close) => close()).filter(isThenable);
  if (pending.length > 0) return Promise.all(pending).then(() => {});
}

/** Emits `close`, once, as the last event of a response. */
export function closeResponse(response: HostedResponse): void {
  const own = inside(response);
  if (own._closed) return;
  response.destroyed = true;
  own._closed = true;
  response.emit('close');
}
