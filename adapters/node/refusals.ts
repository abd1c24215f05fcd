// The rules by which a request on Node is refused, in one list. A request that breaks one gets no environ, and is not passed
// to a hosted listener either.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BadRequestError, describe, quote, RequestError } from '../../core/errors.ts';
import { checkHost, decodePath, splitTarget } from '../../core/url.ts';
import { mountOf, type NodeTarget } from './mount.ts';
import { headerLines } from './neighbours.ts';

/** What the request line says, once it has passed. Paths are decoded. */
export interface CheckedLine {
  /** The path under which somebody mounted the listener; empty at the root. */
  mount: string;
  path: string;
  /** What follows the first `?`, as it was sent. */
  query: string;
  /** The request target as the client sent it. */
  requestUri: string;
}

/**
 * Checks a request against every rule that needs no option of the deployer.
 *
 * @param line the request line as it came, where a listener may have changed the request since
 * @returns what the request line says
 * @throws {RequestError} 400, 431, 501 or 505 for a request that cannot be served
 */
export function checkRequest(request: IncomingMessage, line: NodeTarget = request): CheckedLine {
  checkHead(request);
  return checkLine(line);
}

/**
 * The same rules, where nobody needs to know what the request line says.
 *
 * @throws {RequestError} as {@link checkRequest}
 */
export function checkSilently(request: IncomingMessage): void {
  checkHead(request);
  const { url, originalUrl, baseUrl } = request as NodeTarget & { url: string };
  // Without an escape a path of this form has nothing that could be refused; what a router has left is rare.
  const isPlain = url.charCodeAt(0) === 0x2f && url.indexOf('%') === -1;
  if (!isPlain || originalUrl !== undefined || baseUrl !== undefined) checkLine(request);
}

function checkHead(request: IncomingMessage): void {
  if (request.httpVersion !== '1.1') checkVersion(request);
  checkHeaders(request);
}

/** @throws {BadRequestError} for a request target or a path that cannot be served */
export function checkLine(line: NodeTarget): CheckedLine {
  const { prefix, url, requestUri } = mountOf(line);
  const target = splitTarget(url, line.method as string);
  const path = decodePath(target.path);
  return {
    mount: prefix === '' ? '' : decodePath(prefix),
    path,
    query: target.query,
    requestUri,
  };
}

/** Node's HTTP/1 parser also lets through what calls itself HTTP/0.9 or HTTP/2.0. (RFC 9110 §2.5, §15.6.6) */
function checkVersion(request: IncomingMessage): void {
  const { httpVersion } = request;
  // What imitates a request may have none.
  if (httpVersion === undefined || httpVersion === '1.0' || (request as { stream?: object }).stream !== undefined)
    return;
  throw new RequestError(
    505,
    `The request is HTTP/${httpVersion} by name; this connection serves HTTP/1.0 and HTTP/1.1.`,
  );
}

/** The headers on which the framing, the addressee or the meaning of a request depend. */
function checkHeaders(request: IncomingMessage): void {
  const raw = headerLines(request);
  checkCount(raw, request.socket);
  let host: string | undefined;
  let type: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string;
    // Most names differ from all of these by their length and first letter.
    const { length: size } = name;
    if (size !== 4 && size !== 12 && size !== 14 && size !== 17) continue;
    const first = name.charCodeAt(0) | 0x20;
    if (first !== 0x63 /* c */ && first !== 0x68 /* h */ && first !== 0x74 /* t */) continue;
    const value = raw[at + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'host') host = only(host, value, 'Host');
    else if (lower === 'content-type') type = only(type, value, 'Content-Type');
    else if (lower === 'content-length') length = only(length, value, 'Content-Length');
    else if (lower === 'transfer-encoding') coding = coding === undefined ? value : `${coding}, ${value}`;
  }
  if (host !== undefined) checkHost(host);
  if (length !== undefined) checkLength(length);
  if (coding !== undefined) checkCoding(coding, length, request);
}

/**
 * Node silently drops the header lines beyond its limit. Framing, a second Host or what a proxy added may be among them.
 * (RFC 6585 §5)
 */
function checkCount(raw: string[], socket: HasServer | undefined): void {
  const limit = socket?.server?.maxHeadersCount ?? DEFAULT_HEADERS;
  if (limit > 0 && raw.length >= limit * 2) {
    throw new RequestError(431, `The request has ${limit} header lines or more; Node reads no more than that.`);
  }
}

/** Node's own limit where `server.maxHeadersCount` is not set. */
const DEFAULT_HEADERS = 1000;

type HasServer = Socket & { server?: { maxHeadersCount?: number | null } };

/** @throws {BadRequestError} unless a repeated header says the same again (ENV-24) */
function only(first: string | undefined, value: string, name: string): string {
  if (first === undefined || first === value) return value;
  throw new BadRequestError(`The request has two different ${name} headers.`);
}

function checkLength(text: string): void {
  if (text !== '' && (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(Number(text)))) {
    throw new BadRequestError(`Content-Length is ${quote(text, 40)}; expected decimal digits.`);
  }
}

/** Node removes `chunked` only and hands on the bytes of any other coding: their meaning would be lost. (RFC 9112 §6.1) */
function checkCoding(coding: string, length: string | undefined, request: IncomingMessage): void {
  if (request.httpVersion === '1.0') throw new BadRequestError('An HTTP/1.0 request has a Transfer-Encoding.');
  if (coding.toLowerCase() !== 'chunked') {
    throw new RequestError(501, `The transfer coding is ${quote(coding, 40)}; only "chunked" is served.`);
  }
  // Node's parser refuses both, unless the option `insecureHTTPParser` makes it lenient. (RFC 9112 §6.3)
  if (length !== undefined) {
    throw new BadRequestError('The request has a Transfer-Encoding and a Content-Length; expected one of them.');
  }
}

/** @throws {TypeError} for what is not the response of a Node server: somebody took the listener for an application */
export function checkIsResponse(given: unknown): void {
  const { setHeader, on } = (given ?? {}) as Partial<ServerResponse>;
  if (typeof setHeader !== 'function' || typeof on !== 'function') throw notNodes('response', given);
}

/** @throws {TypeError} for what is not the request of a Node server */
export function checkIsRequest(given: unknown): void {
  if (typeof (given as Partial<IncomingMessage> | undefined)?.method !== 'string') throw notNodes('request', given);
}

/** Both a listener and an application are functions of two arguments. */
function notNodes(name: string, given: unknown): TypeError {
  return new TypeError(
    `The listener that toNode made was called with ${describe(given)} as its ${name}; expected the request and the ` +
      'response of a Node server. As an application give the one that toNode was given, or fromNode(listener).',
  );
}
