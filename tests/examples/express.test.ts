// examples/express: the same app on node, on a Fetch platform, and behind a Lambdan event source. In workerd it runs in
// tests/e2e/hosted-workers.test.ts.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toFetch } from 'waygate/fetch';
import { mount } from 'waygate/middleware';
import { serve } from 'waygate/node';
import app from '../../examples/express/app.ts';
import { handler } from '../../examples/express/lambda.ts';

type Call = (path: string, init?: RequestInit) => Promise<Response>;

/** Asks for everything the example has. */
async function tour(call: Call, mountedAt = ''): Promise<unknown> {
  const page = await call('/');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(await page.text()).toContain('hosted by Waygate');
  const user = await call('/users/a%20b?field=x&field=%C3%A9');
  expect(await user.json()).toEqual({ id: 'a b', fields: ['x', 'é'] });
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const created = await call('/users', { ...json, body: '{"name":"Ada"}' });
  expect([created.status, created.headers.get('location')]).toEqual([201, `${mountedAt}/users/Ada`]);
  expect(await created.json()).toEqual({ created: 'Ada' });
  expect((await call('/users', { ...json, body: '{"name":' })).status).toBe(400);
  expect((await call('/users', { ...json, body: '{}' })).status).toBe(422);
  const events = await (await call('/events')).text();
  expect(events.match(/data: tick [123]/g)).toEqual(['data: tick 1', 'data: tick 2', 'data: tick 3']);
  expect((await call('/fails')).status).toBe(418);
  expect((await call('/nothing')).status).toBe(404);
  return (await call('/whoami')).json();
}

test('on node', async () => {
  const { url, close } = await serve(app, { port: 0, host: '127.0.0.1' });
  const who = await tour((path, init) => fetch(new URL(path, url), init));
  await close();
  expect(who).toEqual({ gateway: 'node', client: '127.0.0.1', mountedAt: '', url: '/whoami' });
});

test('on a Fetch platform, under a mount', async () => {
  const mounted = toFetch(mount({ '/api': app }));
  const who = await tour((path, init) => mounted(`/api${path}`, init), '/api');
  expect(who).toEqual({ gateway: 'fetch', client: null, mountedAt: '/api', url: '/api/whoami' });
});

/** A call of the handler with an event of payload 2.0, as a function URL sends it. */
const functionUrl: Call = async (path, init = {}) => {
  const sample = new URL('../cases/events/function-url-go-get.json', import.meta.url);
  const event = JSON.parse(readFileSync(sample, 'utf8'));
  const [rawPath, rawQueryString = ''] = path.split('?');
  const method = init.method ?? 'GET';
  Object.assign(event, { rawPath, rawQueryString, body: init.body, isBase64Encoded: false });
  Object.assign(event.headers, init.headers, init.body ? { 'content-length': String(init.body).length } : {});
  Object.assign(event.requestContext.http, { method, path: rawPath });
  const result = (await handler(event, {} as never)) as unknown as {
    statusCode: number;
    headers: Record<string, string>;
    body: string;
    isBase64Encoded: boolean;
  };
  const body = Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8');
  return new Response(body, { status: result.statusCode, headers: result.headers });
};

test('on Lambda', async () => {
  expect(await tour(functionUrl)).toMatchObject({ gateway: 'aws-lambda', mountedAt: '', url: '/whoami' });
});
