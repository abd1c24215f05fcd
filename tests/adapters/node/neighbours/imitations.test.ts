// toNode given requests and responses that no server made: other packages imitate Node's on serverless platforms and in tests.

import { createRequest, createResponse } from 'node-mocks-http';
import serverless from 'serverless-http';
import { toFetchHandler } from 'srvx/node';
import { describe, expect, it } from 'vitest';
import { type Application, encode } from 'waygate';
import { toNode } from 'waygate/node';

const showing: Application = async (environ, startResponse) => {
  const body = await environ['wsgi.input'].text();
  const { REQUEST_METHOD, PATH_INFO, QUERY_STRING, HTTP_X_THING, CONTENT_TYPE } = environ;
  startResponse('201 Made', [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  return [encode(JSON.stringify([REQUEST_METHOD, PATH_INFO, QUERY_STRING, HTTP_X_THING, CONTENT_TYPE, body]))];
};
const shown = ['POST', '/path', 'a=1', 'yes', 'text/plain', 'the body: ü'];
const headers = { 'x-thing': 'yes', 'content-type': 'text/plain' };

describe('the request and the response of', () => {
  it('serverless-http have headers and a body', async () => {
    const handler = serverless(toNode(showing) as never);
    const event = {
      version: '2.0',
      rawPath: '/path',
      rawQueryString: 'a=1',
      headers,
      requestContext: { http: { method: 'POST', path: '/path', sourceIp: '127.0.0.1' } },
      body: 'the body: ü',
      isBase64Encoded: false,
    };
    const result = (await handler(event, {})) as { statusCode: number; body: string; cookies?: string[] };
    expect([result.statusCode, JSON.parse(result.body), result.cookies]).toEqual([201, shown, ['a=1', 'b=2']]);
  });

  it('srvx have headers and a body', async () => {
    const handler = toFetchHandler(toNode(showing) as never) as (request: Request) => Promise<Response>;
    const response = await handler(
      new Request('http://localhost/path?a=1', { method: 'POST', headers, body: 'the body: ü' }),
    );
    expect([response.status, await response.json()]).toEqual([201, shown]);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('node-mocks-http have headers, and an answer', async () => {
    const { EventEmitter } = await import('node:events');
    const request = createRequest({ method: 'GET', url: '/path?a=1', headers });
    const response = createResponse({ eventEmitter: EventEmitter });
    const ended = new Promise((resolve) => response.on('end', resolve));
    toNode(showing)(request as never, response as never);
    await ended;
    const body = JSON.parse(String(response._getBuffer().length > 0 ? response._getBuffer() : response._getData()));
    expect([response.statusCode, body]).toEqual([201, ['GET', '/path', 'a=1', 'yes', 'text/plain', '']]);
    expect(response.getHeader('set-cookie')).toEqual(['a=1', 'b=2']);
  });
});

it.each([
  ['a Request', () => new Request('http://localhost/')],
  ['nothing', () => undefined],
  ['an object', () => ({ path: '/' })],
  ['an event', () => ({ version: '2.0', headers: {} })],
])('%s in place of the request is an error that says so', (_what, request) => {
  expect(() => toNode(showing)(request() as never, {} as never)).toThrow(
    /The listener that toNode made was called with .*; expected the request and the response of a Node server/,
  );
});

it.each([
  ['an object', () => ({})],
  ['a Response', () => new Response()],
])('%s in place of the response is an error that says so', (_what, response) => {
  const request = { method: 'GET', url: '/', headers: {} };
  expect(() => toNode(showing)(request as never, response() as never)).toThrow(
    /The listener that toNode made was called with .* as its response; expected the request and the response of a Node server/,
  );
});
