// Lambda function URL: payload format 2.0, with the path as the client sent it and no stage.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html

import { decodePath } from '../../../core/url.ts';
import { sentPath } from '../environ.ts';
import { SYNC_LIMIT_BYTES } from '../limits.ts';
import {
  isPayload2,
  type Payload2Event,
  type Payload2Result,
  payload2Environ,
  payload2Prelude,
  payload2Result,
} from '../payload-2.ts';
import type { Source } from '../source.ts';

export const functionUrl: Source<Payload2Event, Payload2Result> = {
  name: 'function-url',

  recognises: (event) => isPayload2(event, true),

  toEnviron(event, settings, errors) {
    // requestContext.http.path is decoded already; rawPath is not.
    const path = sentPath(event.rawPath);
    return payload2Environ(event, { path, scriptName: '', pathInfo: decodePath(path) }, settings, errors);
  },

  toResult: (_event, response, body) => payload2Result(response, body),

  limitBytes: () => SYNC_LIMIT_BYTES,

  toPrelude: payload2Prelude,
};
