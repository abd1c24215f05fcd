// What an event source is to the adapter: the same members in every file of sources/, so that to know one is to know all.

import type { GatewayResponse } from '../../core/response.ts';
import type { Environ } from '../../core/types.ts';
import type { Invocation } from './invocation.ts';
import type { LambdaSettings } from './options.ts';
import type { LambdaSource } from './types.ts';

/** JSON that is known to be an object, and nothing else: what `recognises` looks at. */
export interface AnyEvent {
  readonly [member: string]: unknown;
  readonly requestContext?: { readonly [member: string]: unknown } | null;
}

/** One event source, as `toLambda` needs it. No method keeps anything, and none looks at headers to recognise an event. */
export interface Source<Event = unknown, Result = unknown> extends LambdaSource {
  /** Whether an event comes from here. No two sources recognise the same event. */
  recognises(event: AnyEvent): boolean;
  /** The request method as the event has it, also of a request from which no environ can be made. */
  methodOf(event: Event): unknown;
  /**
   * The environ of the request, complete except for the deployer's keys. `invocation` attaches its own.
   *
   * @throws {RequestError} for a request that is answered without the application
   */
  toEnviron(event: Event, settings: LambdaSettings, invocation: Invocation): Environ;
  /** The result that makes this event source send the response. `body` is all of it, empty where there is none. */
  toResult(event: Event, response: GatewayResponse, body: Uint8Array): Result;
  /** How long the result may be, in bytes of JSON. */
  limitBytes(event: Event): number;
  /** The metadata ahead of a streamed response; absent where the event source does not stream. */
  toPrelude?(response: GatewayResponse): Prelude;
}

/** What `awslambda.HttpResponseStream.from` takes: status and headers of a streamed response. */
export interface Prelude {
  statusCode: number;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  cookies?: string[];
}
