// requestId: one id in environ, in the response and in the log, from the first source that may be believed.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Application } from 'waygate';
import { fromLambda, toLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { REQUEST_ID, requestId } from 'waygate/middleware';
import { ask, hello } from './answers.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function idOf(keys: Record<string, unknown>, options = {}) {
  const { environ, headers, log } = await ask(requestId(hello, options), keys);
  expect(environ[REQUEST_ID]).toBe(headers.get('x-request-id'));
  return { id: environ[REQUEST_ID], log };
}

test('a request without anything gets a new id, each time another', async () => {
  const [first, second] = [await idOf({}), await idOf({})];
  expect(first.id).toMatch(UUID);
  expect(first.id).not.toBe(second.id);
});

test('the trace id of traceparent is the id, also of a later version', async () => {
  expect(await idOf({ HTTP_TRACEPARENT: `00-${TRACE}-${PARENT}-01` })).toEqual({ id: TRACE, log: '' });
  expect(await idOf({ HTTP_TRACEPARENT: `cc-${TRACE}-${PARENT}-01-more` })).toEqual({ id: TRACE, log: '' });
  expect((await idOf({ HTTP_TRACEPARENT: `00-${TRACE}-${PARENT}-01` }, { traceparent: false })).id).toMatch(UUID);
});

test.each([
  '',
  TRACE,
  `00-${TRACE}-${PARENT}`,
  `00-${TRACE}-${PARENT}-01-more`,
  `cc-${TRACE}-${PARENT}-01x`,
  `ff-${TRACE}-${PARENT}-01`,
  `00-${'0'.repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
  `cc-${TRACE}-${PARENT}-01-${'x'.repeat(10_000)}`,
])('the malformed traceparent %j is not used, and logged once without its text', async (sent) => {
  const { id, log } = await idOf({ HTTP_TRACEPARENT: sent });
  expect(id).toMatch(UUID);
  expect(log).toMatch(/^requestId: the header traceparent is malformed; expected [^\n]*\n$/);
  if (sent !== '') expect(log).not.toContain(sent.slice(0, 20));
});

test('the id of a client is taken only where it is trusted, and is well-formed', async () => {
  expect((await idOf({ HTTP_X_REQUEST_ID: 'abc' })).id).toMatch(UUID);
  expect((await idOf({ HTTP_X_REQUEST_ID: 'abc' }, { trust: true })).id).toBe('abc');
  for (const bad of ['', 'a b', 'a"b', '\x1b[2J', 'caf\xe9', 'x'.repeat(129)]) {
    const { id, log } = await idOf({ HTTP_X_REQUEST_ID: bad }, { trust: true });
    expect(id).toMatch(UUID);
    expect(log).toMatch(/^requestId: the header X-Request-Id is malformed; [^\n]*\n$/);
  }
  const both = { HTTP_X_REQUEST_ID: 'abc', HTTP_TRACEPARENT: `00-${TRACE}-${PARENT}-01` };
  expect((await idOf(both, { trust: true })).id).toBe('abc');
});

test('whatever a client sends, the id can be written anywhere', () =>
  fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (id, trace) => {
      const keys = { HTTP_X_REQUEST_ID: id, HTTP_TRACEPARENT: trace };
      expect((await idOf(keys, { trust: true })).id).toMatch(/^[A-Za-z0-9._~+/=:@-]{1,128}$/);
    }),
  ));

test('cf-ray is the id on Workers, and nothing on any other platform', async () => {
  expect((await idOf({ HTTP_CF_RAY: '7d1-FRA', 'waygate.gateway': 'cloudflare-workers' })).id).toBe('7d1-FRA');
  expect((await idOf({ HTTP_CF_RAY: '7d1-FRA' })).id).toMatch(UUID);
});

test('on Lambda the id is that of the invocation', async () => {
  let seen: unknown;
  const app: Application = (environ, startResponse) => {
    seen = environ['aws.context']?.awsRequestId;
    return hello(environ, startResponse);
  };
  const response = await toFetch(fromLambda(toLambda(requestId(app)), { source: 'http-api' }))('http://localhost/');
  expect(seen).toEqual(expect.any(String));
  expect(response.headers.get('x-request-id')).toBe(seen);
});

test('the response has the header once, under the name that was chosen, or not at all', async () => {
  const app: Application = (environ, startResponse) => {
    startResponse('200 OK', [['x-correlation', 'own']]);
    return [new TextEncoder().encode(environ['waygate.request_id'] as string)];
  };
  const options = { header: 'X-Correlation', generate: () => 'made' };
  expect((await ask(requestId(app, options))).headers.get('x-correlation')).toBe('made');
  const none = await ask(requestId(app, { ...options, header: false }));
  expect([none.text, none.headers.get('x-correlation')]).toEqual(['made', 'own']);
});

test('an id that cannot be used, and wrong options, are refused', async () => {
  const { status, log } = await ask(requestId(hello, { generate: () => 'a b' }));
  expect(status).toBe('500 Internal Server Error');
  expect(log).toContain('The option "generate" of requestId gave the string "a b"');
  for (const options of [{ header: 'a b' }, { header: 5 }, { generate: 'uuid' }] as never[])
    expect(() => requestId(hello, options)).toThrow(TypeError);
});
