// The smallest Hono app.

import { Hono } from 'hono';

const app = new Hono();
app.get('/hello', (context) => context.text('Hello, world!\n'));

export default app;
