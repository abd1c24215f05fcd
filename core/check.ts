// What the gateway checks of a response before anything is sent: the status, the header list, a chunk. Every build and
// every platform gives the same error. (SR-02 … SR-08, STR-02, STR-04)

import { isBytes } from './bytes.ts';
import { advice, ContractError, describe } from './errors.ts';
import { memo } from './memo.ts';
import { applicationAdvice } from './mistaken.ts';
import type { HeaderList } from './types.ts';

/**
 * @param app what was given as an application
 * @param name what to call it in the message
 * @throws {ContractError} (a `TypeError`) L-21 unless it is a function
 */
export function checkApplication(app: unknown, name = 'The application'): void {
  // A function is only called, never looked at. (CALL-01)
  if (typeof app === 'function') return;
  const isNodes = applicationAdvice(app);
  const given = isNodes === '' ? describe(app) : 'an app for Node';
  const todo = isNodes === '' ? advice(app) : isNodes;
  throw new ContractError('L-21', `${name} is ${given}; expected a function (environ, startResponse).${todo}`);
}

/**
 * @param options what was given as options
 * @throws {TypeError} unless it is an object
 */
export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`The options are ${describe(options)}; expected an object.`);
}

/** Three digits, a space and a reason without control characters; an empty reason is legal HTTP (RFC 9112 §4). */
const STATUS = /^[2-5][0-9]{2} (?:[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
/** A header name is a token. (RFC 9110 §5.6.2) */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A header value: bytes without control characters; a tab is tolerated. (SR-06, decision D4) */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const DIGITS = /^[0-9]+$/;

/** Headers about one connection, not about the response: an application never sends them. (RFC 9110 §7.6.1, SR-07) */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
]);

/** Whether this header is about the connection and belongs to the platform. The name may be in any case. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name.toLowerCase());
}

/** Whether a name is a token of RFC 9110 §5.6.2. */
export function isToken(name: string): boolean {
  return TOKEN.test(name);
}

/** Whether a text can be a header value: code units up to U+00FF without control characters other than a tab. */
export function isHeaderValue(value: string): boolean {
  return VALUE.test(value);
}

/** A status and its two parts. */
export interface StatusLine {
  /** `200 OK`. */
  readonly status: string;
  /** 200. */
  readonly statusCode: number;
  /** `OK`; may be empty. */
  readonly reason: string;
}

/**
 * The parts of what the application gave as status. Applications give the same few again and again.
 *
 * @throws {ContractError} SR-02 unless it is `"200 OK"`-like with a code from 200 to 599
 */
export const checkStatus: (status: unknown) => StatusLine = /* @__PURE__ */ memo((status: unknown) => {
  if (typeof status !== 'string' || !STATUS.test(status)) {
    throw new ContractError(
      'SR-02',
      `The status is ${describe(status)}; expected a string of a code from 200 to 599, one space and a reason, such as "200 OK".`,
    );
  }
  return { status, statusCode: Number(status.slice(0, 3)), reason: status.slice(4) };
}) as (status: unknown) => StatusLine;

/** The gateway's own copy of a header list, and the length it declares. */
export interface CheckedHeaders {
  headers: HeaderList;
  /** The declared `Content-Length` in bytes, or -1. */
  length: number;
}

/**
 * Copies a header list deeply, so that later changes by the application have no effect, and checks the copy.
 *
 * @throws {ContractError} SR-03 (no list of pairs of strings), SR-05 (name), SR-06 and STR-02 (value), SR-07 (hop-by-hop),
 *   L-34 (`Status`), L-48 (`Content-Length` malformed or contradicting another)
 */
export function checkHeaders(list: unknown): CheckedHeaders {
  if (!Array.isArray(list)) {
    throw new ContractError('SR-03', `The headers are ${describe(list)}; expected an array of [name, value] pairs.`);
  }
  const headers: HeaderList = [];
  let length = -1;
  for (let index = 0; index < list.length; index++) {
    const pair: unknown = list[index];
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new ContractError('SR-03', `Header ${index} is ${describe(pair)}; expected a [name, value] pair.`);
    }
    const name: string = pair[0];
    const value: string = pair[1];
    const declared = checkHeader(name, value);
    if (declared >= 0) {
      if (length === declared) continue;
      if (length !== -1) {
        throw new ContractError('L-48', `Content-Length is given twice, as ${length} and as ${declared}; send one.`);
      }
      length = declared;
    }
    headers.push([name, value]);
  }
  return { headers, length };
}

/**
 * The same checks of a list that is nobody else's and has each name once, but cookies: it needs no copy.
 *
 * @returns the length that it declares in bytes, or -1
 */
export function checkOwnHeaders(headers: HeaderList): number {
  let length = -1;
  for (const [name, value] of headers) length = Math.max(length, checkHeader(name, value));
  return length;
}

/** @returns the length that the header declares in bytes, or -1 for any other header */
function checkHeader(name: string, value: unknown): number {
  const kind = kindOf(name);
  checkValue(name, value);
  return kind === 'length' ? contentLength(value) : -1;
}

/** What kind of header a name stands for: checking a name that was seen before costs one look-up. */
const kindOf: (name: string) => 'length' | 'plain' = /* @__PURE__ */ memo((name: unknown) => {
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw new ContractError(
      'SR-05',
      `A header name is ${describe(name)}; expected a token of letters, digits and !#$%&'*+-.^_\`|~.`,
    );
  }
  const lower = name.toLowerCase();
  if (HOP_BY_HOP.has(lower)) {
    throw new ContractError(
      'SR-07',
      `The header "${name}" is about the connection, which belongs to the platform; leave it out.`,
    );
  }
  if (lower === 'status') {
    throw new ContractError(
      'L-34',
      'A header named "Status" would pose as the status; give it as the first argument instead.',
    );
  }
  return lower === 'content-length' ? 'length' : 'plain';
});

function checkValue(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') {
    throw new ContractError('SR-03', `The value of header "${name}" is ${describe(value)}; expected a string.`);
  }
  if (!VALUE.test(value)) {
    throw new ContractError(
      'SR-06',
      `The value of header "${name}" is ${describe(value)}; expected no control characters (CR and LF among them) and no ` +
        'code unit above U+00FF. Text beyond Latin-1 goes through encodeWsgi().',
    );
  }
}

function contentLength(value: string): number {
  const declared = Number(value);
  if (!DIGITS.test(value) || !Number.isSafeInteger(declared)) {
    throw new ContractError('L-48', `Content-Length is ${describe(value)}; expected decimal digits.`);
  }
  return declared;
}

/**
 * @param chunk what the body yielded or `write` was given
 * @param where who gave it, for the message
 * @throws {ContractError} (a `TypeError`) STR-04 unless it is a `Uint8Array`
 */
export function checkChunk(chunk: unknown, where: string): asserts chunk is Uint8Array {
  if (isBytes(chunk)) return;
  throw new ContractError('STR-04', `${where} is ${describe(chunk)}; expected a Uint8Array.${advice(chunk)}`);
}
