// A `node:http` request as environ. Pure but for the connection's addresses.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  addExtra,
  addHeader,
  createEnviron,
  declaredLength,
  type GatewayFacts,
  type Settings,
} from '../../core/environ.ts';
import { BadRequestError, BodyTooLargeError, RequestError } from '../../core/errors.ts';
import { Input } from '../../core/input.ts';
import type { Environ, ErrorStream } from '../../core/types.ts';
import { decodePath, splitPrefix, splitTarget } from '../../core/url.ts';
import { nodeFileWrapper } from './file.ts';
import { NodeSource } from './source.ts';
import { addTlsKeys } from './tls.ts';

/** What of a request a listener changes as it goes: routers take their prefix off the URL, others override the method. */
export interface RequestLine {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express and connect put the prefix under which they mounted a listener here, and the whole URL; no client can. */
  readonly baseUrl?: unknown;
  readonly originalUrl?: unknown;
}

/**
 * Makes the environ of a request. Scheme, server name and addresses come from the connection, never from the client.
 *
 * @param line how the request was when it came
 * @throws {RequestError} for a request that cannot be served
 */
export function nodeEnviron(
  request: IncomingMessage,
  response: ServerResponse,
  facts: GatewayFacts,
  settings: Settings,
  errors: ErrorStream,
  line: RequestLine = request,
): Environ {
  if (request.httpVersion !== '1.1') checkVersion(request);
  const method = line.method as string;
  const url = line.url as string;
  const socket = request.socket;
  const end = connectionOf(socket);
  const mount = mountOf(line);
  const target = splitTarget(url, method);
  const { scriptName, pathInfo } = splitPrefix(decodePath(target.path), settings.basePath);
  const environ = createEnviron(
    facts,
    {
      method,
      scriptName: mount.scriptName + scriptName,
      pathInfo,
      queryString: target.query,
      requestUri: mount.requestUri ?? url,
      protocol: request.httpVersion === '1.1' ? 'HTTP/1.1' : `HTTP/${request.httpVersion}`,
      scheme: end.secure ? 'https' : 'http',
      serverName: end.serverName,
      serverPort: end.serverPort,
    },
    errors,
  );
  if (end.remoteAddress !== '') {
    environ.REMOTE_ADDR = end.remoteAddress;
    environ.REMOTE_PORT = end.remotePort;
  }
  const headers = request.rawHeaders;
  for (let at = 0; at < headers.length; at += 2) addHeader(environ, headers[at] as string, headers[at + 1] as string);
  if (request.httpVersionMajor > 1) {
    // A Host beside it has to say the same. (RFC 9113 §8.3.1)
    const authority = request.headers[':authority'];
    if (typeof authority === 'string') addHeader(environ, 'Host', authority);
  }
  if (end.secure) addTlsKeys(environ, socket);
  environ['wsgi.file_wrapper'] = nodeFileWrapper;
  environ['node.request'] = request;
  environ['node.response'] = response;
  addExtra(environ, settings.extra);
  return environ;
}

/**
 * Adds `wsgi.input` to a request's environ.
 *
 * @returns where the body comes from; null when there is none (RFC 9112 §6.3)
 * @throws {RequestError} for a body that cannot be served
 */
export function addInput(
  environ: Environ,
  request: IncomingMessage,
  response: ServerResponse,
  maxBodyBytes: number,
): NodeSource | null {
  const length = declaredLength(environ);
  const coding = environ.HTTP_TRANSFER_ENCODING;
  if (coding !== undefined) checkCoding(coding, request);
  if (length !== undefined && length > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes);
  const hasBody = length !== undefined ? length > 0 : coding !== undefined || isOpenStream(request);
  const source = hasBody ? new NodeSource(request, response, environ.HTTP_EXPECT !== undefined, length) : null;
  environ['wsgi.input'] = new Input(source, length, maxBodyBytes);
  return source;
}

/** Node's HTTP/1 parser also lets through what calls itself HTTP/0.9 or HTTP/2.0. (RFC 9110 §2.5, §15.6.6) */
function checkVersion(request: IncomingMessage): void {
  const { httpVersion } = request;
  if (httpVersion === '1.0' || (request as { stream?: object }).stream !== undefined) return;
  throw new RequestError(
    505,
    `The request is HTTP/${httpVersion} by name; this connection serves HTTP/1.0 and HTTP/1.1.`,
  );
}

/** In HTTP/2 a body needs no length: its stream tells whether anything follows the headers. (RFC 9113 §8.1) */
function isOpenStream(request: IncomingMessage): boolean {
  return (
    request.httpVersionMajor > 1 &&
    (request as { stream?: { endAfterHeaders?: boolean } }).stream?.endAfterHeaders === false
  );
}

/** Node takes `chunked` off and hands on whatever else there is; its meaning would be lost. (RFC 9112 §6.1) */
function checkCoding(coding: string, request: IncomingMessage): void {
  if (request.httpVersion === '1.0') throw new BadRequestError('An HTTP/1.0 request has a Transfer-Encoding.');
  if (coding.toLowerCase() !== 'chunked') {
    throw new RequestError(
      501,
      `The transfer coding is ${JSON.stringify(coding.slice(0, 40))}; only "chunked" is served.`,
    );
  }
}

function mountOf({ baseUrl, originalUrl }: RequestLine): { scriptName: string; requestUri: string | undefined } {
  return {
    scriptName: typeof baseUrl === 'string' && baseUrl !== '' ? decodePath(baseUrl) : '',
    requestUri: typeof originalUrl === 'string' ? originalUrl : undefined,
  };
}

/** Both ends of a connection; the same for every request on it. */
interface Connection {
  secure: boolean;
  serverName: string;
  serverPort: string;
  /** Empty where there is no address: a Unix socket, a client that is gone. */
  remoteAddress: string;
  remotePort: string;
}

const CONNECTION: unique symbol = Symbol('waygate.connection');

function connectionOf(socket: Socket & { [CONNECTION]?: Connection; encrypted?: boolean }): Connection {
  const known = socket[CONNECTION];
  if (known !== undefined) return known;
  const secure = socket.encrypted === true;
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  const connection: Connection = {
    secure,
    serverName: localAddress === undefined ? 'localhost' : serverName(plainAddress(localAddress)),
    serverPort: String(localPort ?? (secure ? 443 : 80)),
    remoteAddress: plainAddress(remoteAddress ?? ''),
    remotePort: String(remotePort ?? ''),
  };
  socket[CONNECTION] = connection;
  return connection;
}

/** An IPv4 client of a dual-stack socket shows as `::ffff:127.0.0.1`. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function serverName(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
