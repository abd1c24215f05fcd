// examples/mixed: each application under its prefix, on node and behind two kinds of Lambda front door. In workerd it runs
// in tests/e2e/hosted-workers.test.ts.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { serve } from 'waygate/node';
import app from '../../examples/mixed/app.ts';
import { handler } from '../../examples/mixed/lambda.ts';
import worker from '../../examples/mixed/worker.ts';

type Call = (path: string) => Promise<Response>;

async function tour(call: Call): Promise<void> {
  const home = await call('/a/b');
  expect([home.headers.get('x-mounted-at'), await home.text()]).toEqual([
    expect.stringMatching(/(^|live)\/?$/),
    expect.stringMatching(/plain application at .*\/a\/b\n$/),
  ]);
  const user = await call('/api/users/%C3%A9');
  expect(user.headers.get('x-mounted-at')).toMatch(/\/api$/);
  // Hono routes below the mount, whatever stands in front of it.
  expect(await user.json()).toEqual({ served: 'by Hono', id: 'é', path: '/users/é' });
  expect((await call('/apiary')).headers.get('x-mounted-at')).not.toMatch(/api/);
}

test('on node', async () => {
  const { url, close } = await serve(app, { port: 0 });
  await tour((path) => fetch(new URL(path, url)));
  await close();
});

test('as a Worker', async () => {
  await tour(async (path) => worker.fetch(new Request(`http://localhost${path}`), {}, { waitUntil() {} }));
});

const sample = (name: string) =>
  JSON.parse(readFileSync(new URL(`../cases/events/${name}.json`, import.meta.url), 'utf8'));

/** A call of the Lambda handler with an event that `make` gives the path to. */
const lambda =
  (make: (path: string) => unknown): Call =>
  async (path) => {
    const result = (await handler(make(path) as never, {} as never)) as unknown as {
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
  await tour(lambda((rawPath) => ({ ...sample('function-url-go-get'), rawPath, rawQueryString: '' })));
});

test('on Lambda, behind a REST API, under its stage', async () => {
  await tour(
    lambda((path) => {
      const event = sample('apigw-v1-powertools-no-auth');
      return {
        ...event,
        httpMethod: 'GET',
        path,
        requestContext: { ...event.requestContext, stage: 'live', path: `/live${path}` },
      };
    }),
  );
});
