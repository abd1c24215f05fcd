// API Gateway HTTP API with payload format 2.0. (Events of format 1.0 are served with those of REST APIs; they are made here.)
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

import { BadRequestError } from '../../../core/errors.ts';
import type { Emulator } from '../emulator/emulator.ts';
import { payload1Event, payload1Headers } from '../emulator/payload-1.ts';
import { payload2Event, payload2Response } from '../emulator/payload-2.ts';
import { API_ID, apiDomain, decodeText, forwardedHeaders, isTextBody } from '../emulator/request.ts';
import { bytesOf, objectOf, statusOf } from '../emulator/response.ts';
import { SYNC_LIMIT_BYTES } from '../event/limits.ts';
import {
  isPayload2,
  type Payload2Event,
  type Payload2Result,
  payload2Environ,
  payload2Method,
  payload2Result,
} from '../event/payload-2.ts';
import { calledName, decodedPath } from '../event/stage.ts';
import type { Source } from '../source.ts';

/**
 * The event source as `toLambda` serves it.
 *
 * @example export const handler = lambdaHandler(app, { sources: [httpApi] });
 */
export const httpApi: Source<Payload2Event, Payload2Result> = {
  name: 'http-api',

  recognises: (event) => isPayload2(event, false),

  methodOf: payload2Method,

  toEnviron(event, settings, invocation) {
    const { domainName, stage, http } = event.requestContext;
    const name = calledName(domainName, event.headers);
    return payload2Environ(event, decodedPath(event.rawPath ?? http.path, stage, name), settings, invocation);
  },

  toResult: (_event, response, body) => payload2Result(response, body),

  limitBytes: () => SYNC_LIMIT_BYTES,
};

/**
 * The event source as `fromLambda` imitates it.
 *
 * @example const app = fromLambda(handler, { source: httpApiEmulator });
 */
export const httpApiEmulator: Emulator = {
  name: 'http-api',

  toEvent(request, { stage = '$default', payloadFormatVersion }) {
    const decoded = decodedTwice(request.path);
    const path = stage === '$default' ? decoded : `/${stage}${decoded}`;
    const domainName = apiDomain(request, stage === '$default' ? undefined : stage);
    if (payloadFormatVersion === '1.0') {
      const event = payload1Event(request, {
        // As it was sent, where requestContext.path is decoded.
        path: stage === '$default' ? request.path : `/${stage}${request.path}`,
        publicPath: path,
        resource: '$default',
        pathParameters: null,
        resourceId: null,
        domainName,
        stage,
        headers: withLength(forwardedHeaders(request)),
        text: isTextBody(request),
      });
      return { version: '1.0', ...event };
    }
    return payload2Event(request, {
      rawPath: path,
      decodedPath: path,
      apiId: API_ID,
      domainName,
      stage,
      // Cookies are in the list only; a request without a body has a length all the same.
      headers: withLength(forwardedHeaders(request, ['cookie'])),
    });
  },

  toResponse(result, request, { payloadFormatVersion }) {
    if (payloadFormatVersion !== '1.0') return payload2Response(result, request, TEXT);
    // Format 1.0 infers nothing: a result without a statusCode is malformed.
    const object = objectOf(result);
    return {
      status: statusOf(object.statusCode),
      headers: payload1Headers(object, request, TEXT),
      body: bytesOf(object.body, object.isBase64Encoded === true),
    };
  },

  failure: { status: 500, type: 'application/json', text: '{"message":"Internal Server Error"}' },
  resultLimitBytes: () => SYNC_LIMIT_BYTES,
  streams: false,
};

/**
 * What an HTTP API makes of a path. It decodes the path, cuts it at what is a `?` then, and decodes it again. It refuses an
 * escape that is malformed at either time. Seen in captures of live APIs; no page documents it.
 *
 * @throws {BadRequestError} for `%25` alone, and what else becomes a malformed escape
 */
function decodedTwice(path: string): string {
  const [once] = decodeText(path).split('?') as [string];
  if (MALFORMED_ESCAPE.test(path) || MALFORMED_ESCAPE.test(once)) {
    throw new BadRequestError('An HTTP API takes no path with a malformed escape after decoding.');
  }
  return decodeText(once);
}

/** What a response is that says nothing of its type; JSON only where the whole response was inferred. */
const TEXT = 'text/plain; charset=utf-8';

const MALFORMED_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

function withLength(headers: [string, string][]): [string, string][] {
  return headers.some(([name]) => name === 'content-length') ? headers : [...headers, ['content-length', '0']];
}
