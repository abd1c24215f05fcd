// A Hono app on @hono/node-server.

import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { ready } from '../lib/contestant.mjs';

const app = new Hono();
app.get('/', (context) => context.text('Hello, world!\n'));
app.post('/json', async (context) => context.json(await context.req.json()));

serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => ready(port));
