// Runs in Deno: a Fastify app and a listener that says what it got, hosted on a `Deno.serve`. Prints its own URL.

import { text } from 'node:stream/consumers';
import fastify from 'fastify';
import { toFetch } from '../../../adapters/fetch/index.ts';
import { fromNode } from '../../../adapters/node/from-node.ts';

/** What is used of the runtime: its types are no dependency of the project. */
declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen(): void },
    fetch: (request: Request) => Promise<Response>,
  ): { readonly addr: { readonly port: number } };
};

const app = fastify();
app.route({ method: ['DELETE', 'OPTIONS', 'POST', 'PUT'], url: '/fastify', handler: async () => 'served' });
app.post('/fastify/json', async (request) => request.body);
await app.ready();

const served = toFetch(fromNode(app.server));
const shown = toFetch(
  fromNode(async (request, response) => {
    const { 'transfer-encoding': coding = null, 'content-length': length = null } = request.headers;
    response.end(JSON.stringify({ coding, length, body: await text(request) }));
  }),
);

const server = Deno.serve({ port: 0, hostname: '127.0.0.1', onListen() {} }, (request) =>
  new URL(request.url).pathname.startsWith('/fastify') ? served(request) : shown(request),
);
console.log(`http://127.0.0.1:${server.addr.port}`);
