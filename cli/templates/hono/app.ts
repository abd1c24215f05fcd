import { Hono } from 'hono';

const app = new Hono();

app.get('/', (c) => c.text('Hello from Waygate!\n'));

app.post('/echo', async (c) =>
  c.body(await c.req.arrayBuffer(), 200, {
    'Content-Type': c.req.header('content-type') ?? 'application/octet-stream',
  }),
);

export default app;
