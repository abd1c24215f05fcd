// What the events of several event sources are made of.

import { isUtf8 } from 'node:buffer';
import { RequestError } from '../../../core/errors.ts';
import { getOwn, setOwn } from '../event/result-headers.ts';
import type { ClientRequest } from './emulator.ts';

/** Names, values and numbers in events that stand for AWS's own. */
export const ACCOUNT_ID = '123456789012';
export const API_ID = 'a1b2c3d4e5';
export const REGION = 'us-east-1';

/** Pairs gathered by name, the values of each in order. */
export function gather(pairs: Iterable<[string, string]>): Record<string, string[]> {
  const map: Record<string, string[]> = {};
  for (const [name, value] of pairs) {
    const list = getOwn(map, name);
    if (list === undefined) setOwn(map, name, [value]);
    else list.push(value);
  }
  return map;
}

/** One value for each name of a gathered map. */
export function reduce(map: Record<string, string[]>, one: (values: string[]) => string): Record<string, string> {
  const single: Record<string, string> = {};
  for (const [name, values] of Object.entries(map)) setOwn(single, name, one(values));
  return single;
}

export const last = (values: string[]): string => values[values.length - 1] as string;
export const joined = (values: string[]): string => values.join(',');

/** The map, or null when it is empty: as API Gateway writes it. */
export function orNull<Map extends object>(map: Map): Map | null {
  return Object.keys(map).length === 0 ? null : map;
}

/** The pairs of a query as sent; what has no `=` has an empty value. */
export function rawPairs(query: string): [string, string][] {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    });
}

/** The pairs of a query decoded: `+` is a space, bytes that are not UTF-8 become U+FFFD. */
export function decodedPairs(query: string): [string, string][] {
  return rawPairs(query).map(([key, value]) => [decodeText(key, true), decodeText(value, true)]);
}

/** Percent-decodes once into text; malformed escapes stay. */
export function decodeText(encoded: string, form = false): string {
  const text = form ? encoded.replaceAll('+', ' ') : encoded;
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}

/**
 * The headers of a request with those that AWS adds: the trace id, the scheme and port, and the client's address.
 *
 * @param without names that this event source does not pass on
 */
export function forwardedHeaders(request: ClientRequest, without: readonly string[] = []): [string, string][] {
  const set = ['x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id', ...without];
  const id = request.id.replaceAll('-', '');
  const trace = valuesOf(request, 'x-amzn-trace-id')[0] ?? `Root=1-${id.slice(0, 8)}-${id.slice(8)}`;
  return [
    ...withClientAddress(request).filter(([name]) => !set.includes(name)),
    ['x-amzn-trace-id', trace],
    ['x-forwarded-port', request.port],
    ['x-forwarded-proto', request.scheme],
  ];
}

/** The headers of a request with the client's address after what it claims itself. */
export function withClientAddress(request: ClientRequest): [string, string][] {
  const claimed = valuesOf(request, 'x-forwarded-for');
  const headers = request.headers.filter(([name]) => name !== 'x-forwarded-for');
  return [...headers, ['x-forwarded-for', [...claimed, request.clientAddress].join(', ')]];
}

export function valuesOf(request: ClientRequest, name: string): string[] {
  return request.headers.filter(([each]) => each === name).map(([, value]) => value);
}

/** `User-Agent` for `user-agent`: as clients of HTTP/1.1 write it, and REST APIs pass it on. */
export function titleCase(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/**
 * Whether a body goes into an event as text. It has a type that HTTP APIs, function URLs and load balancers take for text,
 * and its bytes are UTF-8. A form post is none, nor is a body without a type.
 */
export function isTextBody(request: ClientRequest): boolean {
  const type = (valuesOf(request, 'content-type')[0] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const listed = type.startsWith('text/') || /^application\/(?:json|javascript|xml)$/.test(type);
  return listed && isUtf8(request.body) && valuesOf(request, 'content-encoding').length === 0;
}

/** The body of an event. */
export function bodyText(request: ClientRequest, asText: boolean): string {
  const { buffer, byteOffset, byteLength } = request.body;
  return Buffer.from(buffer, byteOffset, byteLength).toString(asText ? 'utf8' : 'base64');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000` */
export function logTime(time: number): string {
  const iso = new Date(time).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** The name under which API Gateway knows the API: its own where a stage is in the URL, else a domain of the API's. */
export function apiDomain(request: ClientRequest, stage: string | undefined): string {
  return stage === undefined ? request.host.replace(/:\d*$/, '') : `${API_ID}.execute-api.${REGION}.amazonaws.com`;
}

/** @throws {RequestError} 413 for a body that is larger than the event source takes */
export function checkSize(request: ClientRequest, limitBytes: number): void {
  if (request.body.byteLength > limitBytes) {
    throw new RequestError(413, `The request body has more than the ${limitBytes} bytes that go into an event.`);
  }
}

/** A function takes no event of more than 6 MB. */
export const EVENT_BODY_LIMIT_BYTES: number = 6 * 1024 * 1024;
