// A `node:http` request as environ. It reads the request and its connection, and changes neither.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  addDeployerKeys,
  addHeader,
  createEnviron,
  declaredLength,
  type GatewayInfo,
  type Settings,
} from '../../core/environ.ts';
import { BodyTooLargeError } from '../../core/errors.ts';
import { addHeaderLines } from '../../core/header-plans.ts';
import { Input } from '../../core/input.ts';
import type { Environ, ErrorStream } from '../../core/types.ts';
import { checkHost, splitPrefix } from '../../core/url.ts';
import { nodeFileWrapper } from './file.ts';
import type { NodeTarget } from './mount.ts';
import { headerLines, isUnframed } from './neighbours.ts';
import { checkRequest } from './refusals.ts';
import { NodeSource } from './source.ts';
import { tlsKeys } from './tls.ts';

/** Adds the keys of an environ that are made from more than the request: `waygate.signal` and the like. */
export interface EnvironState {
  attachTo(environ: Environ): void;
}

/**
 * Makes the environ of a request. Scheme, server name and addresses come from the connection, never from the client.
 *
 * @param info what stays the same from request to request
 * @param line how the request was when it came
 * @throws {RequestError} for a request that cannot be served
 */
export function nodeEnviron(
  request: IncomingMessage,
  response: ServerResponse,
  info: GatewayInfo,
  settings: Settings,
  errors: ErrorStream,
  line: NodeTarget,
  state: EnvironState,
): Environ {
  const checked = checkRequest(request, line);
  const socket = socketOf(request);
  const end = connectionOf(socket);
  const { scriptName, pathInfo } = splitPrefix(checked.path, settings.basePath);
  const environ = createEnviron(
    info,
    {
      method: line.method as string,
      scriptName: checked.mount + scriptName,
      pathInfo,
      queryString: checked.query,
      requestUri: checked.requestUri,
      protocol: protocolOf(request),
      scheme: end.secure ? 'https' : 'http',
      serverName: end.serverName,
      serverPort: end.serverPort,
    },
    errors,
  );
  // Before the headers: up to here all environs have one shape, in which adding keys is fast.
  state.attachTo(environ);
  environ['wsgi.file_wrapper'] = nodeFileWrapper;
  environ['node.request'] = request;
  environ['node.response'] = response;
  if (end.remoteAddress !== '') {
    environ.REMOTE_ADDR = end.remoteAddress;
    environ.REMOTE_PORT = end.remotePort;
  }
  addHeaderLines(environ, headerLines(request));
  if (request.httpVersionMajor > 1) {
    // A Host beside it has to say the same. (RFC 9113 §8.3.1)
    const authority = request.headers[':authority'];
    if (typeof authority === 'string') {
      checkHost(authority);
      addHeader(environ, 'Host', authority);
    }
  }
  if (end.secure) Object.assign(environ, tlsKeys(socket));
  addDeployerKeys(environ, settings.deployerKeys);
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
  if (length !== undefined && length > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes);
  const hasBody =
    length !== undefined ? length > 0 : coding !== undefined || isOpenStream(request) || isUnframed(request);
  const source = hasBody ? new NodeSource(request, response, environ.HTTP_EXPECT !== undefined, length) : null;
  environ['wsgi.input'] = new Input(source, length, maxBodyBytes);
  return source;
}

/** In HTTP/2 a body needs no length: its stream knows whether anything follows the headers. (RFC 9113 §8.1) */
function isOpenStream(request: IncomingMessage): boolean {
  return (
    request.httpVersionMajor > 1 &&
    (request as { stream?: { endAfterHeaders?: boolean } }).stream?.endAfterHeaders === false
  );
}

/** `SERVER_PROTOCOL`. */
export function protocolOf({ httpVersion }: IncomingMessage): string {
  return httpVersion === '1.1' ? 'HTTP/1.1' : `HTTP/${httpVersion ?? '1.1'}`;
}

/** The connection of a request; an empty object where what imitates a request has none. */
export function socketOf(request: IncomingMessage): Socket {
  return request.socket ?? ({} as Socket);
}

/** Both ends of a connection; the same for every request on it. */
export interface Connection {
  secure: boolean;
  serverName: string;
  serverPort: string;
  /** Empty where there is no address: a Unix socket, a client that is gone. */
  remoteAddress: string;
  remotePort: string;
}

const CONNECTION: unique symbol = Symbol('waygate.connection');

/** Both ends of a connection, read once. */
export function connectionOf(socket: Socket & { [CONNECTION]?: Connection; encrypted?: boolean }): Connection {
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
