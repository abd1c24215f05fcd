// E5: hosted node apps on a real Deno, whose requests have a stream for a body also where none was sent.

import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startDeno } from './runtimes/process.ts';

describe('hosted on Deno.serve', () => {
  let deno: Running;
  beforeAll(async () => {
    deno = await startDeno(['tests/e2e/runtimes/deno-hosted.ts']);
  });
  afterAll(() => deno?.stop());

  async function ask(method: string, path: string, body: string, headers: http.OutgoingHttpHeaders = {}) {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = http.request(deno.url + path, { method, headers }, resolve).on('error', reject);
      request.write(body);
      request.end();
    });
    return [response.statusCode, await text(response)] as const;
  }

  /** A request with neither a length nor a coding, written by hand: clients add a length of 0. */
  async function askWithoutBody(method: string, path: string): Promise<string> {
    const { hostname, port } = new URL(deno.url);
    const socket = net.connect(Number(port), hostname);
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    return text(socket);
  }

  test.each(['DELETE', 'OPTIONS', 'POST', 'PUT'])(
    'a %s without a body has none, and Fastify takes it',
    async (method) => {
      expect(await askWithoutBody(method, '/')).toContain(JSON.stringify({ coding: null, length: null, body: '' }));
      expect(await askWithoutBody(method, '/fastify')).toMatch(/^HTTP\/1\.1 200 .*served/s);
    },
  );

  test('a body in chunks is announced, and read', async () => {
    const [status, page] = await ask('POST', '/', 'in chunks');
    expect([status, JSON.parse(page)]).toEqual([200, { coding: 'chunked', length: null, body: 'in chunks' }]);
    expect(await ask('POST', '/fastify/json', '{"a":1}', { 'Content-Type': 'application/json' })).toEqual([
      200,
      '{"a":1}',
    ]);
  });

  test('over HTTP/2, with and without a body', async () => {
    const session = http2.connect(deno.url);
    try {
      for (const [chunks, coding] of [
        [[], null],
        [['a', 'b'], 'chunked'],
      ] as const) {
        const stream = session.request({ ':method': 'DELETE', ':path': '/' }, { endStream: false });
        for (const chunk of chunks) stream.write(chunk);
        stream.end();
        expect(JSON.parse(await text(stream))).toEqual({ coding, length: null, body: chunks.join('') });
      }
    } finally {
      session.destroy();
    }
  });
});
