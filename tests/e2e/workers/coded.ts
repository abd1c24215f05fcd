// Runs in workerd: responses with a Content-Encoding, of applications and of hosted apps, alone and behind a middleware.
// The text is `?text`; `/NAME` is one way to answer, `/behind/NAME` the same behind a middleware that makes all anew.

import { brotliCompressSync, gzipSync } from 'node:zlib';
import compression from 'compression';
import express from 'express';
import { fromWorker, toWorker } from '../../../adapters/cloudflare-workers/index.ts';
import { fromFetch } from '../../../adapters/fetch/index.ts';
import { fromNode } from '../../../adapters/node/index.ts';
import { type Application, encode, type HeaderList, type Middleware } from '../../../core/index.ts';
import { mount } from '../../../middleware/index.ts';

const TEXT = 'text that is long enough to be worth a coding; '.repeat(100);
const CODED: Record<string, Uint8Array> = { gzip: gzipSync(TEXT), br: brotliCompressSync(TEXT) };

const headersOf = (coding: string, ...more: HeaderList): HeaderList => [
  ['Content-Type', 'text/plain'],
  ['Content-Encoding', coding],
  ...more,
];

/** The bytes in the coding of the query, in the ways in which an application gives a body. */
const ways: Record<string, Application> = {
  '/array': ({ QUERY_STRING }, startResponse) => {
    startResponse('200 OK', headersOf(QUERY_STRING));
    return [CODED[QUERY_STRING] as Uint8Array];
  },
  '/generator': async function* ({ QUERY_STRING }, startResponse) {
    startResponse('200 OK', headersOf(QUERY_STRING));
    const bytes = CODED[QUERY_STRING] as Uint8Array;
    yield bytes.subarray(0, 1);
    yield bytes.subarray(1);
  },
  '/declared': async function* ({ QUERY_STRING }, startResponse) {
    const bytes = CODED[QUERY_STRING] as Uint8Array;
    startResponse('200 OK', headersOf(QUERY_STRING, ['Content-Length', String(bytes.byteLength)]));
    yield bytes;
  },
  '/stream': ({ QUERY_STRING }, startResponse) => {
    startResponse('200 OK', headersOf(QUERY_STRING));
    return new Blob([CODED[QUERY_STRING] as Uint8Array<ArrayBuffer>]).stream() as ReadableStream<Uint8Array>;
  },
  '/automatic': fromFetch((request) => {
    const coding = new URL(request.url).search.slice(1);
    return new Response(TEXT, { headers: headersOf(coding) });
  }),
  '/manual': fromWorker({
    fetch(request: Request) {
      const coding = new URL(request.url).search.slice(1);
      const init = { headers: headersOf(coding), encodeBody: 'manual' } as ResponseInit;
      return new Response(CODED[coding] as Uint8Array<ArrayBuffer>, init);
    },
  }),
  '/express': fromNode(
    express()
      .use(compression({ threshold: 0 }))
      .use((_request, response) => {
        response.type('text/plain').send(TEXT);
      }),
  ),
  /** What `fetch` brought: from another server, whose address stands in the query. */
  '/proxy': fromFetch((request) => fetch(decodeURIComponent(new URL(request.url).search.slice(1)))),
};

const copies: Middleware = (app) => async (environ, startResponse) => {
  const body = await app({ ...environ }, (status, headers, error) => startResponse(status, headers, error));
  return (async function* () {
    yield* body;
  })();
};

const routes: Application = (environ, startResponse) => {
  const way = ways[environ.PATH_INFO];
  if (way !== undefined) return way(environ, startResponse);
  startResponse('404 Not Found', []);
  return [encode('not found')];
};

export default toWorker(mount({ '/behind': copies(routes), '/': routes }));
