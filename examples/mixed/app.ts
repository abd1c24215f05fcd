// Three kinds of application in one deployment, each under a prefix of its own, with one middleware around them all.

import { Hono } from 'hono';
import { type Application, encode, type Middleware } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { mount } from 'waygate/middleware';

const api = new Hono();
api.get('/users/:id', (c) => c.json({ served: 'by Hono', id: c.req.param('id'), path: c.req.path }));
api.post('/echo', async (c) => c.text(await c.req.text()));

const home: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
  return [encode(`served by a plain application at ${environ.SCRIPT_NAME}${environ.PATH_INFO}\n`)];
};

/** Says on every response where its application is mounted. */
const marked: Middleware = (app) => (environ, startResponse) =>
  app(environ, (status, headers, error) =>
    startResponse(status, [...headers, ['X-Mounted-At', environ.SCRIPT_NAME || '/']], error),
  );

export default marked(mount({ '/': home, '/api': fromFetch(api) }));
