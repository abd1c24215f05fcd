// VPC Lattice, event structure version 2.
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html

import type { Emulator } from '../emulator/emulator.ts';
import { latticeArn, latticeFailure, latticeResponse, targetOf } from '../emulator/lattice.ts';
import {
  ACCOUNT_ID,
  bodyText,
  checkSize,
  EVENT_BODY_LIMIT_BYTES,
  gather,
  isTextBody,
  REGION,
  rawPairs,
  withClientAddress,
} from '../emulator/request.ts';
import { addForwardedClient, addForwardedServer, addUser } from '../event/connection.ts';
import { addBody } from '../event/environ.ts';
import { beginLattice, type LatticeResult, latticeResult } from '../event/lattice.ts';
import { SYNC_LIMIT_BYTES } from '../event/limits.ts';
import { addHeaders } from '../event/request-headers.ts';
import type { ValueMap } from '../event/target.ts';
import type { Source } from '../source.ts';

/** The members that are read. Headers and query parameters are lists as documented, strings in samples. */
interface LatticeEvent {
  path?: string;
  method?: string;
  headers?: ValueMap;
  queryStringParameters?: ValueMap;
  body?: string | null;
  isBase64Encoded?: boolean;
  requestContext: { identity?: { principal?: string | null } | null };
}

/**
 * The event source as `toLambda` serves it.
 *
 * @example export const handler = lambdaHandler(app, { sources: [lattice] });
 */
export const lattice: Source<LatticeEvent, LatticeResult> = {
  name: 'lattice',

  recognises(event) {
    const context = event.requestContext;
    if (typeof event.method !== 'string' || !context) return false;
    return typeof (context.serviceNetworkArn ?? context.serviceArn ?? context.targetGroupArn) === 'string';
  },

  methodOf: (event) => event.method,

  toEnviron(event, settings, invocation) {
    const environ = beginLattice(event.method, event.path, event.queryStringParameters, settings, invocation);
    addHeaders(environ, event.headers);
    addForwardedServer(environ, undefined);
    addForwardedClient(environ);
    addUser(environ, event.requestContext.identity?.principal);
    addBody(environ, event.body, event.isBase64Encoded, settings);
    return environ;
  },

  toResult: (_event, response, body) => latticeResult(response, body),

  limitBytes: () => SYNC_LIMIT_BYTES,
};

/**
 * The event source as `fromLambda` imitates it.
 *
 * @example const app = fromLambda(handler, { source: latticeEmulator });
 */
export const latticeEmulator: Emulator = {
  name: 'lattice',

  toEvent(request) {
    checkSize(request, EVENT_BODY_LIMIT_BYTES);
    const query = gather(rawPairs(request.query));
    const text = isTextBody(request);
    const hasBody = request.body.byteLength > 0;
    return {
      version: '2.0',
      path: targetOf(request),
      method: request.method,
      headers: gather(withClientAddress(request)),
      ...(request.query === '' ? null : { queryStringParameters: query }),
      ...(hasBody ? { body: bodyText(request, text), isBase64Encoded: !text } : null),
      requestContext: {
        serviceNetworkArn: latticeArn('servicenetwork/sn-0bf3f2882e9cc805a'),
        serviceArn: latticeArn('service/svc-0a40eebed65f8d69c'),
        targetGroupArn: latticeArn('targetgroup/tg-6d0ecf831eec9f09'),
        identity: { sourceVpcArn: `arn:aws:ec2:${REGION}:${ACCOUNT_ID}:vpc/vpc-0b8276c84697e7339` },
        region: REGION,
        timeEpoch: String(request.time * 1000),
      },
    };
  },

  toResponse: latticeResponse,

  failure: latticeFailure,
  resultLimitBytes: () => SYNC_LIMIT_BYTES,
  streams: false,
};
