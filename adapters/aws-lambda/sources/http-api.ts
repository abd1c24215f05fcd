// API Gateway HTTP API with payload format 2.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

import { SYNC_LIMIT_BYTES } from '../limits.ts';
import { isPayload2, type Payload2Event, type Payload2Result, payload2Environ, payload2Result } from '../payload-2.ts';
import type { Source } from '../source.ts';
import { decodedPath } from '../stage.ts';

export const httpApi: Source<Payload2Event, Payload2Result> = {
  name: 'http-api',

  recognises: (event) => isPayload2(event, false),

  toEnviron(event, settings, errors) {
    const { domainName, stage } = event.requestContext;
    return payload2Environ(event, decodedPath(event.rawPath, stage, domainName, event.headers), settings, errors);
  },

  toResult: (_event, response, body) => payload2Result(response, body),

  limitBytes: () => SYNC_LIMIT_BYTES,
};
