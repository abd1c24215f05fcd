// A Worker as an application, off Cloudflare: what it is given in place of bindings, context and the edge's headers.
// Inside workerd, with real classes and contexts, it is tested in tests/e2e/workers/.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Application, Middleware } from 'waygate';
import { fromWorker, type ModuleWorker, toWorker, type WorkerClass } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { toNode } from 'waygate/node';

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
  '%s is not a Worker that serves HTTP',
  (worker) => {
    expect(() => fromWorker(worker as ModuleWorker | WorkerClass)).toThrow('expected the default export of a Worker');
  },
);

// On Cloudflare a Worker may leave it to workerd to encode what it has labelled; here nobody would.
describe.each(['gzip', 'br'])('a Worker that answers with Content-Encoding: %s', (coding) => {
  const text = 'plain text, caf\u00e9, '.repeat(500);
  const coded = coding === 'gzip' ? gzipSync(text) : brotliCompressSync(text);
  const hosted = (body: () => BodyInit | null, more: HeadersInit = {}): Application =>
    fromWorker({ fetch: () => new Response(body(), { headers: { 'content-encoding': coding, ...more } }) });
  const behind: Middleware = (app) => (environ, startResponse) => app({ ...environ }, startResponse);
  const pieces = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        for (let at = 0; at < 8; at++) controller.enqueue(bytes.slice(at, at + 1));
        controller.enqueue(bytes.slice(8));
        controller.close();
      },
    });

  test.each([
    ['as it is', (app: Application) => app],
    ['behind a middleware', behind],
  ])('and plain text has no label, %s', async (_title, middleware) => {
    for (const body of [() => text, () => new Blob([text]), () => pieces(Buffer.from(text))]) {
      const response = await toFetch(middleware(hosted(body, { 'x-more': 'yes' })))('/');
      expect(response.headers.get('content-encoding')).toBeNull();
      expect(response.headers.get('x-more')).toBe('yes');
      expect(await response.text()).toBe(text);
    }
  });

  test.each([
    ['as it is', (app: Application) => app],
    ['behind a middleware', behind],
  ])('and coded bytes keeps them and its label, %s', async (_title, middleware) => {
    for (const body of [() => coded, () => pieces(coded)]) {
      const response = await toFetch(middleware(hosted(body as () => BodyInit)))('/');
      expect(response.headers.get('content-encoding')).toBe(coding);
      expect(Buffer.from(await response.arrayBuffer())).toEqual(coded);
    }
  });

  test('reaches a client of a node server as text', async () => {
    const server = http.createServer(toNode(hosted(() => text))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await response.text()).toBe(text);
    server.close();
  });

  test('and no body, or a body that fails, is what it is', async () => {
    const empty = await toFetch(hosted(() => null))('/');
    expect([empty.status, empty.headers.get('content-encoding'), await empty.text()]).toEqual([200, coding, '']);
    const log: string[] = [];
    const failing = () => new ReadableStream({ pull: (controller) => controller.error(new Error('broke')) });
    const failed = await toFetch(behind(hosted(failing)), { errors: (line) => void log.push(line) })('/');
    expect([failed.status, log.join('')]).toEqual([500, expect.stringContaining('broke')]);
  });

  test('is read at the pace of its reader, and cancelled when that leaves', async () => {
    let cancelled: unknown;
    let pulled = 0;
    const endless = () =>
      new ReadableStream(
        {
          pull(controller) {
            pulled += 1;
            controller.enqueue(Buffer.from(text));
          },
          cancel(reason) {
            cancelled = reason;
          },
        },
        { highWaterMark: 0 },
      );
    const response = await toFetch(hosted(endless))('/');
    expect(pulled).toBe(1);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.read();
    expect(pulled).toBe(2);
    await reader.cancel('enough');
    expect(cancelled).toBe('enough');
  });
});
