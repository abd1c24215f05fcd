// Events of AWS with a request of ours in them.

import { readFileSync } from 'node:fs';

/** The event sources that are measured, and a real event of each. */
export const SOURCES = {
  'HTTP API': 'apigw-v2-go-no-authorizer',
  'REST API': 'apigw-v1-powertools-no-auth',
  'function URL': 'function-url-go-get',
};

export const json = JSON.stringify({
  id: 1,
  name: 'Ada Lovelace',
  tags: ['first', 'programmer'],
  born: { year: 1815 },
});

/**
 * A real event with another request in it.
 *
 * @param {keyof typeof SOURCES} source
 * @param {{ method: string, path: string, query?: Record<string, string>, body?: string }} request
 */
export function makeEvent(source, { method, path, query, body }) {
  const file = new URL(`../../tests/cases/events/${SOURCES[source]}.json`, import.meta.url);
  const event = JSON.parse(readFileSync(file, 'utf8'));
  const { requestContext } = event;
  event.body = body;
  event.isBase64Encoded = false;
  const length =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) };
  if (event.version === '2.0') {
    Object.assign(requestContext, { stage: '$default', http: { ...requestContext.http, method, path } });
    return {
      ...event,
      routeKey: '$default',
      rawPath: path,
      rawQueryString: new URLSearchParams(query).toString(),
      queryStringParameters: query,
      headers: { ...event.headers, ...length },
    };
  }
  Object.assign(requestContext, { httpMethod: method, path: `/${requestContext.stage}${path}`, resourcePath: path });
  const lists = (values) => Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, [value]]));
  return {
    ...event,
    httpMethod: method,
    path,
    resource: path,
    queryStringParameters: query ?? null,
    multiValueQueryStringParameters: query === undefined ? null : lists(query),
    headers: { ...event.headers, ...length },
    multiValueHeaders: { ...event.multiValueHeaders, ...lists(length) },
  };
}

/** An event as an HTTP API sends it for a browser's request, with its usual headers. */
export function browserEvent(method, path, body) {
  const headers = {
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'accept-encoding': 'gzip, deflate, br',
    'accept-language': 'en-GB,en;q=0.5',
    host: 'abcdef1234.execute-api.eu-north-1.amazonaws.com',
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    'x-amzn-trace-id': 'Root=1-63a1b2c3-4d5e6f708192a3b4c5d6e7f8',
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-port': '443',
    'x-forwarded-proto': 'https',
  };
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(body.length);
  }
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: 'page=2&sort=name',
    cookies: ['session=abc123', 'theme=dark'],
    headers,
    queryStringParameters: { page: '2', sort: 'name' },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdef1234',
      domainName: 'abcdef1234.execute-api.eu-north-1.amazonaws.com',
      domainPrefix: 'abcdef1234',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: headers['user-agent'] },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: '$default',
      stage: '$default',
      time: '20/Dec/2025:12:00:00 +0000',
      timeEpoch: 1766232000000,
    },
    body,
    isBase64Encoded: false,
  };
}

/** What one invocation gives, so that all contestants are seen to do the same. */
export async function answerOf(handler, event) {
  const { statusCode, body, isBase64Encoded } = await handler(structuredClone(event), CONTEXT);
  return `${statusCode} ${isBase64Encoded ? Buffer.from(body, 'base64') : body}`;
}

export const CONTEXT = { awsRequestId: '1', functionName: 'bench', getRemainingTimeInMillis: () => 30_000 };

/** A contestant of lib/isolated.mjs made of a Lambda handler. */
export function invoker(handler, event) {
  // An event of its own: some handlers change it.
  const own = structuredClone(event);
  return { call: () => handler(own, CONTEXT), answer: () => answerOf(handler, event) };
}
