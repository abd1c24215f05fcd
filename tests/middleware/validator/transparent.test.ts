// The validator stands in the way of nothing: what gateways and hosted apps know of a request or a response, they know
// behind it as well.

import { open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Application, type ApplicationBody, encode, type FileLike, type Middleware } from 'waygate';
import { fromLambda, toLambda } from 'waygate/aws-lambda';
import { fromFetch, toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { fromNode, type NodeOptions, type RunningServer, serve } from 'waygate/node';

const bare: Middleware = (app) => app;
const stacked: Middleware = (app) => validator(validator(app));
const AROUND: [string, Middleware][] = [
  ['nothing', bare],
  ['the validator', validator],
  ['two validators', stacked],
];

/** Serves an application over a socket while `work` runs. */
async function served(
  app: Application,
  work: (url: string) => Promise<void>,
  options: NodeOptions = {},
): Promise<string[]> {
  const log: string[] = [];
  const errors = (text: string): void => void log.push(text);
  const server: RunningServer = await serve(app, { port: 0, host: '127.0.0.1', signals: false, errors, ...options });
  try {
    await work(server.url);
  } finally {
    await server.close();
  }
  return log;
}

describe('files (FILE-04)', () => {
  const path = join(tmpdir(), `waygate-validator-${process.pid}.txt`);
  beforeAll(() => writeFile(path, 'abcdef'));
  afterAll(() => rm(path));

  const sending =
    (make: () => unknown): Application =>
    async (environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return environ['wsgi.file_wrapper']?.((await make()) as FileLike, 4) as ApplicationBody;
    };
  const inMemory = (length: number): FileLike & { closed: boolean } => {
    const blocks = [encode('abcd'), encode('ef')];
    return {
      closed: false,
      read: () => blocks.shift() ?? encode(''),
      remaining: () => length,
      close() {
        this.closed = true;
      },
    };
  };

  test.each(AROUND)('have their length behind %s', async (_name, around) => {
    for (const make of [() => open(path), () => inMemory(6)]) {
      const log = await served(around(sending(make)), async (url) => {
        for (const method of ['GET', 'HEAD']) {
          const response = await fetch(url, { method });
          expect([response.headers.get('content-length'), await response.text()]).toEqual([
            '6',
            method === 'GET' ? 'abcdef' : '',
          ]);
        }
      });
      expect(log).toEqual([]);
    }
  });

  test.each(AROUND)('are closed, and their bytes are looked at, behind %s', async (_name, around) => {
    const file = inMemory(7);
    const log = await served(around(sending(() => file)), async (url) => {
      await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
    });
    expect(log.join()).toContain('1 bytes short');
    expect(file.closed).toBe(true);
  });

  test('have none behind a middleware that makes a body of its own (FILE-06)', async () => {
    const doubling: Middleware = (app) => async (environ, startResponse) => {
      const body = (await app(environ, startResponse)) as AsyncIterable<Uint8Array> & { close?(): Promise<void> };
      async function* twice(): AsyncGenerator<Uint8Array> {
        for await (const chunk of body) yield new Uint8Array([...chunk, ...chunk]);
      }
      return Object.assign(twice(), { close: () => body.close?.() });
    };
    await served(validator(doubling(validator(sending(() => open(path))))), async (url) => {
      const response = await fetch(url);
      expect([response.headers.get('content-length'), await response.text()]).toEqual([null, 'abcdabcdefef']);
    });
  });
});

describe('a request without a body', () => {
  const node = express().use(express.json(), (req, res) => {
    res.json([req.headers['transfer-encoding'] ?? null, req.body ?? null]);
  });
  const hono = new Hono().all('*', (c) => c.json(c.req.raw.body === null));

  test.each(AROUND)('shows none to a hosted app behind %s', async (_name, around) => {
    const json = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    await served(
      around((environ, startResponse) => fromNode(node)({ ...environ }, startResponse)),
      async (url) => {
        expect(await (await fetch(url)).json()).toEqual([null, null]);
        expect(await (await fetch(url, { ...json, body: '[1]' })).json()).toEqual([null, [1]]);
      },
    );
    await served(around(fromFetch(hono)), async (url) => {
      for (const method of ['GET', 'POST', 'PUT']) expect(await (await fetch(url, { method })).json()).toBe(true);
      expect(await (await fetch(url, { ...json, body: '[1]' })).json()).toBe(false);
    });
    const lambda = fromLambda(toLambda(around(fromNode(node))), { source: 'alb' });
    expect(await (await toFetch(lambda)('/', { method: 'DELETE' })).json()).toEqual([null, null]);
  });
});

test.each(AROUND)('a request body beyond the limit is a 413 of a Fetch app behind %s', async (_name, around) => {
  const hono = new Hono().post('/', async (c) => c.text(await c.req.text()));
  hono.onError((_error, c) => c.text('failed', 500));
  const body = (): ReadableStream => new Blob(['x'.repeat(100)]).stream();
  await served(
    around(fromFetch(hono)),
    async (url) => {
      const post = { method: 'POST', body: body(), duplex: 'half' } as RequestInit;
      expect((await fetch(url, post)).status).toBe(413);
    },
    { maxBodyBytes: 10 },
  );
});
