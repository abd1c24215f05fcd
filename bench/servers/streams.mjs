// Streamed responses: /stream is 1 MiB in 64 pieces, /events a hundred server-sent events, /idle one event and then nothing.

import http from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { ready } from '../lib/contestant.mjs';
import { load } from '../lib/waygate.mjs';

const piece = new Uint8Array(16_384).fill(97);
const event = new TextEncoder().encode('event: tick\ndata: {"count":1}\n\n');

async function* chunksOf(path) {
  if (path === '/stream') for (let count = 0; count < 64; count++) yield piece;
  else if (path === '/events') {
    for (let count = 0; count < 100; count++) {
      yield event;
      await turn();
    }
  } else {
    yield event;
    await new Promise(() => {});
  }
}

const typeOf = (path) => (path === '/stream' ? 'application/octet-stream' : 'text/event-stream');
const pull = (path) => {
  const chunks = chunksOf(path);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
};
const respond = (request) => {
  const { pathname } = new URL(request.url);
  return new Response(pull(pathname), { headers: { 'content-type': typeOf(pathname) } });
};

const LISTENERS = {
  'node:http': async () => async (request, response) => {
    response.writeHead(200, { 'content-type': typeOf(request.url) });
    for await (const chunk of chunksOf(request.url)) {
      if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  },
  waygate: async () =>
    (await load('waygate/node')).toNode((environ, startResponse) => {
      startResponse('200 OK', [['content-type', typeOf(environ.PATH_INFO)]]);
      return chunksOf(environ.PATH_INFO);
    }),
  'waygate-fetch': async () => (await load('waygate/node')).toNode((await load('waygate/fetch')).fromFetch(respond)),
  'node-server': async () => (await import('@hono/node-server')).getRequestListener(respond),
};

const listener = await LISTENERS[process.argv[2]]();
const server = http.createServer(listener).listen(0, '127.0.0.1', 1024, () => ready(server.address().port));
