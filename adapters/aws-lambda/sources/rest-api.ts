// API Gateway REST API, and HTTP API with payload format 1.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html

import type { GatewayResponse } from '../../../core/response.ts';
import { type Emulator, MalformedResultError } from '../emulator/emulator.ts';
import { payload1Event, payload1Headers } from '../emulator/payload-1.ts';
import { apiDomain, forwardedHeaders, valuesOf } from '../emulator/request.ts';
import { bytesOf, objectOf, statusOf } from '../emulator/response.ts';
import { attachBody, type ResultBody } from '../event/body.ts';
import {
  addClient,
  addClientCertificate,
  addForwardedServer,
  addUser,
  type ClientCertificate,
} from '../event/connection.ts';
import { addBody, begin } from '../event/environ.ts';
import { SYNC_LIMIT_BYTES } from '../event/limits.ts';
import { addBothHeaders } from '../event/request-headers.ts';
import { multiValues } from '../event/result-headers.ts';
import { calledName, httpApi1Path, restPath } from '../event/stage.ts';
import { encodeQueryPart, queryOf, type ValueMap } from '../event/target.ts';
import type { Source } from '../source.ts';

/** The members that are read. An invocation from the console has null for most of them. */
interface RestApiEvent {
  version?: string;
  httpMethod: string;
  path: string;
  resource?: string | null;
  pathParameters?: ValueMap;
  headers?: ValueMap;
  multiValueHeaders?: ValueMap;
  queryStringParameters?: ValueMap;
  multiValueQueryStringParameters?: ValueMap;
  body?: string | null;
  isBase64Encoded?: boolean;
  requestContext?: {
    path?: string | null;
    stage?: string | null;
    domainName?: string | null;
    protocol?: string | null;
    identity?: {
      sourceIp?: string | null;
      userArn?: string | null;
      clientCert?: ClientCertificate | null;
    } | null;
    authorizer?: {
      principalId?: unknown;
      claims?: { sub?: unknown } | null;
      jwt?: { claims?: { sub?: unknown } | null } | null;
    } | null;
  } | null;
}

type RestApiResult = RestApiPrelude & ResultBody;

interface RestApiPrelude {
  statusCode: number;
  multiValueHeaders: Record<string, string[]>;
}

/**
 * The event source as `toLambda` serves it.
 *
 * @example export const handler = lambdaHandler(app, { sources: [restApi] });
 */
export const restApi: Source<RestApiEvent, RestApiResult> = {
  name: 'rest-api',

  recognises(event) {
    if (typeof event.httpMethod !== 'string' || typeof event.path !== 'string') return false;
    return !event.requestContext?.elb && !(event.version === '2.0' && event.requestContext?.http);
  },

  methodOf: (event) => event.httpMethod,

  toEnviron(event, settings, invocation) {
    const context = event.requestContext ?? {};
    const { stage, domainName } = context;
    const name = calledName(domainName, event.multiValueHeaders, event.headers);
    // Member by member: to spread an event costs more than all the rest of it.
    const parts = {
      path: event.path,
      resource: event.resource,
      pathParameters: event.pathParameters,
      name,
      stage,
      publicPath: context.path,
    };
    const path = event.version === '1.0' ? httpApi1Path(parts) : restPath(parts);
    const environ = begin(
      {
        method: event.httpMethod,
        protocol: context.protocol,
        scriptName: path.scriptName,
        pathInfo: path.pathInfo,
        path: path.path,
        // API Gateway has decoded keys and values; the order within a key is kept, that across keys is not.
        query: queryOf(event.multiValueQueryStringParameters, event.queryStringParameters, encodeQueryPart),
      },
      settings,
      invocation,
    );
    // headers keeps the last value of each name only.
    addBothHeaders(environ, event.multiValueHeaders, event.headers);
    addForwardedServer(environ, domainName);
    const { identity, authorizer } = context;
    addClient(environ, identity?.sourceIp);
    const claims = authorizer?.claims ?? authorizer?.jwt?.claims;
    addUser(environ, authorizer?.principalId, claims?.sub, identity?.userArn);
    addClientCertificate(environ, identity?.clientCert);
    addBody(environ, event.body, event.isBase64Encoded, settings);
    return environ;
  },

  // No top-level "cookies": API Gateway answers 502 to a member it does not know. And base64 is decoded only where the
  // API's binaryMediaTypes say so: text must stay text.
  toResult: (_event, response, body) => attachBody(restApiPrelude(response), response, body),

  limitBytes: () => SYNC_LIMIT_BYTES,

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
  toPrelude: restApiPrelude,
};

function restApiPrelude({ statusCode, headers }: GatewayResponse): RestApiPrelude {
  return { statusCode, multiValueHeaders: multiValues(headers) };
}

/**
 * The event source as `fromLambda` imitates it: a REST API with a resource `/{proxy+}`.
 *
 * @example const app = fromLambda(handler, { source: restApiEmulator });
 */
export const restApiEmulator: Emulator = {
  name: 'rest-api',

  toEvent(request, { stage, binaryMediaTypes }) {
    const proxy = request.path.slice(1);
    const resource = proxy === '' ? '/' : '/{proxy+}';
    return payload1Event(request, {
      path: request.path,
      publicPath: stage === undefined ? request.path : `/${stage}${request.path}`,
      resource,
      pathParameters: proxy === '' ? null : { proxy },
      resourceId: 'abc123',
      domainName: apiDomain(request, stage),
      stage: stage ?? 'prod',
      headers: forwardedHeaders(request, ['content-length']),
      // A type that is not listed as binary is text: bytes that are not UTF-8 are lost.
      text: !matches(binaryMediaTypes, valuesOf(request, 'content-type')[0]),
    });
  },

  toResponse(result, request, { binaryMediaTypes }) {
    const object = objectOf(result);
    const unknown = Object.keys(object).find((member) => !MEMBERS.includes(member));
    if (unknown !== undefined) {
      throw new MalformedResultError(`The result has the member "${unknown}", which a REST API does not know.`);
    }
    // The first type that the client accepts decides whether base64 is decoded.
    const accepted = valuesOf(request, 'accept')[0]?.split(',')[0];
    const decode = object.isBase64Encoded === true && matches(binaryMediaTypes, accepted);
    return {
      // One that is missing is 200, as an empty object shows on AWS; the documents do not say so.
      status: statusOf(object.statusCode ?? 200),
      headers: payload1Headers(object, request),
      body: bytesOf(object.body, decode, 500),
    };
  },

  failure: { status: 502, type: 'application/json', text: '{"message": "Internal server error"}' },
  resultLimitBytes: () => SYNC_LIMIT_BYTES,
  streams: true,
};

/** With any other member: 502, "Malformed Lambda proxy response". */
const MEMBERS = ['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded'];

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html */
function matches(types: readonly string[] = ['*/*'], value: string | undefined): boolean {
  const type = (value ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return types.some((each) => {
    if (each === '*/*' || each.toLowerCase() === type) return true;
    return each.endsWith('/*') && type.startsWith(each.slice(0, -1).toLowerCase());
  });
}
