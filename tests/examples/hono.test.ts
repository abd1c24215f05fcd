// examples/hono: the same app on node, as a Worker, and behind each kind of Lambdan event source. In workerd itself it runs in
// tests/e2e/hosted-workers.test.ts.

import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { serve } from 'waygate/node';
import app from '../../examples/hono/app.ts';
import { welcomed } from '../../examples/hono/hono.ts';
import { handler } from '../../examples/hono/lambda.ts';
import worker from '../../examples/hono/worker.ts';

/** Asks for everything the example has. */
async function tour(call: (path: string, init?: RequestInit) => Promise<Response>): Promise<Record<string, unknown>> {
  const page = await call('/');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
  expect(await page.text()).toContain('hosted by Waygate');
  const user = await call('/users/a%20b?field=x&field=%C3%A9');
  expect(await user.json()).toEqual({ id: 'a b', fields: ['x', 'é'] });
  welcomed.length = 0;
  const created = await call('/users', { method: 'POST', body: '{"name":"Ada"}' });
  expect([created.status, await created.json()]).toEqual([201, { created: 'Ada' }]);
  await vi.waitFor(() => expect(welcomed).toEqual(['Ada']));
  const events = await (await call('/events')).text();
  expect(events.match(/data: tick [123]/g)).toEqual(['data: tick 1', 'data: tick 2', 'data: tick 3']);
  expect((await call('/nothing')).status).toBe(404);
  return (await (await call('/whoami')).json()) as Record<string, unknown>;
}

test('on node', async () => {
  const { url, close } = await serve(app, { port: 0 });
  const who = await tour((path, init) => fetch(new URL(path, url), init));
  await close();
  expect(who).toEqual({ gateway: 'node', client: '127.0.0.1', mountedAt: '' });
});

test('as a Worker', async () => {
  const ctx = { waitUntil() {}, passThroughOnException() {}, props: {} };
  const headers = { 'cf-connecting-ip': '203.0.113.7' };
  const who = await tour(async (path, init) =>
    worker.fetch(new Request(`http://localhost${path}`, { headers, ...init }), {}, ctx),
  );
  expect(who).toEqual({ gateway: 'cloudflare-workers', client: '203.0.113.7', mountedAt: '' });
});

/** A call of the handler with an event of payload 2.0, as a function URL sends it. */
const functionUrl = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const sample = new URL('../cases/events/function-url-go-get.json', import.meta.url);
  const event = JSON.parse(readFileSync(sample, 'utf8'));
  const [rawPath, rawQueryString = ''] = path.split('?');
  const method = init.method ?? 'GET';
  Object.assign(event, { rawPath, rawQueryString, body: init.body, isBase64Encoded: false });
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
  const who = await tour(functionUrl);
  expect(who).toMatchObject({ gateway: 'aws-lambda', mountedAt: '' });
});
