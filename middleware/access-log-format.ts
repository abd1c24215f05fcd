// The lines of the access log. Whatever a client chose is escaped in each of them.

import { describe, printable } from '../core/errors.ts';
import { decodeWsgi } from '../core/strings.ts';

/** One request that is over. The texts are native strings, as environ has them. */
export interface AccessLogEntry {
  /** When the request came. */
  time: Date;
  /** From the call of the application to the end of the response, in milliseconds. */
  durationMs: number;
  /** The method as it was sent. */
  method: string;
  /** The request target as it was received, with the query. */
  uri: string;
  /** `HTTP/1.1` and the like. */
  protocol: string;
  /** The status that went out; 499 where the client left before there was any. */
  status: number;
  /** The bytes of the body that the gateway took. A page of the gateway's own is not counted. */
  bytes: number;
  /** `REMOTE_ADDR`. */
  remoteAddr: string | undefined;
  /** `REMOTE_USER`, as it is when the response is over. */
  remoteUser: string | undefined;
  /** The header `Referer`. */
  referer: string | undefined;
  /** The header `User-Agent`. */
  userAgent: string | undefined;
  /** The header `Host`. */
  host: string | undefined;
  /** What `requestId` found or made. */
  requestId: string | undefined;
  /** Whether the client left before it had all. */
  clientLeft: boolean;
  /** Whether the application or its body failed. */
  failed: boolean;
}

/** The formats that are known by name. */
export type AccessLogFormat = 'common' | 'combined' | 'json';

/**
 * @param format a name, or a function that makes the line itself
 * @throws {TypeError} for anything else
 */
export function formatter(format: unknown): (entry: AccessLogEntry) => string | null {
  if (format === 'common') return (entry) => common(entry) + rest(entry);
  if (format === 'combined')
    return (entry) => `${common(entry)} "${quoteSafe(entry.referer)}" "${quoteSafe(entry.userAgent)}"${rest(entry)}`;
  if (format === 'json') return json;
  if (typeof format === 'function') return format as (entry: AccessLogEntry) => string | null;
  throw new TypeError(
    `The option "format" of accessLog is ${describe(format)}; expected "common", "combined", "json" or a function.`,
  );
}

/** The Common Log Format of Apache: `%h %l %u %t "%r" %>s %b`. */
function common(entry: AccessLogEntry): string {
  const line = `${quoteSafe(entry.method)} ${quoteSafe(entry.uri)} ${quoteSafe(entry.protocol)}`;
  const bytes = entry.bytes === 0 ? '-' : String(entry.bytes);
  return `${field(entry.remoteAddr)} - ${field(entry.remoteUser)} [${clock(entry.time)}] "${line}" ${entry.status} ${bytes}`;
}

/** What the formats of Apache lack, behind all that they have. */
function rest({ durationMs, clientLeft, failed, requestId }: AccessLogEntry): string {
  const marks = `${clientLeft ? ' client-left' : ''}${failed ? ' failed' : ''}`;
  return ` ${durationMs.toFixed(1)}ms${marks}${requestId === undefined ? '' : ` ${field(requestId)}`}`;
}

function json(entry: AccessLogEntry): string {
  const text = (native: string | undefined) => (native === undefined ? undefined : decodeWsgi(native));
  const line = JSON.stringify({
    time: entry.time.toISOString(),
    remoteAddr: text(entry.remoteAddr),
    remoteUser: text(entry.remoteUser),
    method: text(entry.method),
    uri: text(entry.uri),
    protocol: text(entry.protocol),
    host: text(entry.host),
    status: entry.status,
    bytes: entry.bytes,
    durationMs: Math.round(entry.durationMs * 10) / 10,
    referer: text(entry.referer),
    userAgent: text(entry.userAgent),
    requestId: entry.requestId,
    clientLeft: entry.clientLeft,
    failed: entry.failed,
  });
  // These escapes are JSON's own.
  return printable(line);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `10/Oct/2000:13:55:36 +0000`. */
function clock(time: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
  return `${day}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;
}

/** A text between quotes, or `-`, as Apache escapes it: `\"`, `\\`, and `\xhh` for all that is not printable ASCII. */
function quoteSafe(native: string | undefined): string {
  if (native === undefined || native === '') return '-';
  return native.replace(/["\\]|[^\x20-\x7e]/g, (unit) =>
    unit === '"' || unit === '\\' ? `\\${unit}` : `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** A text outside quotes: a blank would end it. */
function field(native: string | undefined): string {
  return quoteSafe(native).replaceAll(' ', '\\x20');
}
