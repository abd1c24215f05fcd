// Payload format 2.0, which HTTP APIs and function URLs share. They differ in their paths and who decodes them.

import type { Settings } from '../../../core/environ.ts';
import type { GatewayResponse } from '../../../core/response.ts';
import type { Environ } from '../../../core/types.ts';
import type { Invocation } from '../invocation.ts';
import type { AnyEvent } from '../source.ts';
import { attachBody, type ResultBody } from './body.ts';
import { addClient, addClientCertificate, addForwardedServer, addUser, type ClientCertificate } from './connection.ts';
import { addBody, begin, type EventRequestLine } from './environ.ts';
import { addCookies, addHeaders } from './request-headers.ts';
import { singleValues } from './result-headers.ts';
import { encodeQueryPart, queryOf, sentQuery, type ValueMap } from './target.ts';

/** The members that are read. AWS leaves out or sets to null what it has no value for. */
export interface Payload2Event {
  rawPath?: string | null;
  rawQueryString?: string | null;
  queryStringParameters?: ValueMap;
  headers?: ValueMap;
  cookies?: string[] | null;
  body?: string | null;
  isBase64Encoded?: boolean;
  requestContext: {
    domainName?: string | null;
    stage?: string | null;
    http: { method?: string; path?: string; protocol?: string; sourceIp?: string | null };
    authentication?: { clientCert?: ClientCertificate | null } | null;
    authorizer?: {
      principalId?: unknown;
      iam?: { userArn?: string | null } | null;
      jwt?: { claims?: { sub?: unknown } | null } | null;
    } | null;
  };
}

/** The result of payload 2.0. */
export type Payload2Result = Payload2Prelude & ResultBody;

/** Status and headers, as they also stand ahead of a streamed response. */
export interface Payload2Prelude {
  statusCode: number;
  headers: Record<string, string>;
  cookies?: string[];
}

/** Whether an event is of this format, and whether it came through a function URL. */
export function isPayload2(event: AnyEvent, functionUrl: boolean): boolean {
  if (event.version !== '2.0') return false;
  const context = event.requestContext;
  if (typeof context?.http !== 'object' || context.http === null || context.elb) return false;
  const { domainName } = context;
  // https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html: <url-id>.lambda-url.<region>.on.aws
  return (typeof domainName === 'string' && domainName.includes('.lambda-url.')) === functionUrl;
}

/** The method of a request. */
export function payload2Method(event: Payload2Event): unknown {
  return event.requestContext.http.method;
}

/** The environ of a request, given its path. */
export function payload2Environ(
  event: Payload2Event,
  path: Pick<EventRequestLine, 'scriptName' | 'pathInfo' | 'path'>,
  settings: Settings,
  invocation: Invocation,
): Environ {
  const { requestContext: context, rawQueryString } = event;
  const { http, authorizer } = context;
  const environ = begin(
    {
      method: payload2Method(event),
      protocol: http.protocol,
      scriptName: path.scriptName,
      pathInfo: path.pathInfo,
      path: path.path,
      // Never queryStringParameters where there is the query itself: they join repeats with commas.
      query:
        typeof rawQueryString === 'string'
          ? sentQuery(rawQueryString)
          : queryOf(null, event.queryStringParameters, encodeQueryPart),
    },
    settings,
    invocation,
  );
  addHeaders(environ, event.headers);
  addCookies(environ, event.cookies);
  addForwardedServer(environ, context.domainName);
  addClient(environ, http.sourceIp);
  if (authorizer) addUser(environ, authorizer.principalId, authorizer.jwt?.claims?.sub, authorizer.iam?.userArn);
  if (context.authentication) addClientCertificate(environ, context.authentication.clientCert);
  addBody(environ, event.body, event.isBase64Encoded, settings);
  return environ;
}

/** A response in this format: cookies in a list of their own, and never also among the headers. */
export function payload2Result(response: GatewayResponse, body: Uint8Array): Payload2Result {
  return attachBody(payload2Prelude(response), response, body);
}

/** Status and headers of a response. */
export function payload2Prelude(response: GatewayResponse): Payload2Prelude {
  const cookies: string[] = [];
  const prelude: Payload2Prelude = {
    statusCode: response.statusCode,
    headers: singleValues(response.headers, cookies),
  };
  if (cookies.length > 0) prelude.cookies = cookies;
  return prelude;
}
