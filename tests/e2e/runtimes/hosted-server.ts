// Runs in a Node that strips types by itself: a hosted handler that looks at its own request in every way, and answers with
// what it found. Prints its own URL.

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { environOf, fromFetch } from '../../../adapters/fetch/index.ts';
import { toNode } from '../../../adapters/node/index.ts';

const looks: Record<string, (request: Request) => unknown> = {
  '/kind': (request) => [
    request instanceof Request,
    request.headers instanceof Headers,
    Object.prototype.toString.call(request),
    request.redirect,
    environOf(request)?.['waygate.gateway'],
  ],
  '/text': (request) => request.text(),
  '/json': (request) => request.json(),
  '/bytes': async (request) => (await request.arrayBuffer()).byteLength,
  '/form': async (request) => [...(await request.formData())],
  '/stream': (request) => new Response(request.body).text(),
  '/clone': async (request) => [await request.clone().text(), await request.text(), request.bodyUsed],
  '/copy': async (request) => {
    request.headers.set('x-added', 'yes');
    const copy = new Request(request);
    return [copy.method, copy.headers.get('x-added'), copy.url === request.url, await copy.text(), request.bodyUsed];
  },
  '/fetch': async (request) => (await fetch(new Request(new URL('/text', request.url), request))).json(),
  '/twice': async (request) => {
    await request.text();
    return request.text().catch((error: Error) => error.name);
  },
};

const app = fromFetch(async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/string') return new Response('text in memory');
  if (pathname === '/throws') throw new Error('on purpose');
  return Response.json((await looks[pathname]?.(request)) ?? null);
});

const server = http.createServer(toNode(app, { errors: () => {} })).listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
