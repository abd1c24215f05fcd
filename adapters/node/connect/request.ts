// What a middleware has changed of environ, put back on the framework's request for the handlers behind it.

import type { IncomingMessage } from 'node:http';
import { headerName } from '../../../core/environ.ts';
import type { Environ } from '../../../core/types.ts';
import type { NodeCall } from '../call.ts';
import { BodyTap } from './body-tap.ts';

/** What of an environ shows on a request, as it was ahead of the middleware. */
export type SentRequest = ReadonlyMap<string, unknown>;

const LINE = ['REQUEST_METHOD', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING'];
const isHeader = (key: string): boolean =>
  key.startsWith('HTTP_') || key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH';

/** Remembers what a middleware may change. */
export function sent(environ: Environ): SentRequest {
  const keys = Object.keys(environ).filter(isHeader);
  return new Map([...LINE, ...keys].map((key) => [key, environ[key]]));
}

/**
 * Brings a request up to date with its environ.
 *
 * @param before the environ as it was
 * @param request the framework's request
 * @param made one that was made of the environ
 */
export function putBack(
  environ: Environ,
  before: SentRequest,
  request: IncomingMessage,
  made: IncomingMessage,
  call: NodeCall,
): void {
  const isChanged = (key: string): boolean => environ[key] !== before.get(key);
  if (isChanged('REQUEST_METHOD')) request.method = environ.REQUEST_METHOD;
  if (isChanged('SCRIPT_NAME') || isChanged('PATH_INFO') || isChanged('QUERY_STRING')) request.url = made.url;
  for (const key of new Set([...before.keys(), ...Object.keys(environ).filter(isHeader)])) {
    if (!isHeader(key) || !isChanged(key)) continue;
    const name = headerName(key);
    const value = environ[key];
    if (typeof value === 'string') request.headers[name] = value;
    else delete request.headers[name];
  }
  if (call.isBodyTaken(environ)) readFrom(request, made);
}

const METHODS = [
  'on',
  'once',
  'addListener',
  'prependListener',
  'off',
  'removeListener',
  'listeners',
  'listenerCount',
  'pipe',
  'unpipe',
  'read',
  'resume',
  'pause',
  'isPaused',
  'setEncoding',
  'unshift',
  Symbol.asyncIterator,
] as const;

const MEMBERS = ['readable', 'readableEnded', 'readableDidRead', 'readableLength', 'readableEncoding'] as const;

/** The body of a request is that of another one from now on: the middleware has read it, or has put another in its place. */
function readFrom(request: IncomingMessage, made: IncomingMessage): void {
  const from = made as unknown as Record<string | symbol, unknown>;
  for (const name of METHODS) {
    const value = (...args: unknown[]): unknown => {
      const result = (from[name] as (...args: unknown[]) => unknown).apply(made, args);
      return result === made ? request : result;
    };
    Object.defineProperty(request, name, { value, writable: true, configurable: true });
  }
  for (const name of MEMBERS) {
    Object.defineProperty(request, name, { get: () => from[name], set: () => {}, configurable: true });
  }
}

/**
 * The same request, for `wsgi.input` to read its body from. Its methods stay what they are when those of the request itself
 * come to mean another body.
 */
export function withOwnBody(request: IncomingMessage): IncomingMessage {
  if (!BodyTap.isFor(request)) return request;
  const same = Object.create(request) as IncomingMessage;
  const methods = request as unknown as Record<string | symbol, unknown>;
  for (const name of METHODS) Object.defineProperty(same, name, { value: methods[name], writable: true });
  // What is set on it is not set on the request: the short ways past the stream are closed to who has such a method.
  const emit = (...event: [string, ...unknown[]]): boolean => request.emit(...event);
  same.emit = emit as typeof request.emit;
  return same;
}
