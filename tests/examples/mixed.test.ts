// examples/mixed: each application under its prefix, on node and behind two kinds of Lambdan event source. In workerd it runs
// in tests/e2e/hosted-workers.test.ts.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { serve } from 'waygate/node';
import app from '../../examples/mixed/app.ts';
import { handler } from '../../examples/mixed/lambda.ts';
import worker from '../../examples/mixed/worker.ts';

type Call = (path: string, init?: RequestInit) => Promise<Response>;

async function tour(call: Call): Promise<void> {
  const home = await call('/a/%C3%A9');
  expect([home.headers.get('x-mounted-at'), await home.text()]).toEqual([
    expect.stringMatching(/(^|live)\/?$/),
    expect.stringMatching(/plain application at .*\/a\/é\n$/),
  ]);
  const user = await call('/api/users/%C3%A9');
  expect(user.headers.get('x-mounted-at')).toMatch(/\/api$/);
  // Hono routes below the mount, whatever stands in front of it.
  expect(await user.json()).toEqual({ served: 'by Hono', id: 'é', path: '/users/é' });
  const item = await call('/shop/items/a%20b');
  expect(item.headers.get('x-mounted-at')).toMatch(/\/shop$/);
  expect(await item.json()).toMatchObject({ served: 'by Express', id: 'a b', path: '/items/a%20b' });
  const json = { 'content-type': 'application/json' };
  const created = await call('/shop/items', { method: 'POST', headers: json, body: '{"id":7}' });
  expect([created.status, created.headers.get('location'), await created.json()]).toEqual([
    201,
    '/shop/items/7',
    { created: 7 },
  ]);
  expect((await call('/apiary')).headers.get('x-mounted-at')).not.toMatch(/api/);
}

test('on node', async () => {
  const { url, close } = await serve(app, { port: 0 });
  await tour((path, init) => fetch(new URL(path, url), init));
  await close();
});

test('as a Worker', async () => {
  await tour(async (path, init) => worker.fetch(new Request(`http://localhost${path}`, init), {}, { waitUntil() {} }));
});

const sample = (name: string) =>
  JSON.parse(readFileSync(new URL(`../cases/events/${name}.json`, import.meta.url), 'utf8'));

/** A call of the Lambda handler with an event that `make` gives path, method, headers and body to. */
const lambda =
  (make: (path: string, method: string, init: RequestInit) => object): Call =>
  async (path, init = {}) => {
    const event = { ...make(path, init.method ?? 'GET', init), body: init.body, isBase64Encoded: false };
    const result = (await handler(event as never, {} as never)) as unknown as {
      statusCode: number;
      headers?: Record<string, string>;
      multiValueHeaders?: Record<string, string[]>;
      body: string;
    };
    const headers = new Headers(result.headers);
    for (const [name, values] of Object.entries(result.multiValueHeaders ?? {}))
      for (const value of values) headers.append(name, value);
    return new Response(result.body, { status: result.statusCode, headers });
  };

test('on Lambda, behind a function URL', async () => {
  await tour(
    lambda((rawPath, method, init) => {
      const event = sample('function-url-go-get');
      const requestContext = { ...event.requestContext, http: { ...event.requestContext.http, method } };
      const headers = { ...event.headers, ...(init.headers as object) };
      return { ...event, rawPath, rawQueryString: '', headers, requestContext };
    }),
  );
});

test('on Lambda, behind a REST API, under its stage', async () => {
  await tour(
    lambda((path, httpMethod, init) => {
      const event = sample('apigw-v1-powertools-no-auth');
      const requestContext = { ...event.requestContext, stage: 'live', path: `/live${path}` };
      const headers = { ...event.headers, ...(init.headers as object) };
      return { ...event, httpMethod, path, headers, multiValueHeaders: null, requestContext };
    }),
  );
});
