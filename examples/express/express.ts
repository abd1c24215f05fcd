// An Express app as it stands anywhere: nothing in it knows where it will run, but for what it asks the environ.

import express, { type Request } from 'express';
import type { Environ } from 'waygate';

const app = express();
app.set('trust proxy', false);
app.use(express.json());

app.get('/', (_request, response) => {
  response.send('<h1>Express, hosted by Waygate</h1>');
});

const users = express.Router();
users.get('/:id', (request, response) => {
  response.json({ id: request.params.id, fields: request.query.field ?? [] });
});
users.post('/', (request, response) => {
  const { name } = request.body;
  if (typeof name !== 'string') {
    response.status(422).json({ error: 'A user has a name.' });
    return;
  }
  response
    .status(201)
    .location(`${request.baseUrl}/${encodeURIComponent(name)}`)
    .json({ created: name });
});
app.use('/users', users);

app.get('/events', async (_request, response) => {
  response.set('Content-Type', 'text/event-stream').flushHeaders();
  for (let tick = 1; tick <= 3 && !response.destroyed; tick++) {
    response.write(`id: ${tick}\ndata: tick ${tick}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  response.end();
});

app.get('/fails', () => {
  throw Object.assign(new Error('This one always fails.'), { status: 418, expose: true });
});

app.get('/whoami', (request: Request & { environ?: Environ }, response) => {
  response.json({
    gateway: request.environ?.['waygate.gateway'],
    client: request.ip ?? null,
    mountedAt: request.baseUrl,
    url: request.originalUrl,
  });
});

export default app;
