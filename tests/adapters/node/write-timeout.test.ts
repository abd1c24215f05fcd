// Clients that do not take what they are sent: the option `writeTimeout` of `serve`.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Application } from 'waygate';
import { fromNode, type RunningServer, type ServeOptions, serve } from 'waygate/node';
import { certificate } from './certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'waygate-'));
afterAll(() => rmSync(folder, { recursive: true }));
let server: RunningServer | undefined;
afterEach(() => server?.close());

/** What closed, and why it ended. */
let closed: string[] = [];

const MEGABYTE = new Uint8Array(1024 * 1024);
const endless: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  let left = environ.PATH_INFO === '/quiet' ? 1 : 1000;
  return {
    async *[Symbol.asyncIterator]() {
      yield new Uint8Array(10);
      if (left === 1) await new Promise((resolve) => setTimeout(resolve, 1500));
      for (; left > 1; left--) yield MEGABYTE;
      yield new Uint8Array(10);
    },
    close: () => void closed.push(environ.PATH_INFO),
  };
};

/** The whole of a large page in one call, as Express sends one. */
const atOnce = fromNode((_request, response) => {
  response.on('close', () => closed.push('/at-once'));
  response.end(Buffer.alloc(200 * 1024 * 1024));
});

async function start(app: Application, options: ServeOptions): Promise<number> {
  closed = [];
  server = await serve(app, { port: 0, host: '127.0.0.1', signals: false, errors: () => {}, ...options });
  return server.port;
}

const REQUEST = 'GET /endless HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a client that does not read loses its connection', () => {
  it.each([
    ['TCP, a stream', endless, false],
    ['TCP, a page', atOnce, false],
    ['TLS, a stream', endless, true],
    ['TLS, a page', atOnce, true],
  ])('%s', async (_, app, isTls) => {
    const port = await start(app, { writeTimeout: 400, ...(isTls ? { tls: certificate(folder) } : {}) });
    const socket = isTls
      ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(REQUEST);
    socket.pause();
    // Node encrypts all of a page before it sends any: a busy machine needs a while for 200 MB.
    await expect.poll(() => closed.length, { timeout: 15_000 }).toBe(1);
    socket.destroy();
  });

  it('over HTTP/2, without a window', async () => {
    const port = await start(endless, { writeTimeout: 400, http2: true });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    const stream = session.request({ ':path': '/endless' });
    stream.on('error', () => {});
    stream.pause();
    // Pings are answered, and are no reading.
    const pings = setInterval(() => !session.destroyed && session.ping(() => {}), 50);
    await once(session, 'close');
    clearInterval(pings);
    await expect.poll(() => closed).toEqual(['/endless']);
  });

  it('over HTTP/2, after an error of the protocol that the client does not hear of', async () => {
    const port = await start(
      fromNode((_request, response) => setTimeout(() => response.end('late'), 100)),
      {
        writeTimeout: 400,
        http2: true,
      },
    );
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const get = [0x82, 0x86, 0x84, 0x41, 1, 0x61];
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, get.length, 1, 5, 0, 0, 0, 1, ...get]));
    // A frame that is longer than any may be.
    socket.end(Buffer.from([0xff, 0, 0, 1, 4, 0, 0, 0, 1, 1, 1, 1, 1]));
    const began = performance.now();
    socket.resume();
    await once(socket, 'close');
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('is left alone', () => {
  it('a client that reads slowly', async () => {
    // The system asks for more only when a good part of its own queue is free.
    const port = await start(atOnce, { writeTimeout: 1000 });
    const socket = net.connect(port, '127.0.0.1');
    socket.write(REQUEST);
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect([closed, socket.destroyed]).toEqual([[], false]);
    expect(received).toBeGreaterThan(1e6);
    socket.destroy();
  });

  it.each([false, true])('a response that has nothing to send, over HTTP/2: %s', async (isHttp2) => {
    const port = await start(endless, { writeTimeout: 300, http2: isHttp2 });
    if (isHttp2) {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      let received = 0;
      for await (const chunk of session.request({ ':path': '/quiet' })) received += chunk.length;
      expect(received).toBe(20);
      session.close();
    } else {
      expect((await (await fetch(`http://127.0.0.1:${port}/quiet`)).arrayBuffer()).byteLength).toBe(20);
    }
  });
});
