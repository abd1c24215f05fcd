// A Hono app on node, under the adapter that the argument names: `waygate`, the same with `waygate/light-fetch`
// (`waygate-light`), @hono/node-server as it comes (`node-server`: it puts a Response of its own in the place of the global
// one) or without that (`node-server-plain`).

import http from 'node:http';
import { ready } from '../lib/contestant.mjs';
import { load } from '../lib/waygate.mjs';

const [adapter] = process.argv.slice(2);
if (adapter === 'waygate-light') await load('waygate/light-fetch');
const { Hono } = await import('hono');

const app = new Hono();
app.get('/hello', (context) => context.text('Hello, world!\n'));
app.get('/users/:id', (context) =>
  context.json({ id: context.req.param('id'), agent: context.req.header('user-agent') ?? null }),
);
app.post('/json', async (context) => context.json(await context.req.json()));

const throughWaygate = async () => {
  const { fromFetch } = await load('waygate/fetch');
  const { toNode } = await load('waygate/node');
  return http.createServer(toNode(fromFetch(app.fetch)));
};
const throughNodeServer = async (options) => {
  const { createAdaptorServer } = await import('@hono/node-server');
  return createAdaptorServer({ fetch: app.fetch, ...options });
};

const ADAPTERS = {
  waygate: throughWaygate,
  'waygate-light': throughWaygate,
  'node-server': () => throughNodeServer({}),
  'node-server-plain': () => throughNodeServer({ overrideGlobalObjects: false }),
};

const server = await ADAPTERS[adapter]();
server.listen(0, '127.0.0.1', () => ready(server.address().port));
