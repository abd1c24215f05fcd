// Payload format 2.0 in reverse: events as HTTP APIs and function URLs send them, results as both read them.

import type { HeaderList } from '../../../core/types.ts';
import type { Answer, ClientRequest } from './emulator.ts';
import {
  ACCOUNT_ID,
  bodyText,
  checkSize,
  decodedPairs,
  EVENT_BODY_LIMIT_BYTES,
  gather,
  isTextBody,
  joined,
  logTime,
  reduce,
  valuesOf,
} from './request.ts';
import { addCookies, addDefaultType, addMap, bytesOf, type JsonObject, objectOf, statusOf } from './response.ts';

/** What differs between the two event sources. */
export interface Payload2Parts {
  rawPath: string;
  /** `requestContext.http.path`: decoded at both. */
  decodedPath: string;
  apiId: string;
  domainName: string;
  stage: string;
  headers: [string, string][];
}

export function payload2Event(request: ClientRequest, parts: Payload2Parts): JsonObject {
  checkSize(request, EVENT_BODY_LIMIT_BYTES);
  const cookies = valuesOf(request, 'cookie').flatMap((line) => line.split(/;\s*/));
  const query = gather(decodedPairs(request.query));
  const text = isTextBody(request);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: parts.rawPath,
    rawQueryString: request.query,
    ...(cookies.length === 0 ? null : { cookies }),
    headers: reduce(gather(parts.headers), joined),
    ...(request.query === '' ? null : { queryStringParameters: reduce(query, joined) }),
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: parts.apiId,
      domainName: parts.domainName,
      domainPrefix: parts.domainName.split('.')[0],
      http: {
        method: request.method,
        path: parts.decodedPath,
        protocol: request.protocol,
        sourceIp: request.clientAddress,
        userAgent: valuesOf(request, 'user-agent')[0] ?? '',
      },
      requestId: request.id,
      routeKey: '$default',
      stage: parts.stage,
      time: logTime(request.time),
      timeEpoch: request.time,
    },
    ...(request.body.byteLength === 0 ? null : { body: bodyText(request, text) }),
    isBase64Encoded: request.body.byteLength > 0 && !text,
  };
}

/**
 * The response for a result. Without a `statusCode` the result itself is the body: text as it is, all else as JSON.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 *
 * @param defaultType the type of a response with a status that says nothing of its own; default: JSON
 */
export function payload2Response(result: unknown, request: ClientRequest, defaultType?: string): Answer {
  const inferred = typeof result !== 'object' || result === null || (result as JsonObject).statusCode === undefined;
  if (inferred) {
    const text = typeof result === 'string' ? result : (JSON.stringify(result) ?? 'null');
    return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(text) };
  }
  const { statusCode, headers: map, cookies, body, isBase64Encoded } = objectOf(result);
  const headers: HeaderList = [];
  addMap(headers, map, 'headers', { scalars: true, lists: false, remaps: true }, request.method === 'HEAD');
  addCookies(headers, cookies);
  addDefaultType(headers, defaultType);
  return { status: statusOf(statusCode), headers, body: bytesOf(body, isBase64Encoded === true) };
}
