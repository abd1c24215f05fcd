// Middleware that changes bodies, inside workerd itself: its own CompressionStream, its own Response.

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { compress, conditional, memoryFiles, staticFiles, validator } from 'waygate/middleware';
import { toWorker } from '../../../adapters/cloudflare-workers/to-worker.ts';

const text = 'The quick brown fox jumps over the lazy dog.\n'.repeat(100);
const TYPE: [string, string][] = [['Content-Type', 'text/plain']];

const BODIES: [string, Application][] = [
  [
    'an array',
    (_environ, startResponse) => {
      startResponse('200 OK', TYPE);
      return [encode(text)];
    },
  ],
  [
    'chunks of a declared length',
    (_environ, startResponse) => {
      startResponse('200 OK', [...TYPE, ['Content-Length', String(text.length)]]);
      return [encode(text.slice(0, 100)), encode(text.slice(100))].values();
    },
  ],
];

async function ask(app: Application, path: string, headers: Record<string, string> = {}): Promise<Response> {
  const log: string[] = [];
  const worker = toWorker(validator(app), { errors: (line) => void log.push(line) });
  const context = createExecutionContext();
  const response = await worker.fetch(new Request(`https://example.com${path}`, { headers }), {}, context);
  const bytes = await response.arrayBuffer();
  await waitOnExecutionContext(context);
  expect(log).toEqual([]);
  // Here a body of its own comes as it was made: nobody has decoded it.
  return new Response(response.status === 304 ? null : bytes, response);
}

async function gunzip(response: Response): Promise<string> {
  const body = new Response(await response.arrayBuffer()).body as ReadableStream<Uint8Array>;
  return new Response(
    body.pipeThrough(new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>),
  ).text();
}

test.each(BODIES)('compress: %s', async (_name, app) => {
  const response = await ask(compress(validator(app)), '/', { 'Accept-Encoding': 'gzip' });
  expect(response.headers.get('content-encoding')).toBe('gzip');
  expect((await gunzip(response)) === text).toBe(true);
  expect(await (await ask(compress(app), '/')).text()).toBe(text);
});

test('compress: a client that leaves ends the body', async () => {
  let closed = 0;
  const app: Application = (_environ, startResponse) => {
    startResponse('200 OK', TYPE);
    const body = (async function* () {
      for (;;) yield crypto.getRandomValues(new Uint8Array(16384));
    })();
    return Object.assign(body, { close: () => void closed++ });
  };
  const context = createExecutionContext();
  const worker = toWorker(compress(app, { holdsChunks: true }));
  const request = new Request('https://example.com/', { headers: { 'Accept-Encoding': 'gzip' } });
  const reader = (await worker.fetch(request, {}, context)).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(closed).toBe(1);
});

test('conditional', async () => {
  const app = conditional(BODIES[0]?.[1] as Application);
  const etag = (await ask(app, '/')).headers.get('etag') as string;
  expect((await ask(app, '/', { 'If-None-Match': etag })).status).toBe(304);
  expect((await ask(app, '/', { 'If-Match': '"other"' })).status).toBe(412);
});

test('staticFiles from memory', async () => {
  const app = staticFiles(memoryFiles({ '/abc.txt': 'abcdef', '/docs/index.html': '<h1>docs</h1>' }));
  const found = await ask(app, '/abc.txt');
  expect([found.status, await found.text()]).toEqual([200, 'abcdef']);
  const part = await ask(app, '/abc.txt', { Range: 'bytes=1-2' });
  expect([part.status, await part.text()]).toEqual([206, 'bc']);
  const parts = await ask(app, '/abc.txt', { Range: 'bytes=0-0,-1' });
  expect([parts.status, parts.headers.get('content-type')?.split(';')[0]]).toEqual([206, 'multipart/byteranges']);
  expect((await ask(app, '/docs')).headers.get('location')).toBe('/docs/');
  expect((await ask(app, '/..%2fsecret')).status).toBe(404);
});
