// Three kinds of application in one deployment, each under a prefix of its own, with one middleware around them all.

import express from 'express';
import { Hono } from 'hono';
import { type Application, decodeWsgi, encode, type Middleware } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { mount } from 'waygate/middleware';
import { fromNode } from 'waygate/node';

const api = new Hono();
api.get('/users/:id', (c) => c.json({ served: 'by Hono', id: c.req.param('id'), path: c.req.path }));
api.post('/echo', async (c) => c.text(await c.req.text()));

const shop = express();
shop.use(express.json());
shop.get('/items/:id', (request, response) => {
  response.json({ served: 'by Express', id: request.params.id, path: request.path, mountedAt: request.baseUrl });
});
shop.post('/items', (request, response) => {
  response.status(201).location(`/shop/items/${request.body.id}`).json({ created: request.body.id });
});

const home: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
  const path = decodeWsgi(environ.SCRIPT_NAME + environ.PATH_INFO);
  return [encode(`served by a plain application at ${path}\n`)];
};

/** Says on every response where its application is mounted. */
const marked: Middleware = (app) => (environ, startResponse) =>
  app(environ, (status, headers, error) =>
    startResponse(status, [...headers, ['X-Mounted-At', environ.SCRIPT_NAME || '/']], error),
  );

export default marked(mount({ '/': home, '/api': fromFetch(api), '/shop': fromNode(shop) }));
