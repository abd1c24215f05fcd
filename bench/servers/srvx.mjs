// srvx with a plain fetch callback.

import { serve } from 'srvx';
import { ready } from '../lib/contestant.mjs';

const server = serve({
  port: 0,
  hostname: '127.0.0.1',
  silent: true,
  gracefulShutdown: false,
  fetch: async (request) => {
    if (request.method !== 'POST')
      return new Response('Hello, world!\n', { headers: { 'Content-Type': 'text/plain' } });
    return Response.json(await request.json());
  },
});
await server.ready();
ready(Number(new URL(server.url).port));
