// VPC Lattice, event structure version 1: names in snake case, repeated headers joined.
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html

import type { Emulator } from '../emulator/emulator.ts';
import { latticeFailure, latticeResponse, targetOf } from '../emulator/lattice.ts';
import {
  bodyText,
  checkSize,
  EVENT_BODY_LIMIT_BYTES,
  gather,
  isTextBody,
  joined,
  last,
  rawPairs,
  reduce,
  withClientAddress,
} from '../emulator/request.ts';
import { addForwardedClient, addForwardedServer } from '../event/connection.ts';
import { addBody } from '../event/environ.ts';
import { beginLattice, type LatticeResult, latticeResult } from '../event/lattice.ts';
import { SYNC_LIMIT_BYTES } from '../event/limits.ts';
import { addHeaders } from '../event/request-headers.ts';
import type { ValueMap } from '../event/target.ts';
import type { Source } from '../source.ts';

/** The members that are read. */
interface LatticeV1Event {
  raw_path: string;
  method: string;
  headers?: ValueMap;
  query_string_parameters?: ValueMap;
  body?: string | null;
  is_base64_encoded?: boolean;
}

/**
 * The event source as `toLambda` serves it.
 *
 * @example export const handler = lambdaHandler(app, { sources: [latticeV1] });
 */
export const latticeV1: Source<LatticeV1Event, LatticeResult> = {
  name: 'lattice-v1',

  recognises: (event) => typeof event.raw_path === 'string' && typeof event.method === 'string',

  methodOf: (event) => event.method,

  toEnviron(event, settings, invocation) {
    const environ = beginLattice(event.method, event.raw_path, event.query_string_parameters, settings, invocation);
    addHeaders(environ, event.headers);
    addForwardedServer(environ, undefined);
    addForwardedClient(environ);
    addBody(environ, event.body, event.is_base64_encoded, settings);
    return environ;
  },

  toResult: (_event, response, body) => latticeResult(response, body),

  limitBytes: () => SYNC_LIMIT_BYTES,
};

/**
 * The event source as `fromLambda` imitates it.
 *
 * @example const app = fromLambda(handler, { source: latticeV1Emulator });
 */
export const latticeV1Emulator: Emulator = {
  name: 'lattice-v1',

  toEvent(request) {
    checkSize(request, EVENT_BODY_LIMIT_BYTES);
    const text = isTextBody(request);
    const hasBody = request.body.byteLength > 0;
    return {
      raw_path: targetOf(request),
      method: request.method,
      headers: reduce(gather(withClientAddress(request)), joined),
      // This has the last value of a repeated parameter; raw_path has them all.
      query_string_parameters: reduce(gather(rawPairs(request.query)), last),
      ...(hasBody ? { body: bodyText(request, text), is_base64_encoded: !text } : null),
    };
  },

  toResponse: latticeResponse,

  failure: latticeFailure,
  resultLimitBytes: () => SYNC_LIMIT_BYTES,
  streams: false,
};
