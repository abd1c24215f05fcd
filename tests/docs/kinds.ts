// The kinds of apps in the matrix of README.md. All of them do the same.

import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { type Application, encode } from 'waygate';
import { fromLambda, toLambda } from 'waygate/aws-lambda';
import { fromWorker } from 'waygate/cloudflare-workers';
import { fromFetch } from 'waygate/fetch';
import { fromNode } from 'waygate/node';

/** What each app does: echoes the path, the query and the body, with two cookies. */
interface Echo {
  path: string;
  query: string;
  body: string;
}

export const COOKIES: string[] = ['a=1; Path=/', 'b=2; Path=/'];
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

/** By the names of the rows. */
export const KINDS: Record<string, () => Application | Promise<Application>> = {
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
