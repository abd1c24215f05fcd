// A Hono app on node, under the adapter that the argument names: `waygate`, or @hono/node-server as it comes (`node-server`:
// it puts a Response of its own in the place of the global one) or without that (`node-server-plain`).

import http from 'node:http';
import { Hono } from 'hono';
import { ready } from '../lib/contestant.mjs';

const app = new Hono();
app.get('/', (context) => context.text('Hello, world!\n'));
app.get('/users/:id', (context) =>
  context.json({ id: context.req.param('id'), agent: context.req.header('user-agent') ?? null }),
);
app.post('/json', async (context) => context.json(await context.req.json()));

const adapters = {
  waygate: async () => {
    const { fromFetch } = await import('../../dist/adapters/fetch/index.js');
    const { toNode } = await import('../../dist/adapters/node/index.js');
    return http.createServer(toNode(fromFetch(app.fetch)));
  },
  'node-server': async () => {
    const { createAdaptorServer } = await import('@hono/node-server');
    return createAdaptorServer({ fetch: app.fetch });
  },
  'node-server-plain': async () => {
    const { createAdaptorServer } = await import('@hono/node-server');
    return createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false });
  },
};

const server = await adapters[process.argv[2]]();
server.listen(0, '127.0.0.1', () => ready(server.address().port));
