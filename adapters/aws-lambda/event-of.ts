// The event that an event source makes of a request, for tests of functions: the same that `fromLambda` sends.

import { asciiTarget, splitTarget } from '../../core/url.ts';
import type { EmulatorOptions } from './emulator/options.ts';
import { throughJson } from './emulator/runtime.ts';
import { emulatorOf } from './sources/emulators.ts';
import type { LambdaSource, SourceName } from './types.ts';

/** A request. Every member may be left out. */
export interface EventRequest {
  /**
   * The request method.
   *
   * @default 'GET'
   */
  method?: string;
  /**
   * Path and query as a client sends them.
   *
   * @default '/'
   */
  path?: string;
  /** Names in any case; a list repeats the header. */
  headers?: Record<string, string | string[]>;
  /** The request body; none where it is left out. */
  body?: string | Uint8Array;
  /**
   * The scheme of the URL that the client asked for.
   *
   * @default 'https'
   */
  scheme?: 'http' | 'https';
  /**
   * The address of the client.
   *
   * @default '203.0.113.10'
   */
  clientAddress?: string;
}

/** The event source: by name, or an emulator out of `waygate/aws-lambda/sources`. */
export type EventOrigin = SourceName | LambdaSource;

/** How the event source is set up; see `fromLambda`. */
export type EventOptions = EmulatorOptions;

/**
 * The event that an event source of AWS makes of a request, as JSON that a handler can be called with:
 * `await handler(lambdaEvent('http-api', { method: 'POST', path: '/notes', body: '{}' }))`.
 *
 * @param source the event source
 * @param request the request; a Host, a length and a type for a body of text are added where they are missing
 * @throws {TypeError} for an unknown source
 * @throws {RequestError} for a request that the event source answers without the function
 * @example
 * await handler(lambdaEvent('http-api', { method: 'POST', path: '/notes', body: '{}' }), context);
 */
// biome-ignore lint/suspicious/noExplicitAny: every event source has its own event.
export function lambdaEvent(source: EventOrigin, request: EventRequest = {}, options: EventOptions = {}): any {
  const { method = 'GET', path = '/', headers = {}, scheme = 'https', clientAddress = '203.0.113.10' } = request;
  const { body = '' } = request;
  const list: [string, string][] = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name.toLowerCase(), each]),
  );
  const add = (name: string, value: string): void => {
    if (!list.some(([each]) => each === name)) list.push([name, value]);
  };
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  add('host', 'api.example.com');
  if (bytes.byteLength > 0) add('content-length', String(bytes.byteLength));
  if (bytes.byteLength > 0 && typeof body === 'string') add('content-type', 'text/plain; charset=utf-8');
  const sentHost = list.find(([name]) => name === 'host')?.[1] as string;
  const sent = splitTarget(asciiTarget(path), method);
  const event = emulatorOf(source).toEvent(
    {
      method,
      path: sent.path,
      query: sent.query,
      headers: list,
      body: bytes,
      scheme,
      host: sentHost,
      port: /:([0-9]+)$/.exec(sentHost)?.[1] ?? (scheme === 'https' ? '443' : '80'),
      protocol: 'HTTP/1.1',
      clientAddress,
      time: Date.now(),
      id: crypto.randomUUID(),
    },
    options,
  );
  return throughJson(event);
}
