// The list of front doors, and which of them an event comes from.

import { describeEvent, UnsupportedEventError } from '../errors.ts';
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
 * The front door that an event comes from, by the event alone.
 *
 * @throws {UnsupportedEventError} for anything that is no HTTP request
 */
export function sourceOf(event: unknown): Source {
  if (typeof event === 'object' && event !== null && !isOther(event as AnyEvent)) {
    for (const source of SOURCES) if (source.recognises(event as AnyEvent)) return source;
  }
  throw new UnsupportedEventError(describeEvent(event));
}

/** Events that look like requests but are none: an authorizer's question, and what happens on a WebSocket. */
function isOther(event: AnyEvent): boolean {
  if (event.type !== undefined && (event.methodArn ?? event.routeArn ?? event.authorizationToken) !== undefined) {
    return true;
  }
  return event.requestContext?.connectionId !== undefined;
}
