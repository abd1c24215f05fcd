// A response that fails while its connection is ending already, as after a client that has ended its own side: the socket
// below TLS is closed all the same, and its descriptor with it. (ERR-04)

import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import type { Application } from 'waygate';
import { fromNode, toNode } from 'waygate/node';
import { certificate } from './certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'waygate-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The body ends with the connection under HTTP/1.0, so that only a reset can show a failure. */
const failing: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  return {
    *[Symbol.iterator]() {
      yield new Uint8Array(10);
      environ['node.request']?.socket?.end();
      throw new Error('fails');
    },
  };
};
const hosted = fromNode((request, response) => {
  response.write('something');
  request.socket.end();
  throw new Error('fails');
});

test.each([
  ['an application', failing],
  ['a hosted listener', hosted],
])('%s', async (_, app) => {
  const server = https.createServer(certificate(folder), toNode(app, { errors: () => {} }));
  let opened = 0;
  let closed = 0;
  server.on('connection', (socket: Socket) => {
    opened++;
    socket.once('close', () => closed++);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const talk = async (): Promise<void> => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => {});
    socket.end('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
  };
  await Promise.all(Array.from({ length: 10 }, talk));
  await expect.poll(() => [opened, closed], { timeout: 5000 }).toEqual([10, 10]);
  await new Promise((resolve) => server.close(resolve));
});
