// API Gateway REST API, and HTTP API with payload format 1.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html

import { base64Of, needsBase64, textOf } from '../body.ts';
import {
  addBody,
  addBothHeaders,
  addClient,
  addClientCertificate,
  addForwardedServer,
  addUser,
  begin,
  type ClientCertificate,
  encodeQueryPart,
  queryOf,
  type ValueMap,
} from '../environ.ts';
import { multiValues } from '../headers.ts';
import { SYNC_LIMIT_BYTES } from '../limits.ts';
import type { Source } from '../source.ts';
import { decodedPath, restPath } from '../stage.ts';

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

interface RestApiResult {
  statusCode: number;
  multiValueHeaders: Record<string, string[]>;
  body: string;
  isBase64Encoded: boolean;
}

export const restApi: Source<RestApiEvent, RestApiResult> = {
  name: 'rest-api',

  recognises(event) {
    if (typeof event.httpMethod !== 'string' || typeof event.path !== 'string') return false;
    return event.version !== '2.0' && event.requestContext?.elb === undefined;
  },

  toEnviron(event, settings, errors) {
    const context = event.requestContext ?? {};
    const { stage, domainName } = context;
    const path =
      event.version === '1.0'
        ? decodedPath(event.path, stage, domainName, event.headers)
        : restPath({ ...event, stage, domainName, publicPath: context.path });
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
      errors,
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

  toResult(_event, response, body) {
    const isBase64Encoded = needsBase64(response, body);
    return {
      statusCode: response.statusCode,
      // No top-level "cookies": API Gateway answers 502 to a member it does not know.
      multiValueHeaders: multiValues(response.headers),
      // base64 is decoded only where the API's binaryMediaTypes say so: text must stay text.
      body: isBase64Encoded ? base64Of(body) : textOf(body),
      isBase64Encoded,
    };
  },

  limitBytes: () => SYNC_LIMIT_BYTES,

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
  toPrelude: (response) => ({ statusCode: response.statusCode, multiValueHeaders: multiValues(response.headers) }),
};
