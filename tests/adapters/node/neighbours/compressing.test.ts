// toNode behind the middlewares that compress responses: they replace writeHead, write, end and on of the response.

import { randomFillSync } from 'node:crypto';
import http from 'node:http';
import zlib from 'node:zlib';
import polka from '@polka/compression';
import compression from 'compression';
import httpCompression from 'http-compression';
import { describe, expect, it, vi } from 'vitest';
import { type Application, encode } from 'waygate';
import { behind, type NodeMiddleware, type Received } from './serving.ts';

const COMPRESSORS: [name: string, middleware: () => NodeMiddleware][] = [
  ['compression', () => compression({ threshold: 1024 }) as unknown as NodeMiddleware],
  ['@polka/compression', () => polka({ threshold: 1024 }) as NodeMiddleware],
  ['http-compression', () => httpCompression({ threshold: 1024, brotli: false }) as NodeMiddleware],
];

const TEXT = 'All work and no play makes a page that compresses well: ü ñ 漢.\n'.repeat(40);
const gzip = { headers: { 'Accept-Encoding': 'gzip' } };

const page =
  (text: string, pieces = 1): Application =>
  (_environ, startResponse) => {
    startResponse('201 Made Here', [
      ['Content-Type', 'text/html; charset=utf-8'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Thing', 'one'],
    ]);
    const bytes = encode(text);
    const size = Math.ceil(bytes.byteLength / pieces);
    return Array.from({ length: pieces }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
  };

function text({ headers, body }: Received): string {
  return (headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(body) : body).toString();
}

function expectHead(received: Received): void {
  expect([received.status, received.message]).toEqual([201, 'Made Here']);
  expect(received.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(received.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(received.headers['x-thing']).toBe('one');
  expect(Object.keys(received.headers).filter((name) => /^[0-9]+$/.test(name))).toEqual([]);
}

describe.each(COMPRESSORS)('behind %s', (_name, middleware) => {
  it.each([
    ['a short page', 'short: ü', 1],
    ['a page of 2 KB', TEXT, 1],
    ['a page in three pieces', TEXT, 3],
    ['a page of 200 KB', TEXT.repeat(80), 1],
  ])('%s arrives with all its headers', async (_what, content, pieces) => {
    await behind([middleware()], page(content, pieces), async ({ ask }) => {
      for (const options of [gzip, {}]) {
        const received = await ask(options);
        expectHead(received);
        expect(text(received)).toBe(content);
        const isCoded = options === gzip && content.length > 1024;
        // compression counts what it is given first, so that a page in pieces may go out as it is.
        if (pieces === 1) expect(received.headers['content-encoding']).toBe(isCoded ? 'gzip' : undefined);
        if (received.headers['content-length'] !== undefined) {
          expect(received.headers['content-length']).toBe(String(received.body.byteLength));
        }
      }
    });
  });

  it('HEAD has the head and nothing else', async () => {
    await behind([middleware()], page(TEXT), async ({ ask }) => {
      const received = await ask({ method: 'HEAD', ...gzip });
      expectHead(received);
      expect(received.body.byteLength).toBe(0);
    });
  });

  it('a stream arrives, and is read no faster than its client takes it', async () => {
    const warned = vi.fn();
    process.on('warning', warned);
    let made = 0;
    const total = 400;
    const size = 16_384;
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return (async function* () {
        // What cannot be compressed fills the connection.
        for (; made < total; made++) yield randomFillSync(new Uint8Array(size));
      })();
    };
    await behind([middleware()], app, async ({ port }) => {
      const response = await new Promise<http.IncomingMessage>((resolve) =>
        http.get({ port, host: '127.0.0.1', agent: false, ...gzip }, resolve),
      );
      // A client that does not read.
      await vi.waitFor(async () => {
        const before = made;
        await new Promise((resolve) => setTimeout(resolve, 150));
        expect(made).toBe(before);
      }, 10_000);
      expect(made).toBeLessThan(total);
      let length = 0;
      const decoded = response.headers['content-encoding'] === 'gzip' ? response.pipe(zlib.createGunzip()) : response;
      for await (const chunk of decoded) length += (chunk as Buffer).byteLength;
      expect(length).toBe(total * size);
    });
    process.off('warning', warned);
    expect(warned.mock.calls.map(([warning]) => String(warning))).toEqual([]);
  });

  it('a client that leaves ends the application', async () => {
    let closed = 0;
    let aborted = false;
    const app: Application = (environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      environ['waygate.signal'].addEventListener('abort', () => {
        aborted = true;
      });
      const body = (async function* () {
        for (;;) {
          yield new Uint8Array(4096).fill(97);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      return Object.assign(body, { close: () => void closed++ });
    };
    await behind([middleware()], app, async ({ port }) => {
      const sent = http.get({ port, host: '127.0.0.1', agent: false, ...gzip }, (response) => {
        response.on('error', () => {});
        response.once('data', () => sent.destroy());
      });
      sent.on('error', () => {});
      await vi.waitFor(() => expect([closed, aborted]).toEqual([1, true]), 5000);
    });
  });

  it('a response that was read to its end is not a disconnect', async () => {
    let aborted = false;
    let closed = 0;
    const app: Application = (environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      environ['waygate.signal'].addEventListener('abort', () => {
        aborted = true;
      });
      const body = (async function* () {
        for (let at = 0; at < 3; at++) yield encode(TEXT);
      })();
      return Object.assign(body, { close: () => void closed++ });
    };
    await behind([middleware()], app, async ({ ask }) => {
      expect(text(await ask(gzip))).toBe(TEXT.repeat(3));
      await vi.waitFor(() => expect(closed).toBe(1), 5000);
      expect(aborted).toBe(false);
    });
  });
});
