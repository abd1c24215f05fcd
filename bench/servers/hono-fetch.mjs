// @hono/node-server with a plain fetch callback, no framework behind it.

import { serve } from '@hono/node-server';
import { ready } from '../lib/contestant.mjs';

const fetch = async (request) => {
  if (request.method !== 'POST') return new Response('Hello, world!\n', { headers: { 'Content-Type': 'text/plain' } });
  return Response.json(await request.json());
};

serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => ready(port));
