// An Express, Koa or Fastify app on node: as it is, or as an application of Waygate's.

import { createServer } from 'node:http';
import { ready } from '../lib/contestant.mjs';
import { load } from '../lib/waygate.mjs';

const PAGE = 'Hello, world!\n';
const [framework, mode] = process.argv.slice(2);

const FRAMEWORKS = {
  express: async () => {
    const { default: express } = await import('express');
    const app = express();
    app.use(express.json());
    app.get('/hello', (_request, response) => void response.send(PAGE));
    app.post('/json', (request, response) => void response.json(request.body));
    return { listener: app, hosted: app };
  },
  koa: async () => {
    const { default: Koa } = await import('koa');
    const app = new Koa();
    app.use(async (context) => {
      if (context.method !== 'POST') {
        context.body = PAGE;
        return;
      }
      const chunks = [];
      for await (const chunk of context.req) chunks.push(chunk);
      context.body = JSON.parse(Buffer.concat(chunks).toString());
    });
    return { listener: app.callback(), hosted: app.callback() };
  },
  fastify: async () => {
    const { default: Fastify } = await import('fastify');
    const app = Fastify();
    app.get('/hello', (_request, reply) => reply.send(PAGE));
    app.post('/json', (request, reply) => reply.send(request.body));
    await app.ready();
    return { listener: (request, response) => app.server.emit('request', request, response), hosted: app.server };
  },
};

const { listener, hosted } = await FRAMEWORKS[framework]();
const listen = (each) => {
  const server = createServer(each).listen(0, '127.0.0.1', () => ready(server.address().port));
};
if (mode === 'itself') listen(listener);
else {
  const { fromNode, serve, toNode } = await load('waygate/node');
  const app = fromNode(hosted);
  if (mode === 'waygate') listen(toNode(app));
  else if (mode === 'waygate-copied') listen(toNode((environ, startResponse) => app({ ...environ }, startResponse)));
  else ready((await serve(app, { port: 0, hostname: '127.0.0.1' })).port);
}
