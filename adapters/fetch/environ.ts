// A Fetch `Request` as environ. Pure: nothing is read from the body here.

import { addHeader, createEnviron, declaredLength } from '../../core/environ.ts';
import { BodyTooLargeError } from '../../core/errors.ts';
import { Input } from '../../core/input.ts';
import type { StreamSource } from '../../core/stream-source.ts';
import { encodeWsgi } from '../../core/strings.ts';
import type { Environ, ErrorStream } from '../../core/types.ts';
import { checkHost, decodePath, splitPrefix, splitTarget } from '../../core/url.ts';
import type { FetchPlatform, FetchRequest, FetchRequestLine, RequestRecord } from './platform.ts';

/** A Fetch platform about which nothing else is known. */
export const fetchPlatform: FetchPlatform = {
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
 * What the URL and the method of a request say. What the environ adds to the record is still to come.
 *
 * @throws {RequestError} for a path that cannot be served
 */
export function requestLine(sent: FetchRequest, platform: FetchPlatform, basePath: string): RequestRecord {
  const { request } = sent;
  const { url, method } = request;
  const start = url.indexOf('://') + 3;
  const pathStart = url.indexOf('/', start);
  const authority = url.slice(start, pathStart);
  const scheme = url.startsWith('https:') ? 'https' : 'http';
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > authority.lastIndexOf(']');
  // Some platforms show a path as it was sent, with UTF-8 in it that no URL may hold.
  const requestUri = sent.target ?? encodeWsgi(withoutFragment(url.slice(pathStart)));
  const target = splitTarget(requestUri, method);
  const { scriptName, pathInfo } = splitPrefix(decodePath(target.path), basePath);
  return {
    method,
    scriptName,
    pathInfo,
    queryString: target.query,
    requestUri,
    protocol: platform.protocol(request),
    scheme,
    serverName: (hasPort ? authority.slice(0, colon) : authority) || 'localhost',
    serverPort: hasPort ? authority.slice(colon + 1) : scheme === 'https' ? '443' : '80',
    authority,
    input: null,
    waitUntil: null,
  };
}

/** What an environ needs of the call that it is made for. */
export interface EnvironState {
  /** Where the request body comes from; null for none. */
  readonly source: StreamSource | null;
  /** The largest body that is taken, in bytes. */
  readonly maxBodyBytes: number;
  /** Adds the keys that last as long as the request. */
  attachTo(environ: Environ): void;
}

/**
 * Makes the environ of a request. What a platform and a deployer add is still to come.
 *
 * @throws {RequestError} for a request that cannot be served
 */
export function fetchEnviron(
  { request, length: sent }: FetchRequest,
  line: FetchRequestLine,
  platform: FetchPlatform,
  errors: ErrorStream,
  call: EnvironState,
): Environ {
  const { source, maxBodyBytes } = call;
  const environ = createEnviron(platform, line, errors);
  // Now, while all environs are of one shape: with their headers each is of another, and this takes longer.
  call.attachTo(environ);
  if (line.scheme === 'https') environ.HTTPS = 'on';
  request.headers.forEach((value, name) => {
    const native = platform.headerValue(value);
    if (native.indexOf(',') !== -1 && SINGLE.has(name)) addRepeats(environ, name, native);
    else addHeader(environ, name, native);
  });
  environ.HTTP_HOST ??= line.authority;
  checkHost(environ.HTTP_HOST);
  if (sent >= 0) environ.CONTENT_LENGTH ??= String(sent);
  let length = declaredLength(environ);
  if (source === null && length !== undefined && length > 0) {
    // A header that belongs to no body: the code that made the Request, or the client, has left the body out. (ENV-09)
    delete environ.CONTENT_LENGTH;
    length = undefined;
  }
  if (length !== undefined && length > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes);
  environ['wsgi.input'] = new Input(source, length, maxBodyBytes);
  environ['fetch.request'] = request;
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
