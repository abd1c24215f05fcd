// The short ways of streamed bodies: large chunks without a copy, small ones with their frame in one piece. Other code on the
// way sees what it would see without them.

import { once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Application, encode } from 'waygate';
import { toNode } from 'waygate/node';
import { hasAgent, serving } from './serving.ts';

const SMALL = ['one', '', 'zw\u00f6lf', 'x'.repeat(300)];
const LARGE = ['a'.repeat(9_000), 'b'.repeat(100_000), 'c', 'd'.repeat(8_192)];

const streaming =
  (chunks: string[], headers: [string, string][] = []): Application =>
  (_environ, startResponse) => {
    startResponse('200 OK', headers);
    return (async function* () {
      for (const chunk of chunks) {
        await turn();
        yield encode(chunk);
      }
    })();
  };

/** The same by node:http alone. */
const plainStreaming =
  (chunks: string[], headers: Record<string, string> = {}): http.RequestListener =>
  async (_request, response) => {
    response.writeHead(200, 'OK', headers);
    for (const chunk of chunks) {
      await turn();
      if (chunk !== '') response.write(Buffer.from(chunk));
    }
    response.end();
  };

/** All that comes back for a request that asks for the end of the connection. */
async function raw(listener: http.RequestListener, line = 'GET / HTTP/1.1'): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(`${line}\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await once(socket, 'end');
  server.close();
  return Buffer.concat(chunks)
    .toString('latin1')
    .replaceAll(/Date: [^\r]+/g, 'Date: now');
}

describe('on the wire', () => {
  const length = (chunks: string[]) => String(Buffer.byteLength(chunks.join('')));

  it.each([
    ['small chunks', SMALL],
    ['large chunks', LARGE],
    ['both', [...SMALL, ...LARGE, ...SMALL]],
  ])('%s are as node:http writes them', async (_what, chunks) => {
    for (const line of ['GET / HTTP/1.1', 'GET / HTTP/1.0', 'HEAD / HTTP/1.1'])
      expect(await raw(toNode(streaming(chunks)), line)).toBe(await raw(plainStreaming(chunks), line));
    const sized = toNode(streaming(chunks, [['Content-Length', length(chunks)]]));
    expect(await raw(sized)).toBe(await raw(plainStreaming(chunks, { 'Content-Length': length(chunks) })));
  });

  it('trailers that somebody adds come after them', async () => {
    const app: Application = (environ, startResponse) => {
      startResponse('200 OK', []);
      return (async function* () {
        yield encode('one');
        (environ['node.response'] as ServerResponse).addTrailers({ 'X-Late': 'yes' });
        yield encode('two');
      })();
    };
    expect(await raw(toNode(app))).toMatch(/\r\n3\r\none\r\n3\r\ntwo\r\n0\r\nX-Late: yes\r\n\r\n$/);
  });
});

describe('an application that fills one buffer again and again', () => {
  it.each([
    ['small chunks', 100, 2000],
    ['large chunks', 70_000, 60],
    ['the largest that is copied, and one more', 8 * 1024 - 1, 300],
    ['the smallest that is not copied', 8 * 1024, 300],
  ])(
    'sends %s as they were (BODY-08)',
    async (_what, size, count) => {
      const app: Application = (_environ, startResponse) => {
        startResponse('200 OK', []);
        const buffer = new Uint8Array(size);
        return (function* () {
          for (let at = 0; at < count; at++) yield buffer.fill(at % 251);
        })();
      };
      await serving(toNode(app), async ({ port }) => {
        const request = http.get({ port, host: '127.0.0.1', agent: false });
        const [response] = (await once(request, 'response')) as [http.IncomingMessage];
        // The client is slow: what it does not take stays with the server.
        await new Promise((resolve) => setTimeout(resolve, 200));
        const chunks: Buffer[] = [];
        for await (const chunk of response) {
          chunks.push(chunk);
          if (chunks.length % 50 === 0) await turn();
        }
        const all = Buffer.concat(chunks);
        expect(all.byteLength).toBe(size * count);
        for (let at = 0; at < count; at++) {
          const part = all.subarray(at * size, (at + 1) * size);
          if (!part.every((byte) => byte === at % 251)) throw new Error(`Chunk ${at} was changed on its way.`);
        }
      });
    },
    20_000,
  );
});

describe('a method that somebody has wrapped', () => {
  const seenBy = async (name: string, listener: http.RequestListener): Promise<unknown[]> => {
    const seen: unknown[] = [];
    await raw((request, response) => {
      const methods = response as unknown as Record<string, (...args: unknown[]) => unknown>;
      const original = methods[name] as (...args: unknown[]) => unknown;
      methods[name] = function (this: unknown, ...args: unknown[]) {
        const [chunk, encoding] = args;
        const text = typeof chunk === 'string' ? chunk : Buffer.from((chunk ?? '') as Uint8Array).toString('latin1');
        seen.push([text.replace(/Date: [^\r]+/, 'Date: now'), typeof chunk === 'string' ? encoding : undefined]);
        return original.apply(this, args);
      };
      listener(request, response);
    });
    return seen;
  };

  it.each(['write', 'end', '_send', '_writeRaw'])('%s is given what node:http gives it', async (name) => {
    for (const chunks of [SMALL, LARGE]) {
      // A response that somebody has wrapped gets its headers one by one, and its head with the first chunk.
      const seen = await seenBy(name, toNode(streaming(chunks)));
      expect(seen).toEqual(await seenBy(name, plainStreaming(chunks)));
    }
  });

  it('in the middle of a stream is given what follows', async () => {
    const seen: string[] = [];
    const app: Application = (environ, startResponse) => {
      const response = environ['node.response'] as ServerResponse;
      startResponse('200 OK', []);
      return (async function* () {
        yield encode('a'.repeat(9000));
        const { write } = response;
        response.write = ((chunk: Buffer) => {
          seen.push(chunk.toString());
          return Reflect.apply(write, response, [chunk]);
        }) as typeof write;
        yield encode('two');
        yield encode('b'.repeat(9000));
      })();
    };
    await serving(toNode(app), async ({ ask }) => {
      expect((await ask()).body.toString()).toBe(`${'a'.repeat(9000)}two${'b'.repeat(9000)}`);
    });
    expect(seen).toEqual(['two', 'b'.repeat(9000)]);
  });
});

describe.skipIf(hasAgent)('the short ways are taken', () => {
  /** What the connection is given to write, each write by itself. */
  const writesOf = async (app: Application): Promise<string[]> => {
    const writes: string[] = [];
    await raw((request, response) => {
      const { socket } = request;
      const { write } = socket;
      socket.write = function (this: unknown, ...args: unknown[]) {
        const [chunk] = args;
        writes.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('latin1'));
        return Reflect.apply(write, this, args);
      } as typeof write;
      toNode(app)(request, response);
    });
    return writes;
  };

  it('a small chunk is one write', async () => {
    const writes = await writesOf(streaming(['one', 'two']));
    expect(writes.slice(1, 3)).toEqual(['3\r\none\r\n', '3\r\ntwo\r\n']);
  });

  it('a large chunk is the memory of the application', async () => {
    const chunk = new Uint8Array(9000).fill(97);
    const buffers: unknown[] = [];
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', []);
      return (async function* () {
        yield chunk;
      })();
    };
    await raw((request, response) => {
      const { socket } = request;
      const { write } = socket;
      socket.write = function (this: unknown, ...args: unknown[]) {
        if (args[0] instanceof Uint8Array) buffers.push(args[0].buffer);
        return Reflect.apply(write, this, args);
      } as typeof write;
      toNode(app)(request, response);
    });
    expect(buffers).toContain(chunk.buffer);
  });
});
