// VPC Lattice, event structure version 2.
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html

import { base64Of, needsBase64, textOf } from '../body.ts';
import { addBody, addForwardedClient, addForwardedServer, addHeaders, addUser, type ValueMap } from '../environ.ts';
import { beginLattice, type LatticeResult, latticeHeaders } from '../lattice.ts';
import { SYNC_LIMIT_BYTES } from '../limits.ts';
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

export const lattice: Source<LatticeEvent, LatticeResult> = {
  name: 'lattice',

  recognises(event) {
    const context = event.requestContext;
    if (typeof event.method !== 'string' || !context) return false;
    return (context.serviceNetworkArn ?? context.serviceArn ?? context.targetGroupArn) !== undefined;
  },

  toEnviron(event, settings, errors) {
    const environ = beginLattice(event.method, event.path, event.queryStringParameters, settings, errors);
    addHeaders(environ, event.headers);
    addForwardedServer(environ, undefined);
    addForwardedClient(environ);
    addUser(environ, event.requestContext.identity?.principal);
    addBody(environ, event.body, event.isBase64Encoded, settings);
    return environ;
  },

  toResult(_event, response, body) {
    const isBase64Encoded = needsBase64(response, body);
    return {
      statusCode: response.statusCode,
      headers: latticeHeaders(response.headers),
      body: isBase64Encoded ? base64Of(body) : textOf(body),
      isBase64Encoded,
    };
  },

  limitBytes: () => SYNC_LIMIT_BYTES,
};
