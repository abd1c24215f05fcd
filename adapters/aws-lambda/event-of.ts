// An event without a handler: what tests are given.

import { describe } from '../../core/errors.ts';
import { asciiTarget, splitTarget } from '../../core/url.ts';
import type { ClientRequest, Emulator, EmulatorOptions } from './emulator.ts';
import { throughJson } from './runtime.ts';
import type { SourceName } from './source.ts';
import { EMULATORS } from './sources/emulators.ts';

export type { EmulatorOptions } from './emulator.ts';

/** The parts of a request that an event is made of. */
export interface EventParts extends Pick<ClientRequest, 'method' | 'headers' | 'body' | 'scheme' | 'clientAddress'> {
  /** Path and query. */
  target: string;
}

/**
 * @throws {TypeError} for an unknown source
 * @throws {RequestError} for a request that the event source answers by itself
 */
export function eventOf(source: SourceName, parts: EventParts, options: EmulatorOptions): unknown {
  const { path, query } = splitTarget(asciiTarget(parts.target), parts.method);
  const host = parts.headers.find(([name]) => name === 'host')?.[1] ?? 'localhost';
  const request: ClientRequest = {
    ...parts,
    path,
    query,
    host,
    port: /:([0-9]+)$/.exec(host)?.[1] ?? (parts.scheme === 'https' ? '443' : '80'),
    protocol: 'HTTP/1.1',
    time: Date.now(),
    id: crypto.randomUUID(),
  };
  return throughJson(emulatorOf(source).toEvent(request, options));
}

/** @throws {TypeError} for an unknown source */
export function emulatorOf(source: SourceName): Emulator {
  const emulator = EMULATORS[source];
  if (emulator !== undefined) return emulator;
  throw new TypeError(`The source is ${describe(source)}; expected one of ${Object.keys(EMULATORS).join(', ')}.`);
}
