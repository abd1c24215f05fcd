// The list of event sources, and which of them an event comes from.

import { nonHttpEventName } from '../event/errors.ts';
import type { AnyEvent, Source } from '../source.ts';
import { alb } from './alb.ts';
import { edge } from './edge.ts';
import { functionUrl } from './function-url.ts';
import { httpApi } from './http-api.ts';
import { lattice } from './lattice.ts';
import { latticeV1 } from './lattice-v1.ts';
import { restApi } from './rest-api.ts';

const SOURCES: readonly Source[] = [httpApi, functionUrl, restApi, alb, lattice, latticeV1, edge];

/**
 * The event source that an event comes from, by the event alone.
 *
 * @returns null for anything that is no HTTP request
 */
export function findSource(event: unknown): Source | null {
  if (typeof event === 'object' && event !== null && nonHttpEventName(event as AnyEvent) === null) {
    for (const source of SOURCES) if (source.recognises(event as AnyEvent)) return source;
  }
  return null;
}
