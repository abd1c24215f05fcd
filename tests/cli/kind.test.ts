// What a module's export is taken for, and that each kind is served.

import { createServer } from 'node:http';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { describe, expect, it } from 'vitest';
import { toFetch } from 'waygate/fetch';
import { findApp, type Kind, recognize } from '../../cli/src/kind.ts';

const text = 'an answer';

const apps: [what: string, make: () => unknown, kind: Kind][] = [
  ['an application', () => waygateApp, 'app'],
  ['a function of one argument', () => (_request: Request) => new Response(text), 'fetch'],
  ['an object with fetch', () => ({ fetch: () => new Response(text) }), 'fetch'],
  ['a Hono app', () => new Hono().get('/', (context) => context.text(text)), 'fetch'],
  ['an Express app', () => express().get('/', (_request, response) => void response.send(text)), 'node'],
  ['a Koa app', () => new Koa().use((context) => void Object.assign(context, { body: text })), 'node'],
  ['a Fastify app', () => Fastify().get('/', async () => text), 'node'],
  ['a WorkerEntrypoint class', () => Entrypoint, 'fetch'],
  ['an http.Server', () => createServer((_request, response) => void response.end(text)), 'node'],
];

class Entrypoint {
  readonly #ctx: unknown;
  readonly #env: unknown;
  constructor(ctx: { waitUntil?: unknown }, env: unknown) {
    this.#ctx = ctx.waitUntil;
    this.#env = env;
  }
  fetch(): Response {
    return new Response(typeof this.#ctx === 'function' && typeof this.#env === 'object' ? text : 'not a Worker');
  }
}

const waygateApp = (_environ: unknown, startResponse: (status: string, headers: [string, string][]) => unknown) => {
  startResponse('200 OK', []);
  return [new TextEncoder().encode(text)];
};

describe('recognized and served', () => {
  it.each(apps)('%s', async (_what, make, kind) => {
    const found = await findApp({ default: make() }, 'app.ts');
    expect(found).toMatchObject({ kind, exportName: 'default' });
    const response = await toFetch(found.application)('/');
    expect([response.status, await response.text()]).toEqual([200, text]);
  });

  it('takes a bare node listener for an application, unless --kind says otherwise', async () => {
    const listener = (_request: unknown, response: { end(text: string): void }): void => response.end(text);
    expect(recognize(listener)).toBe('app');
    const found = await findApp({ default: listener }, 'app.ts', 'node');
    expect(await (await toFetch(found.application)('/')).text()).toBe(text);
  });

  it.each([null, 1, 'text', [], {}, { get() {} }, new Map(), class {}])('takes %j for nothing', (value) => {
    expect(recognize(value)).toBeUndefined();
  });
});

describe('the export', () => {
  it('is the default one before `app`', async () => {
    const found = await findApp({ default: waygateApp, app: () => new Response() }, 'app.ts');
    expect(found.exportName).toBe('default');
    expect(found.application).toBe(waygateApp);
  });

  it('is `app` where there is no default one', async () => {
    expect(await findApp({ app: waygateApp, other: 1 }, 'app.ts')).toMatchObject({
      exportName: 'app',
      expression: 'app',
    });
  });

  it.each([
    ['app', { app: waygateApp }, 'app.app'],
    ['default', { default: waygateApp, app: 1 }, 'app.default'],
  ])('is `%s` of a CommonJS module, whose exports come as one object', async (_name, exports, expression) => {
    const found = await findApp({ default: exports }, 'app.cjs');
    expect(found).toMatchObject({ kind: 'app', exportName: 'default', expression, application: waygateApp });
  });

  it('of a CommonJS module is what it exports as a whole, where that is an app', async () => {
    const hono = Object.assign(new Hono(), { app: 1 });
    expect(await findApp({ default: hono }, 'app.cjs')).toMatchObject({ kind: 'fetch', expression: 'app' });
  });

  it('may be a promise', async () => {
    const found = await findApp({ default: Promise.resolve(waygateApp) }, 'app.ts');
    expect(found).toMatchObject({ kind: 'app', expression: '(await app)', application: waygateApp });
  });
});
