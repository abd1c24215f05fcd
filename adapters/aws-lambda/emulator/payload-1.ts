// Payload format 1.0 in reverse: events as REST APIs and HTTP APIs send them, and the headers of results.

import type { HeaderList } from '../../../core/types.ts';
import type { ClientRequest } from './emulator.ts';
import {
  ACCOUNT_ID,
  API_ID,
  bodyText,
  checkSize,
  decodedPairs,
  EVENT_BODY_LIMIT_BYTES,
  gather,
  last,
  logTime,
  orNull,
  reduce,
  titleCase,
  valuesOf,
} from './request.ts';
import { addDefaultType, addMap, type JsonObject } from './response.ts';

/** What differs between the two event sources. */
export interface Payload1Parts {
  path: string;
  /** `requestContext.path`. */
  publicPath: string;
  /** The path of the route or resource, and what its parameters stand for. */
  resource: string;
  pathParameters: Record<string, string> | null;
  resourceId: string | null;
  domainName: string;
  stage: string;
  headers: [string, string][];
  /** Whether the body goes in as text. */
  text: boolean;
}

export function payload1Event(request: ClientRequest, parts: Payload1Parts): JsonObject {
  checkSize(request, EVENT_BODY_LIMIT_BYTES);
  const headers = gather(parts.headers.map(([name, value]): [string, string] => [titleCase(name), value]));
  const query = gather(decodedPairs(request.query));
  const hasBody = request.body.byteLength > 0;
  return {
    resource: parts.resource,
    path: parts.path,
    httpMethod: request.method,
    headers: reduce(headers, last),
    multiValueHeaders: headers,
    queryStringParameters: orNull(reduce(query, last)),
    multiValueQueryStringParameters: orNull(query),
    pathParameters: parts.pathParameters,
    stageVariables: null,
    requestContext: {
      resourceId: parts.resourceId,
      resourcePath: parts.resource,
      httpMethod: request.method,
      extendedRequestId: 'ExTeNdEdId=',
      requestTime: logTime(request.time),
      path: parts.publicPath,
      accountId: ACCOUNT_ID,
      protocol: request.protocol,
      stage: parts.stage,
      domainPrefix: parts.domainName.split('.')[0],
      requestTimeEpoch: request.time,
      requestId: request.id,
      identity: {
        cognitoIdentityPoolId: null,
        accountId: null,
        cognitoIdentityId: null,
        caller: null,
        sourceIp: request.clientAddress,
        principalOrgId: null,
        accessKey: null,
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        userArn: null,
        userAgent: valuesOf(request, 'user-agent')[0] ?? null,
        user: null,
      },
      domainName: parts.domainName,
      // An HTTP API has no resources, and its events name no deployment.
      ...(parts.resourceId === null ? null : { deploymentId: 'dep123' }),
      apiId: API_ID,
    },
    body: hasBody ? bodyText(request, parts.text) : null,
    isBase64Encoded: hasBody && !parts.text,
  };
}

/** The headers of a result: both maps, where a pair that stands in both counts once. */
export function payload1Headers(
  { headers, multiValueHeaders }: JsonObject,
  request: ClientRequest,
  defaultType?: string,
): HeaderList {
  const head = request.method === 'HEAD';
  const single: HeaderList = [];
  const multi: HeaderList = [];
  addMap(single, headers, 'headers', { scalars: true, lists: false, remaps: true }, head);
  addMap(multi, multiValueHeaders, 'multiValueHeaders', { scalars: true, lists: 'only', remaps: true }, head);
  const all = single.filter(([name, value]) => !multi.some((each) => each[0] === name && each[1] === value));
  all.push(...multi);
  addDefaultType(all, defaultType);
  return all;
}
