// A Fetch `Request` as environ. Pure: nothing is read from the body here.

import {
  addDeployerKeys,
  addHeader,
  createEnviron,
  declaredLength,
  type GatewayInfo,
  type RequestInfo,
  type Settings,
} from '../../core/environ.ts';
import { BodyTooLargeError } from '../../core/errors.ts';
import { Input } from '../../core/input.ts';
import { encodeWsgi } from '../../core/strings.ts';
import type { Environ, ErrorStream } from '../../core/types.ts';
import { checkHost, decodePath, splitPrefix, splitTarget } from '../../core/url.ts';
import type { FetchRequestCall } from './client.ts';

/** A request and what its caller knows beyond it. */
export interface FetchCall {
  readonly request: Request;
  /** The request target where it is known more exactly than `request.url` tells; else null. */
  readonly target: string | null;
  /** The body's length in bytes where the caller knows it and no header says it; else -1. */
  readonly length: number;
  /** Whether whoever called made no request of their own, as with `fetch`: nobody else then knows of `init.signal`. */
  readonly isLikeFetch?: boolean;
  /** What the platform passed after the request: Deno its connection info, Bun its server, Workers `env` and `ctx`. */
  readonly platform?: readonly unknown[];
}

/** The request line, with the host that the URL names. */
export interface FetchRequestLine extends RequestInfo {
  readonly authority: string;
}

/** Both ends of a pipe. */
export interface BodyPipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** What differs between Fetch platforms. */
export interface FetchPlatform extends GatewayInfo {
  /** `SERVER_PROTOCOL`: a `Request` does not tell it. */
  protocol(request: Request): string;
  /** A header value as this platform gives it, as native string. */
  headerValue(value: string): string;
  /** A reason or header value, as this platform takes it. Left out: native strings, as the Fetch standard has it. */
  headerText?(native: string): string;
  /**
   * A pipe that the platform reads a body from, where it treats a `ReadableStream` made of callbacks as second best: a
   * write resolves when its bytes are taken, and rejects when nobody will. Undefined where there is no such thing.
   *
   * @param length the declared length in bytes, if there is one
   */
  pipe?(length: number | undefined): BodyPipe | undefined;
  /**
   * Whether the platform drops a request whose client has left, without a word to the response body, unless
   * `waitUntil` has something to wait for.
   */
  cancelsOnDisconnect?: boolean;
  /** Whether the platform takes away a request body that nobody has begun to read when it gets the response. */
  discardsUnreadBody?: boolean;
  /** Adds the platform's own keys to an environ that is otherwise complete. */
  addKeys(environ: Environ, call: FetchCall): void;
}

/** Facts of a Fetch platform of which nothing else is known. */
export const fetchFacts: FetchPlatform = {
  gateway: 'fetch',
  multiprocess: false,
  protocol: () => 'HTTP/1.1',
  // The standard's ByteString: one code unit is one byte. Only what cannot be one went through a decoder.
  headerValue: (value) => (/[^\x00-\xff]/.test(value) ? encodeWsgi(value) : value),
  addKeys(environ, { platform }) {
    if (platform !== undefined) environ['fetch.arguments'] = platform;
  },
};

/**
 * What the URL and the method of a request say.
 *
 * @throws {RequestError} for a path that cannot be served
 */
export function requestLine(call: FetchCall, facts: FetchPlatform, settings: Settings): FetchRequestLine {
  const { request } = call;
  const { url, method } = request;
  const start = url.indexOf('://') + 3;
  const pathStart = url.indexOf('/', start);
  const authority = url.slice(start, pathStart);
  const scheme = url.startsWith('https:') ? 'https' : 'http';
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > authority.lastIndexOf(']');
  // Some platforms show a path as it was sent, with UTF-8 in it that no URL may hold.
  const requestUri = call.target ?? encodeWsgi(withoutFragment(url.slice(pathStart)));
  const target = splitTarget(requestUri, method);
  const { scriptName, pathInfo } = splitPrefix(decodePath(target.path), settings.basePath);
  return {
    method,
    scriptName,
    pathInfo,
    queryString: target.query,
    requestUri,
    protocol: facts.protocol(request),
    scheme,
    serverName: (hasPort ? authority.slice(0, colon) : authority) || 'localhost',
    serverPort: hasPort ? authority.slice(colon + 1) : scheme === 'https' ? '443' : '80',
    authority,
  };
}

/**
 * Makes the environ of a request.
 *
 * @throws {RequestError} for a request that cannot be served
 */
export function fetchEnviron(client: FetchRequestCall, line: FetchRequestLine, errors: ErrorStream): Environ {
  const { call, facts, settings, source } = client;
  const { request } = call;
  const environ = createEnviron(facts, line, errors);
  // Now, while all environs are of one shape: with their headers each is of another, and this takes longer.
  client.attachTo(environ);
  if (line.scheme === 'https') environ.HTTPS = 'on';
  request.headers.forEach((value, name) => {
    const native = facts.headerValue(value);
    if (native.indexOf(',') !== -1 && SINGLE.has(name)) addRepeats(environ, name, native);
    else addHeader(environ, name, native);
  });
  environ.HTTP_HOST ??= line.authority;
  checkHost(environ.HTTP_HOST);
  if (call.length >= 0) environ.CONTENT_LENGTH ??= String(call.length);
  let length = declaredLength(environ);
  if (source === null && length !== undefined && length > 0) {
    // A header that belongs to no body: whoever made the Request, or its client, has left the body out. (ENV-09)
    delete environ.CONTENT_LENGTH;
    length = undefined;
  }
  if (length !== undefined && length > settings.maxBodyBytes) throw new BodyTooLargeError(settings.maxBodyBytes);
  environ['wsgi.input'] = new Input(source, length, settings.maxBodyBytes);
  environ['fetch.request'] = request;
  addDeployerKeys(environ, settings.deployerKeys);
  return environ;
}

/** Headers that hold no list: with a comma in it, their value is several that `Headers` has joined. */
const SINGLE = new Set(['host', 'content-type']);

/**
 * Takes the values of a repeated header apart again, so that those which disagree are refused here as well. A comma in a
 * quoted string parts nothing; from a quote that is never closed on, every comma does. (RFC 9110 §5.6.4)
 */
function addRepeats(environ: Environ, name: string, joined: string): void {
  let start = 0;
  let takesQuotes = true;
  for (let at = 0; at < joined.length; at++) {
    const unit = joined.charCodeAt(at);
    if (unit === 0x22 /* " */ && takesQuotes) {
      const end = closingQuote(joined, at);
      takesQuotes = end !== -1;
      if (takesQuotes) at = end;
    } else if (unit === 0x2c /* , */ && joined.charCodeAt(at + 1) === 0x20) {
      addHeader(environ, name, joined.slice(start, at));
      start = at + 2;
    }
  }
  addHeader(environ, name, joined.slice(start));
}

/** Where the quoted string ends that begins at `open`; -1 where it does not. */
function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22 /* " */) return at;
    if (unit === 0x5c /* \ */) at++;
  }
  return -1;
}

function withoutFragment(target: string): string {
  const hash = target.indexOf('#');
  return hash === -1 ? target : target.slice(0, hash);
}
