// What event sources make of a function's result.

import { isHeaderValue, isHopByHop, isToken } from '../../../core/check.ts';
import { describe } from '../../../core/errors.ts';
import { encode, encodeWsgi, trimBlanks } from '../../../core/strings.ts';
import type { HeaderList } from '../../../core/types.ts';
import { MalformedResultError } from './emulator.ts';

/** A JSON object. */
export interface JsonObject {
  [member: string]: unknown;
}

/** @throws {MalformedResultError} unless the result is an object */
export function objectOf(result: unknown): JsonObject {
  if (typeof result === 'object' && result !== null && !Array.isArray(result)) return result as JsonObject;
  throw new MalformedResultError(`The function returned ${describe(result)}; expected an object with a statusCode.`);
}

/** @throws {MalformedResultError} unless the status is one from 200 to 599, as number or as digits */
export function statusOf(value: unknown, member = 'statusCode'): number {
  const status = typeof value === 'string' && /^[0-9]{3}$/.test(value) ? Number(value) : value;
  if (typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599) return status;
  throw new MalformedResultError(`The result's ${member} is ${describe(value)}; expected a status from 200 to 599.`);
}

/**
 * The reason phrase as a member of its own, or nothing where the function says none.
 *
 * @throws {MalformedResultError} for a text that no status line can hold
 */
export function reasonOf(text: unknown): { reason: string } | null {
  if (typeof text !== 'string') return null;
  const reason = trimBlanks(encodeWsgi(text));
  if (isHeaderValue(reason) && !reason.includes('\t')) return { reason };
  throw new MalformedResultError(
    `The result's statusDescription is ${JSON.stringify(text)}, which is not a reason phrase.`,
  );
}

/**
 * The bytes of a body.
 *
 * @param status that of the error page for a body that is not base64, where it is not that of all failures
 * @throws {MalformedResultError} unless it is missing or a string, and base64 where the result says so. Node would take
 *   another alphabet, white space or a missing end; this does not
 */
export function bytesOf(body: unknown, base64: boolean, status?: number): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array(0);
  if (typeof body === 'string') {
    if (!base64) return encode(body);
    if (body.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(body)) return Buffer.from(body, 'base64');
    const shown = JSON.stringify(body.length > 60 ? `${body.slice(0, 60)}\u2026` : body);
    throw new MalformedResultError(`The result says that its body is base64, but it is ${shown}.`, status);
  }
  throw new MalformedResultError(`The result's body is ${describe(body)}; expected a string.`);
}

/** How an event source reads the values of a header map. */
export interface HeaderRules {
  /** Whether numbers and booleans pass as text. */
  scalars: boolean;
  /** Whether a value may be a list, or has to be one. */
  lists: boolean | 'only';
  /**
   * Whether what API Gateway and function URLs set themselves goes out as `x-amzn-Remapped-…`, and `WWW-Authenticate` with
   * it. AWS documents it for REST APIs; of function URLs and HTTP APIs it is known from what they answer.
   * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
   */
  remaps?: boolean;
}

/**
 * Adds the headers of a map, less those about the connection and the length, which are the event source's to set.
 *
 * @param keepLength whether the length stays: in a response to HEAD, and where the body is not known yet
 * @throws {MalformedResultError} for a name or value that is none
 */
export function addMap(
  headers: HeaderList,
  map: unknown,
  member: string,
  rules: HeaderRules,
  keepLength: boolean,
): void {
  if (map === undefined || map === null) return;
  for (const [name, value] of Object.entries(objectOf(map))) {
    if (rules.lists === 'only' && !Array.isArray(value)) {
      throw new MalformedResultError(
        `The result's ${member}["${name}"] is ${describe(value)}; expected a list of strings.`,
      );
    }
    const values = rules.lists && Array.isArray(value) ? value : [value];
    const sent = rules.remaps && isOwn(name, keepLength) ? `x-amzn-Remapped-${name}` : name;
    for (const each of values) addHeader(headers, sent, headerValue(each, name, member, rules), keepLength);
  }
}

/** Whether a header is the event source's to set. */
function isOwn(name: string, keepLength: boolean): boolean {
  return /^(?:www-authenticate|server|date|connection)$/i.test(name) || (!keepLength && /^content-length$/i.test(name));
}

function headerValue(value: unknown, name: string, member: string, rules: HeaderRules): string {
  if (typeof value === 'string') return value;
  if (rules.scalars && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
  throw new MalformedResultError(`The result's ${member}["${name}"] is ${describe(value)}; expected a string.`);
}

/** Adds one header; see {@link addMap}. */
export function addHeader(headers: HeaderList, name: string, text: string, keepLength: boolean): void {
  const value = encodeWsgi(text);
  if (!isToken(name) || !isHeaderValue(value)) {
    throw new MalformedResultError(`The result has the header ${JSON.stringify([name, text])}, which is none.`);
  }
  if (isHopByHop(name) || name.toLowerCase() === 'status') return;
  if (!keepLength && name.toLowerCase() === 'content-length') return;
  headers.push([name, value]);
}

/**
 * Adds the cookies of a result.
 *
 * @throws {MalformedResultError} unless they are a list or missing
 */
export function addCookies(headers: HeaderList, cookies: unknown): void {
  if (cookies === undefined || cookies === null) return;
  if (!Array.isArray(cookies)) {
    throw new MalformedResultError(`The result's cookies are ${describe(cookies)}; expected a list of strings.`);
  }
  for (const cookie of cookies) {
    if (typeof cookie !== 'string') {
      throw new MalformedResultError(`The result's cookies hold ${describe(cookie)}; expected a list of strings.`);
    }
    addHeader(headers, 'set-cookie', cookie, false);
  }
}

/** What an event source says of the type of a response where the function says nothing. */
export function addDefaultType(headers: HeaderList, type = 'application/json'): void {
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) headers.push(['content-type', type]);
}
