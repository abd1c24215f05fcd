// What a Fetch handler is given besides the request: on each platform what its framework's own adapter gives it there.

import { readFileSync } from 'node:fs';
import { getConnInfo as nodeConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { getConnInfo as lambdaConnInfo } from 'hono/aws-lambda';
import { getConnInfo as workersConnInfo } from 'hono/cloudflare-workers';
import { getConnInfo as edgeConnInfo } from 'hono/lambda-edge';
import { expect, test, vi } from 'vitest';
import { run, setupTestingDefaults } from 'waygate';
import { toLambda } from 'waygate/aws-lambda';
import { toWorker } from 'waygate/cloudflare-workers';
import { environOf, fromFetch, toFetch } from 'waygate/fetch';
import { copies, listening, wraps } from './hosting.ts';

/** An app that answers with what `look` finds in its context. */
// biome-ignore lint/suspicious/noExplicitAny: each platform has its own bindings.
function looking(look: (c: any) => unknown): ReturnType<typeof fromFetch> {
  const app = new Hono();
  app.all('*', (c) => c.json(look(c) ?? null));
  return fromFetch(app);
}

test('on node: incoming, outgoing, and the environ', async () => {
  const app = looking((c) => [
    c.env.incoming.method,
    c.env.incoming === c.env.environ['node.request'],
    c.env.outgoing === c.env.environ['node.response'],
    environOf(c.req.raw) === c.env.environ,
    nodeConnInfo(c).remote.address,
    nodeConnInfo(c).remote.addressType,
  ]);
  const server = await listening(app);
  expect(await (await server.call('/')).json()).toEqual(['GET', true, true, true, '127.0.0.1', 'IPv4']);
  server.close();
});

test('on Workers: env and ctx, also where a middleware has made everything anew', async () => {
  const work: unknown[] = [];
  const ctx = { waitUntil: (each: Promise<unknown>) => void work.push(each), passThroughOnException() {}, props: {} };
  const env = { KEY: 'value' };
  for (const middleware of [(app: ReturnType<typeof fromFetch>) => app, wraps, copies]) {
    work.length = 0;
    const app = looking((c) => {
      c.executionCtx.waitUntil(Promise.resolve());
      return [
        c.env === env,
        c.executionCtx === ctx,
        workersConnInfo(c).remote.address,
        environOf(c.req.raw) !== undefined,
      ];
    });
    const request = new Request('http://localhost/', { headers: { 'cf-connecting-ip': '203.0.113.7' } });
    const response = await toWorker(middleware(app)).fetch(request, env, ctx);
    expect(await response.json()).toEqual([true, true, '203.0.113.7', true]);
    expect(work.length).toBeGreaterThan(0);
  }
});

test.each([
  ['alb-powertools-base', undefined],
  ['apigw-v1-powertools-no-auth', undefined],
  ['apigw-v2-go-no-authorizer', undefined],
  ['function-url-go-get', undefined],
] as [string, undefined][])('on Lambda, %s: event, requestContext, both contexts', async (name) => {
  const event = JSON.parse(readFileSync(new URL(`../../cases/events/${name}.json`, import.meta.url), 'utf8'));
  const context = { awsRequestId: 'id' };
  const app = looking((c) => [
    c.env.event === c.env.environ['aws.event'],
    c.env.requestContext === c.env.event.requestContext,
    c.env.lambdaContext.awsRequestId,
    c.env.context.awsRequestId,
    lambdaConnInfo(c).remote.address,
    c.env.environ.REMOTE_ADDR,
  ]);
  const result = (await toLambda(app)(event as never, context as never)) as { body: string };
  const [sameEvent, sameContext, id, streamId, address, remote] = JSON.parse(result.body);
  expect([sameEvent, sameContext, id, streamId]).toEqual([true, true, 'id', 'id']);
  expect(address).toBe(remote ?? null);
});

test('on Lambda@Edge: the event', async () => {
  const url = new URL('../../cases/events/edge-viewer-request-hono.json', import.meta.url);
  const event = JSON.parse(readFileSync(url, 'utf8'));
  const app = looking((c) =>
    c.env.request === c.env.event.Records[0].cf.request ? edgeConnInfo(c).remote.address : 'none',
  );
  const result = (await toLambda(app)(event as never, {} as never)) as { body: string };
  expect(JSON.parse(result.body)).toBe(event.Records[0].cf.request.clientIp);
});

test('on Deno and Bun: what they pass after the request', async () => {
  // Hono's modules for a runtime look for its global when they load, and use none of it here.
  vi.stubGlobal('Bun', {});
  vi.stubGlobal('Deno', { lstatSync() {}, errors: {} });
  const { getConnInfo: bunConnInfo } = await import('hono/bun');
  const { getConnInfo: denoConnInfo } = await import('hono/deno');
  vi.unstubAllGlobals();
  const remoteAddr = { hostname: '203.0.113.7', port: 4711, transport: 'tcp' };
  const deno = looking((c) => [denoConnInfo(c).remote, typeof c.executionCtx.waitUntil]);
  const expected = { address: '203.0.113.7', port: 4711, transport: 'tcp' };
  for (const middleware of [(app: ReturnType<typeof fromFetch>) => app, wraps, copies]) {
    const response = await toFetch(middleware(deno))(new Request('http://localhost/'), { remoteAddr });
    expect(await response.json()).toEqual([expected, 'function']);
  }
  const server = {
    requestIP: (request: unknown) => request instanceof Request && { address: '::1', family: 'IPv6', port: 1 },
  };
  const bun = looking((c) => bunConnInfo(c).remote);
  expect(await (await toFetch(bun)(new Request('http://localhost/'), server)).json()).toEqual({
    address: '::1',
    addressType: 'IPv6',
    port: 1,
  });
});

test('elsewhere: an environ, and an execution context', async () => {
  const app = looking((c) => [Object.keys(c.env), c.env.environ['waygate.gateway'], 'props' in c.executionCtx]);
  expect(await (await toFetch(app)('/')).json()).toEqual([['environ'], 'fetch', true]);
});

test('arguments after a request, or after a path and its init, reach the handler as they are, undefined ones too', async () => {
  const seen: unknown[][] = [];
  const handler = toFetch(
    fromFetch((_request, ...rest) => {
      seen.push(rest);
      return new Response();
    }),
  );
  const env = { method: 'a binding that is called like an option of fetch' };
  const ctx = { waitUntil() {} };
  await handler(new Request('http://localhost/'), env, ctx);
  await handler('/path', { method: 'POST' }, env, ctx);
  await handler('/path', undefined, env, ctx);
  await handler(new Request('http://localhost/'), undefined, undefined);
  expect(seen).toEqual([
    [env, ctx],
    [env, ctx],
    [env, ctx],
    [undefined, undefined],
  ]);
  expect(seen[0]?.[0]).toBe(env);
});

test('waitUntil is waygate.wait_until, and passThroughOnException does nothing', async () => {
  const work: unknown[] = [];
  const promise = Promise.resolve();
  const app = fromFetch((_request, _env, ctx) => {
    ctx.waitUntil(promise);
    ctx.passThroughOnException();
    return new Response();
  });
  await run(app, setupTestingDefaults({ 'waygate.wait_until': (each: unknown) => void work.push(each) }));
  expect(work).toEqual([promise]);
});

test('work that fails afterwards is logged, and crashes nothing', async () => {
  const log: string[] = [];
  const app = fromFetch((_request, _env, ctx) => {
    ctx.waitUntil(Promise.reject(new Error('failed afterwards')));
    return new Response();
  });
  await toFetch(app, { errors: (text) => void log.push(text) })('/');
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(log.join()).toContain('failed afterwards');
});
