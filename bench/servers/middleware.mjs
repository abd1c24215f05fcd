// One middleware around one page, of Waygate's or of others: `middleware.mjs MIDDLEWARE SERVER`.

import http from 'node:http';
import { folderOfPages, PAGES } from '../apps/pages.mjs';
import { ready } from '../lib/contestant.mjs';
import { load } from '../lib/waygate.mjs';

const [middleware, server] = process.argv.slice(2);
const TYPE = 'text/html; charset=utf-8';
const nameOf = (url) => url.slice(url.lastIndexOf('/') + 1);

const SERVERS = {
  async waygate() {
    const { encode } = await load('waygate');
    const { nodeEncoders, directory, toNode } = await load('waygate/node');
    const { compress, conditional, staticFiles } = await load('waygate/middleware');
    const pages = Object.fromEntries(Object.entries(PAGES).map(([name, text]) => [name, encode(text)]));
    const app = (environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', TYPE]]);
      return [pages[nameOf(environ.PATH_INFO)]];
    };
    const wrapped = {
      none: () => app,
      compress: () => compress(app, { encoders: nodeEncoders }),
      etag: () => conditional(app),
      static: () => staticFiles(directory(folderOfPages())),
    }[middleware]();
    listen(toNode(wrapped));
  },

  async node() {
    const pages = Object.fromEntries(Object.entries(PAGES).map(([name, text]) => [name, Buffer.from(text)]));
    const app = (request, response) => {
      const body = pages[nameOf(request.url)];
      response.setHeader('Content-Type', TYPE);
      response.setHeader('Content-Length', body.byteLength);
      response.end(body);
    };
    if (middleware === 'none') return listen(app);
    if (middleware === 'compress') {
      const around = (await import('compression')).default();
      return listen((request, response) => around(request, response, () => app(request, response)));
    }
    const { default: sirv } = await import('sirv');
    const dev = process.env.SIRV_DEV === '1';
    const serve = sirv(folderOfPages(), { dev, etag: true });
    listen((request, response) => serve(request, response, () => response.writeHead(404).end()));
  },

  async hono() {
    const { Hono } = await import('hono');
    const { getRequestListener } = await import('@hono/node-server');
    const app = new Hono();
    if (middleware === 'compress') app.use((await import('hono/compress')).compress());
    if (middleware === 'etag') app.use((await import('hono/etag')).etag());
    if (middleware === 'static') {
      const { serveStatic } = await import('@hono/node-server/serve-static');
      app.use('/*', serveStatic({ root: folderOfPages() }));
    }
    app.get('/:name', (c) => {
      const text = PAGES[c.req.param('name')];
      return c.body(text, 200, { 'Content-Type': TYPE, 'Content-Length': String(text.length) });
    });
    listen(getRequestListener(app.fetch));
  },
};

function listen(listener) {
  const listening = http.createServer(listener);
  listening.listen(0, '127.0.0.1', () => ready(listening.address().port));
}

await SERVERS[server]();
