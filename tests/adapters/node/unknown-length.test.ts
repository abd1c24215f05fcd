// E5: a request of which no header tells whether it has a body reaches a hosted listener as what it is.

import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { toFetch } from 'waygate/fetch';
import { fromNode, toNode } from 'waygate/node';

const app = fromNode(async (request, response) => {
  const { 'transfer-encoding': coding = null, 'content-length': length = null } = request.headers;
  response.end(JSON.stringify({ coding, length, body: await text(request) }));
});

const withoutBody = { coding: null, length: null, body: '' };

/** A stream of these chunks, each asked for by itself. */
function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(chunk));
    },
  });
}

const ask = (method: string, body: BodyInit, more: RequestInit = {}): Promise<Response> =>
  toFetch(app)('http://localhost/', { method, body, duplex: 'half', ...more } as RequestInit);

describe('a Fetch request with a stream', () => {
  it.each(['DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH'])('that ends at once is a %s without a body', async (method) => {
    expect(await (await ask(method, streamOf())).json()).toEqual(withoutBody);
    // Chunks of nothing are nothing.
    expect(await (await ask(method, streamOf('', ''))).json()).toEqual(withoutBody);
  });

  it('that has bytes announces them, and they all arrive', async () => {
    expect(await (await ask('POST', streamOf('a', 'bc', 'd'))).json()).toEqual({
      coding: 'chunked',
      length: null,
      body: 'abcd',
    });
  });

  it('whose first bytes wait for the response does not wait for them', async () => {
    const echo = toFetch(
      fromNode((request, response) => {
        response.flushHeaders();
        request.pipe(response);
      }),
    );
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const init = { method: 'POST', body: readable, duplex: 'half' } as RequestInit;
    const response = await echo('http://localhost/', init);
    const writer = writable.getWriter();
    void writer.write(new TextEncoder().encode('two ways')).then(() => writer.close());
    expect(await response.text()).toBe('two ways');
  });

  it('that fails is a failure of the reader', async () => {
    const failing = new ReadableStream({
      pull() {
        throw new Error('on purpose');
      },
    });
    const seen: unknown[] = [];
    const handler = toFetch(
      fromNode((request, response) => {
        request.on('aborted', () => seen.push('aborted'));
        request.on('close', () => response.end('answered'));
        request.resume();
      }),
      { errors: () => {} },
    );
    const init = { method: 'POST', body: failing, duplex: 'half' } as RequestInit;
    expect((await handler('http://localhost/', init)).status).toBe(400);
    await expect.poll(() => seen).toEqual(['aborted']);
  });

  it('has what Fastify answers without one', async () => {
    const framework = fastify();
    framework.route({ method: ['DELETE', 'OPTIONS', 'POST', 'PUT'], url: '/', handler: async () => 'served' });
    await framework.ready();
    const handler = toFetch(fromNode(framework.server));
    for (const method of ['DELETE', 'OPTIONS', 'POST', 'PUT']) {
      const init = { method, body: streamOf(), duplex: 'half' } as RequestInit;
      const response = await handler('http://localhost/', init);
      expect([method, response.status, await response.text()]).toEqual([method, 200, 'served']);
    }
  });
});

describe('a request over HTTP/2', () => {
  it.each([
    ['ended with its head', [], withoutBody],
    ['ended by a frame of nothing', [''], withoutBody],
    ['with bytes', ['a', 'b'], { coding: 'chunked', length: null, body: 'ab' }],
  ] as [string, string[], unknown][])('%s', async (_, chunks, expected) => {
    const server = http2.createServer(toNode(app)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      const head = { ':method': 'DELETE', ':path': '/' };
      const stream = session.request(head, { endStream: chunks.length === 0 });
      for (const chunk of chunks) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (chunk !== '') stream.write(chunk);
      }
      if (chunks.length > 0) stream.end();
      expect(JSON.parse(await text(stream))).toEqual(expected);
    } finally {
      session.destroy();
      server.close();
    }
  });
});
