// Lambda function URL: payload format 2.0, with the path as the client sent it and no stage.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html

import { encodeWsgi } from '../../../core/strings.ts';
import { decodePath, quotePath } from '../../../core/url.ts';
import type { Emulator } from '../emulator/emulator.ts';
import { payload2Event, payload2Response } from '../emulator/payload-2.ts';
import { decodeText, forwardedHeaders, REGION } from '../emulator/request.ts';
import { SYNC_LIMIT_BYTES } from '../event/limits.ts';
import {
  isPayload2,
  type Payload2Event,
  type Payload2Result,
  payload2Environ,
  payload2Method,
  payload2Prelude,
  payload2Result,
} from '../event/payload-2.ts';
import { sentPath } from '../event/target.ts';
import { addTls } from '../event/tls.ts';
import type { Source } from '../source.ts';

/**
 * The event source as `toLambda` serves it.
 *
 * @example export const handler = lambdaHandler(app, { sources: [functionUrl] });
 */
export const functionUrl: Source<Payload2Event, Payload2Result> = {
  name: 'function-url',

  recognises: (event) => isPayload2(event, true),

  methodOf: payload2Method,

  toEnviron(event, settings, invocation) {
    // requestContext.http.path is decoded already; rawPath is not, and is there in all events but hand-made ones.
    const { http } = event.requestContext;
    const path = sentPath(event.rawPath ?? quotePath(encodeWsgi(http.path ?? '')));
    const environ = payload2Environ(event, { path, scriptName: '', pathInfo: decodePath(path) }, settings, invocation);
    addTls(environ);
    return environ;
  },

  toResult: (_event, response, body) => payload2Result(response, body),

  limitBytes: () => SYNC_LIMIT_BYTES,

  toPrelude: payload2Prelude,
};

/**
 * The event source as `fromLambda` imitates it.
 *
 * @example const app = fromLambda(handler, { source: functionUrlEmulator });
 */
export const functionUrlEmulator: Emulator = {
  name: 'function-url',

  toEvent(request) {
    return payload2Event(request, {
      rawPath: request.path,
      decodedPath: decodeText(request.path),
      apiId: URL_ID,
      domainName: `${URL_ID}.lambda-url.${REGION}.on.aws`,
      stage: '$default',
      // Cookies are in the header and in the list.
      headers: forwardedHeaders(request),
    });
  },

  toResponse: (result, request) => payload2Response(result, request),

  failure: { status: 502, type: 'application/json', text: 'Internal Server Error' },
  resultLimitBytes: () => SYNC_LIMIT_BYTES,
  streams: true,
};

const URL_ID = 'abcdefghijklmnopqrstuvwxyz012345';
