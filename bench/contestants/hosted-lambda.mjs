// A Hono, Express, Koa or Fastify app on Lambda, through Waygate and through the bridges made for its framework.

import { invoker, makeEvent } from '../lib/events.mjs';
import { load } from '../lib/waygate.mjs';

const PAGE = 'Hello, world!\n';

const hono = async () => {
  const { Hono } = await import('hono');
  const app = new Hono();
  app.get('/hello', (c) => c.text(PAGE));
  app.get('/users/:id', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q') }));
  app.post('/json', async (c) => c.json(await c.req.json()));
  return app;
};

const express = async () => {
  const { default: make } = await import('express');
  const app = make();
  app.use(make.json());
  app.get('/hello', (_request, response) => void response.send(PAGE));
  app.get('/users/:id', (request, response) => void response.json({ id: request.params.id, q: request.query.q }));
  app.post('/json', (request, response) => void response.json(request.body));
  return app;
};

const koa = async () => {
  const { default: Koa } = await import('koa');
  const app = new Koa();
  app.use(async (context) => {
    if (context.method === 'POST') {
      const chunks = [];
      for await (const chunk of context.req) chunks.push(chunk);
      context.body = JSON.parse(Buffer.concat(chunks).toString());
    } else if (context.path === '/hello') context.body = PAGE;
    else context.body = { id: context.path.slice('/users/'.length), q: context.query.q };
  });
  return app.callback();
};

const fastify = async () => {
  const { default: Fastify } = await import('fastify');
  const app = Fastify();
  app.get('/hello', (_request, reply) => reply.send(PAGE));
  app.get('/users/:id', (request, reply) => reply.send({ id: request.params.id, q: request.query.q }));
  app.post('/json', (request, reply) => reply.send(request.body));
  return app;
};

const toLambda = async (app) => (await load('waygate/aws-lambda')).toLambda(app);
const fromNode = async (listener) => (await load('waygate/node')).fromNode(listener);
const serverlessHttp = async (app) => (await import('serverless-http')).default(app);
const vendia = async (app) => (await import('@vendia/serverless-express')).default({ app });

const HANDLERS = {
  hono: {
    waygate: async () => {
      // The light classes are what `waygate build` puts into a bundle.
      if (process.env.WAYGATE_LIGHT === '1') await load('waygate/light-fetch');
      const { fromFetch } = await load('waygate/fetch');
      return toLambda(fromFetch((await hono()).fetch));
    },
    'hono/aws-lambda': async () => (await import('hono/aws-lambda')).handle(await hono()),
  },
  express: {
    waygate: async () => toLambda(await fromNode(await express())),
    'serverless-http': async () => serverlessHttp(await express()),
    '@vendia/serverless-express': async () => vendia(await express()),
  },
  koa: {
    waygate: async () => toLambda(await fromNode(await koa())),
    'serverless-http': async () => serverlessHttp(await koa()),
    '@vendia/serverless-express': async () => vendia(await koa()),
  },
  fastify: {
    waygate: async () => {
      const app = await fastify();
      await app.ready();
      return toLambda(await fromNode(app.server));
    },
    'serverless-http': async () => {
      const app = await fastify();
      await app.ready();
      return serverlessHttp(app);
    },
    '@fastify/aws-lambda': async () => (await import('@fastify/aws-lambda')).default(await fastify()),
  },
};

export default async function prepare(framework, adapter, source, request) {
  return invoker(await HANDLERS[framework][adapter](), makeEvent(source, request));
}
