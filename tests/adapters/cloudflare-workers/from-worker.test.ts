// A Worker as an application, off Cloudflare: what it is given in place of bindings, context and the edge's headers.
// Inside workerd, with real classes and contexts, it is tested in tests/e2e/workers/.

import { expect, test } from 'vitest';
import type { Application } from 'waygate';
import { fromWorker, type ModuleWorker, toWorker, type WorkerClass } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';

const from = (environ: Record<string, unknown>, app: Application): Application => {
  return (own, startResponse) => app(Object.assign(own, environ), startResponse);
};

test('a Worker gets the request, the bindings and a context', async () => {
  const worker = {
    greeting: 'hello',
    async fetch(request: Request, env: { NAME: string }, ctx: { passThroughOnException(): void; props: object }) {
      ctx.passThroughOnException();
      return new Response(`${this.greeting} ${env.NAME} at ${new URL(request.url).pathname}`, {
        status: 201,
        headers: { 'X-Props': JSON.stringify(ctx.props) },
      });
    },
  };
  const response = await toFetch(fromWorker(worker, { env: { NAME: 'you' } }))('/a%2Fb');
  expect([response.status, response.headers.get('X-Props'), await response.text()]).toEqual([
    201,
    '{}',
    'hello you at /a%2Fb',
  ]);
});

test('without bindings env is an empty object', async () => {
  const worker = { fetch: (_request: Request, env: object) => Response.json(env) };
  expect(await (await toFetch(fromWorker(worker))('/')).json()).toEqual({});
});

test('ctx.waitUntil is waygate.wait_until', async () => {
  const kept: Promise<unknown>[] = [];
  let done = false;
  const worker: ModuleWorker = {
    fetch(_request, _env, ctx) {
      ctx.waitUntil(
        Promise.resolve().then(() => {
          done = true;
        }),
      );
      return new Response(null, { status: 204 });
    },
  };
  await toFetch(fromWorker(worker), { waitUntil: (work) => kept.push(work) })('/');
  expect(kept).toHaveLength(1);
  await Promise.all(kept);
  expect(done).toBe(true);
});

test('a context of the caller’s own is used as it is', async () => {
  const ctx = { waitUntil() {}, passThroughOnException() {} };
  let seen: unknown;
  const worker: ModuleWorker = {
    fetch(_request, _env, given) {
      seen = given;
      return new Response();
    },
  };
  await toFetch(fromWorker(worker, { ctx }))('/');
  expect(seen).toBe(ctx);
});

test('a class is made anew for each request, with context and bindings', async () => {
  class Entrypoint {
    readonly ctx: { waitUntil: unknown };
    readonly env: { NAME: string };
    constructor(ctx: { waitUntil: unknown }, env: { NAME: string }) {
      this.ctx = ctx;
      this.env = env;
    }
    fetch(request: Request): Response {
      return new Response(`${request.method} ${this.env.NAME} ${typeof this.ctx.waitUntil}`);
    }
  }
  const response = await toFetch(fromWorker(Entrypoint, { env: { NAME: 'class' } }))('/');
  expect(await response.text()).toBe('GET class function');
});

test('CF-Connecting-IP is REMOTE_ADDR, whatever the client sent', async () => {
  const worker = { fetch: (request: Request) => new Response(request.headers.get('CF-Connecting-IP')) };
  const spoofed = { headers: { 'CF-Connecting-IP': '6.6.6.6' } };
  const known = from({ REMOTE_ADDR: '203.0.113.9' }, fromWorker(worker));
  expect(await (await toFetch(known)('/', spoofed)).text()).toBe('203.0.113.9');
  expect(await (await toFetch(fromWorker(worker))('/', spoofed)).text()).toBe('');
});

test('on Workers a Worker gets the platform’s own bindings, context, cf object and request', async () => {
  const env = { KV: {} };
  const ctx = { waitUntil() {} };
  const cf = { country: 'NZ' };
  const request = Object.defineProperty(
    new Request('https://h/a', { headers: { 'CF-Connecting-IP': '192.0.2.1' } }),
    'cf',
    {
      value: cf,
    },
  );
  let seen: unknown[] = [];
  const worker: ModuleWorker = {
    fetch(...given) {
      seen = given;
      return new Response('native');
    },
  };
  const response = await toWorker(fromWorker(worker)).fetch(request, env, ctx);
  expect(await response.text()).toBe('native');
  expect(seen[0]).toBe(request);
  expect(seen[1]).toBe(env);
  expect(seen[2]).toBe(ctx);
});

test('on Workers, behind a middleware that changed the request, cf and CF-Connecting-IP are still there', async () => {
  const request = Object.defineProperty(
    new Request('https://h/a', { headers: { 'CF-Connecting-IP': '192.0.2.1' } }),
    'cf',
    {
      value: { country: 'NZ' },
    },
  );
  const worker = {
    fetch: (given: Request & { cf?: { country: string } }) =>
      Response.json([given.cf?.country, given.headers.get('CF-Connecting-IP'), new URL(given.url).pathname]),
  };
  const app = from({ PATH_INFO: '/moved' }, fromWorker(worker));
  const response = await toWorker(app).fetch(request, {}, { waitUntil() {} });
  expect(await response.json()).toEqual(['NZ', '192.0.2.1', '/moved']);
});

test.each([null, undefined, {}, () => new Response(), { scheduled() {} }])(
  '%s is no Worker that serves HTTP',
  (worker) => {
    expect(() => fromWorker(worker as ModuleWorker | WorkerClass)).toThrow('expected the default export of a Worker');
  },
);
