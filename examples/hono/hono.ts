// A Hono app as it stands anywhere: nothing in it knows where it will run, but for what it asks the environ.

import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { environOf } from 'waygate/fetch';

const app = new Hono();

app.get('/', (c) => c.html('<h1>Hono, hosted by Waygate</h1>'));

app.get('/users/:id', (c) => c.json({ id: c.req.param('id'), fields: c.req.queries('field') ?? [] }));

app.post('/users', async (c) => {
  const user = await c.req.json<{ name: string }>();
  // Goes on after the response: on Workers, on Lambda and on node alike.
  c.executionCtx.waitUntil(welcome(user.name));
  return c.json({ created: user.name }, 201);
});

app.get('/events', (c) =>
  streamSSE(c, async (stream) => {
    for (let tick = 1; tick <= 3 && !stream.aborted; tick++) {
      await stream.writeSSE({ id: String(tick), data: `tick ${tick}` });
      await stream.sleep(20);
    }
  }),
);

app.get('/whoami', (c) => {
  const environ = environOf(c.req.raw);
  return c.json({
    gateway: environ?.['waygate.gateway'],
    client: environ?.REMOTE_ADDR ?? null,
    mountedAt: environ?.SCRIPT_NAME,
  });
});

/** Everybody who was welcomed since the program started. */
export const welcomed: string[] = [];

async function welcome(name: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10));
  welcomed.push(name);
}

export default app;
