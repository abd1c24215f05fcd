// fromWorker inside workerd, with the runtime's own classes and contexts.

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { WorkerEntrypoint } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { Application } from 'waygate';
import { fromWorker, toWorker } from 'waygate/cloudflare-workers';
import { fromFetch } from 'waygate/fetch';

const asIs = (app: Application): Application => app;
/** A middleware that changes the request, so that the Worker behind it cannot have the platform's own. */
const moved = (app: Application): Application => {
  return (environ, startResponse) => app(Object.assign(environ, { PATH_INFO: '/moved' }), startResponse);
};

let worked = '';

class Entrypoint extends WorkerEntrypoint<{ NAME: string }> {
  async fetch(request: Request): Promise<Response> {
    const body = await request.text();
    this.ctx.waitUntil(
      Promise.resolve().then(() => {
        worked = body;
      }),
    );
    return new Response(`${new URL(request.url).pathname} ${this.env.NAME} ${body}`);
  }
}

test.each([
  ['untouched', asIs, '/here'],
  ['behind a middleware', moved, '/moved'],
])('a WorkerEntrypoint, %s', async (_title, middleware, path) => {
  worked = '';
  const worker = toWorker<{ NAME: string }>(middleware(fromWorker(Entrypoint)));
  const ctx = createExecutionContext();
  const request = new Request('https://example.com/here', { method: 'POST', body: 'text' });
  const response = await worker.fetch(request, { NAME: 'entrypoint' }, ctx);
  expect(await response.text()).toBe(`${path} entrypoint text`);
  await waitOnExecutionContext(ctx);
  expect(worked).toBe('text');
});

test.each([
  ['untouched', asIs],
  ['behind a middleware', moved],
])('request.cf reaches a Worker, %s', async (_title, middleware) => {
  const hosted = { fetch: (request: Request & { cf?: { country?: string } }) => Response.json(request.cf ?? null) };
  const request = new Request('https://example.com/', { cf: { country: 'NZ' } } as RequestInit);
  const response = await toWorker(middleware(fromWorker(hosted))).fetch(request, {}, createExecutionContext());
  expect(await response.json()).toEqual({ country: 'NZ' });
});

test.each([
  ['untouched', asIs],
  ['behind a middleware', moved],
])('a Fetch app sees request.cf, and leaves redirects to the client, %s', async (_title, middleware) => {
  const app = fromFetch((request: Request & { cf?: unknown }) => Response.json([request.redirect, request.cf ?? null]));
  const init = { redirect: 'manual', cf: { country: 'NZ' } } as RequestInit;
  const request = new Request('https://example.com/', init);
  const response = await toWorker(middleware(app)).fetch(request, {}, createExecutionContext());
  expect(await response.json()).toEqual(['manual', { country: 'NZ' }]);
});

test('a streamed response of a Worker arrives piece by piece', async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const hosted = { fetch: () => new Response(readable, { headers: { 'X-Kind': 'stream' } }) };
  const worker = toWorker(moved(fromWorker(hosted)));
  const pending = worker.fetch(new Request('https://example.com/'), {}, createExecutionContext());
  writer.write(new TextEncoder().encode('one'));
  const response = await pending;
  expect(response.headers.get('X-Kind')).toBe('stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('one');
  writer.write(new TextEncoder().encode('two'));
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('two');
  writer.close();
  expect((await reader.read()).done).toBe(true);
});
