// The matrix in README.md: every cell says that an app of some kind runs on some platform, and every cell is run here.

import { readFileSync } from 'node:fs';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { afterAll, describe, expect, it } from 'vitest';
import { type Application, encode } from 'waygate';
import { fromLambda, type SourceName, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { fromWorker, toWorker } from 'waygate/cloudflare-workers';
import { fromFetch, toFetch } from 'waygate/fetch';
import { fromNode, serve } from 'waygate/node';

type Call = (path: string, init?: RequestInit) => Promise<Response>;

/** What each app does: echoes the path, the query and the body, with two cookies. */
interface Echo {
  path: string;
  query: string;
  body: string;
}

const COOKIES = ['a=1; Path=/', 'b=2; Path=/'];
const echo = (path: string, query: string, body: string): string =>
  JSON.stringify({ path, query, body } satisfies Echo);

const plain: Application = async (environ, startResponse) => {
  const body = await environ['wsgi.input'].text();
  startResponse('201 Created', [
    ['Content-Type', 'application/json'],
    ...COOKIES.map((cookie): [string, string] => ['Set-Cookie', cookie]),
  ]);
  return [encode(echo(environ.PATH_INFO, environ.QUERY_STRING, body))];
};

async function fetchHandler(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers({ 'Content-Type': 'application/json' });
  for (const cookie of COOKIES) headers.append('Set-Cookie', cookie);
  return new Response(echo(pathname, search.slice(1), await request.text()), { status: 201, headers });
}

function hono(): Application {
  const app = new Hono();
  app.post('/*', async (c) => {
    for (const cookie of COOKIES) c.header('Set-Cookie', cookie, { append: true });
    const { pathname, search } = new URL(c.req.url);
    return c.text(echo(pathname, search.slice(1), await c.req.text()), 201, { 'Content-Type': 'application/json' });
  });
  return fromFetch(app);
}

function expressApp(): Application {
  const app = express();
  app.use(express.text({ type: '*/*' }));
  app.post('/*path', (request, response) => {
    const query = request.originalUrl.split('?')[1] ?? '';
    response
      .status(201)
      .append('Set-Cookie', COOKIES)
      .type('json')
      .send(echo(request.path, query, request.body));
  });
  return fromNode(app);
}

function koa(): Application {
  const app = new Koa();
  app.use(async (context) => {
    let body = '';
    for await (const chunk of context.req) body += chunk;
    context.status = 201;
    context.append('Set-Cookie', COOKIES);
    context.type = 'json';
    context.body = echo(context.path, context.querystring, body);
  });
  return fromNode(app.callback());
}

async function fastify(): Promise<Application> {
  const app = Fastify();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post('/*', (request, reply) => {
    const [path, query = ''] = request.url.split('?');
    return reply
      .code(201)
      .header('set-cookie', COOKIES)
      .type('application/json')
      .send(echo(path as string, query, String(request.body)));
  });
  await app.ready();
  return fromNode(app.server);
}

function listener(): Application {
  return fromNode((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const [path, query = ''] = request.url.split('?');
      response.writeHead(201, { 'Content-Type': 'application/json', 'Set-Cookie': COOKIES });
      response.end(echo(path, query, body));
    });
  });
}

const KINDS: Record<string, () => Application | Promise<Application>> = {
  'an application': () => plain,
  'a Fetch handler': () => fromFetch(fetchHandler),
  Hono: hono,
  Express: expressApp,
  Koa: koa,
  Fastify: fastify,
  'a node listener': listener,
  'a Worker': () => fromWorker({ fetch: fetchHandler }),
  'a Lambda handler': () => fromLambda(toLambda(plain), { source: 'http-api' }),
};

const BUFFERED: SourceName[] = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'];
const STREAMED: SourceName[] = ['rest-api', 'function-url'];
const closing: (() => Promise<void>)[] = [];

/** Each platform as calls to it; Lambda has several. */
const PLATFORMS: Record<string, (app: Application) => Promise<Record<string, Call>>> = {
  async Node(app) {
    const { url, close } = await serve(app, { port: 0, signals: false });
    closing.push(close);
    return { 'node:http': (path, init) => fetch(new URL(path, url), init) };
  },
  Fetch: async (app) => ({ toFetch: toFetch(app) }),
  async Workers(app) {
    const worker = toWorker(app);
    const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
    return {
      toWorker: async (path, init) =>
        worker.fetch(new Request(new URL(path, 'https://example.com'), init), {}, context),
    };
  },
  Lambda: async (app) =>
    Object.fromEntries(BUFFERED.map((source) => [source, toFetch(fromLambda(toLambda(app), { source }))])),
  'Lambda, streamed': async (app) =>
    Object.fromEntries(STREAMED.map((source) => [source, toFetch(fromLambda(toLambdaStream(app), { source }))])),
};

/** The matrix as it stands in README.md: the names of its columns, and its rows. */
function matrix(): { platforms: string[]; rows: [kind: string, cells: string[]][] } {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = /^\| what you have \|[\s\S]*?\n\n/m.exec(readme)?.[0] ?? '';
  const lines = table
    .trim()
    .split('\n')
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const [head = [], , ...rows] = lines;
  return { platforms: head.slice(2), rows: rows.map(([kind = '', , ...cells]) => [kind, cells]) };
}

describe('the matrix of README.md', () => {
  const { platforms, rows } = matrix();
  afterAll(() => Promise.all(closing.map((close) => close())));

  it('names every kind of app and every platform that is tested here, and no other', () => {
    expect(platforms).toEqual(Object.keys(PLATFORMS));
    expect(rows.map(([kind]) => kind)).toEqual(Object.keys(KINDS));
  });

  for (const [kind, cells] of rows) {
    cells.forEach((cell, column) => {
      const platform = platforms[column] as string;
      it(`${kind} on ${platform}`, async () => {
        expect(cell).toBe('yes');
        const app = await KINDS[kind]?.();
        const calls = await PLATFORMS[platform]?.(app as Application);
        for (const [name, call] of Object.entries(calls ?? {})) {
          const response = await call('/some/path?q=1&r=%20', {
            method: 'POST',
            body: 'grüße',
            headers: { 'Content-Type': 'text/plain' },
          });
          expect(response.status, name).toBe(201);
          expect(response.headers.getSetCookie(), name).toEqual(COOKIES);
          expect(await response.json(), name).toEqual({ path: '/some/path', query: 'q=1&r=%20', body: 'grüße' });
        }
      });
    });
  }
});
