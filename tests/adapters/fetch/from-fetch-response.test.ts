// What becomes of a handler's Response: statuses, headers, and bodies of every make.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayResponse, type HeaderList, run, setupTestingDefaults } from 'waygate';
import { type FetchApp, fromFetch, toFetch } from 'waygate/fetch';
import { listening, wraps } from './hosting.ts';

/** What the gateway makes of a handler's response, and its body. */
async function answered(handler: FetchApp, keys = {}): Promise<GatewayResponse & { text: string; log: string }> {
  const log: string[] = [];
  const write = (text: string) => void log.push(text);
  const environ = setupTestingDefaults({ ...keys, 'wsgi.errors': { write, writelines() {}, flush() {} } });
  const response = await run(fromFetch(handler), environ);
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { ...response, text: Buffer.concat(chunks).toString(), log: log.join('') };
}

const names = (headers: HeaderList) => headers.map(([name]) => name);

test.each([
  [200, '', '200 OK'],
  [200, 'Fine', '200 Fine'],
  [200, ' tab\there ', '200 tab here'],
  [200, 'caf\xe9', '200 caf\xe9'],
  [200, ' voil\xc3\xa0 ', '200 voil\xc3\xa0'],
  [418, '', "418 I'm a teapot"],
  [299, '', '299 '],
  [599, '', '599 '],
])('%d %j is sent as %j', async (status, statusText, expected) => {
  expect((await answered(() => new Response('', { status, statusText }))).status).toBe(expected);
});

test('bytes in headers stay bytes, and an empty value stays', async () => {
  const { headers } = await answered(() => new Response(null, { headers: { 'x-a': 'caf\xe9', 'x-b': '' } }));
  expect(headers.slice(0, 2)).toEqual([
    ['x-a', 'caf\xe9'],
    ['x-b', ''],
  ]);
});

test('headers about the connection are removed, and those that Connection names', async () => {
  const headers = {
    connection: 'keep-alive, X-Hop',
    'keep-alive': 'timeout=5',
    'transfer-encoding': 'chunked',
    upgrade: 'h2c',
    'x-hop': '1',
    'x-end': '2',
  };
  const { statusCode, headers: list } = await answered(() => new Response('x', { headers }));
  expect([statusCode, names(list)]).toEqual([200, ['content-type', 'x-end', 'Content-Length']]);
});

test('a text or bytes in memory go out whole, with their length; a HEAD has the length alone', async () => {
  for (const body of ['héllo', new TextEncoder().encode('héllo'), new TextEncoder().encode('héllo').buffer]) {
    const { body: chunks, headers } = await answered(() => new Response(body));
    expect(Array.isArray(chunks)).toBe(true);
    expect(Object.fromEntries(headers)['Content-Length']).toBe('6');
  }
  const head = await answered(() => new Response('héllo'), { REQUEST_METHOD: 'HEAD' });
  expect([Object.fromEntries(head.headers)['Content-Length'], head.text]).toEqual(['6', '']);
});

test.each([
  ['a text', () => 'text', /^text$/],
  ['bytes', () => new TextEncoder().encode('bytes'), /^bytes$/],
  ['form data', () => new FormData(), /^--/],
  ['search parameters', () => new URLSearchParams({ a: 'b' }), /^a=b$/],
  ['a blob', () => new Blob(['blob'], { type: 'text/x' }), /^blob$/],
  ['a stream', () => new Blob(['stream']).stream(), /^stream$/],
  ['a clone', () => new Response('cloned').clone().body, /^cloned$/],
] as [string, () => BodyInit, RegExp][])('%s as body arrives', async (_what, body, expected) => {
  const { text, log } = await answered(() => new Response(body()));
  expect(text).toMatch(expected);
  expect(log).toBe('');
});

test('a clone and its original both arrive', async () => {
  for (const pick of [0, 1]) {
    const { text } = await answered(() => {
      const response = new Response('both');
      return [response, response.clone()][pick] as Response;
    });
    expect(text).toBe('both');
  }
});

test.each([
  ['a Uint8Array', () => new Uint8Array([104, 105])],
  ['a Buffer', () => Buffer.from('hi')],
  ['an ArrayBuffer', () => new Uint8Array([104, 105]).buffer],
  ['a part of a larger buffer', () => new Uint8Array([0, 104, 105, 0]).subarray(1, 3)],
  ['a text', () => 'hi'],
  ['a Blob', () => new Blob(['hi'])],
] as [string, () => BodyInit][])(
  '%s arrives whole after another clone of the Response was read',
  async (_what, body) => {
    const whole = async () => {
      const response = new Response(body());
      await response.clone().text();
      return response;
    };
    const begun = async () => {
      const response = new Response(body());
      await response.clone().body?.getReader().read();
      return response;
    };
    const original = async () => {
      const response = new Response(body());
      const clone = response.clone();
      await response.arrayBuffer();
      return clone.clone();
    };
    for (const handler of [whole, begun, original]) {
      const { text, log, statusCode } = await answered(handler);
      expect([statusCode, text, log]).toEqual([200, 'hi', '']);
      const server = await listening(fromFetch(handler));
      expect(await (await server.call('/')).text()).toBe('hi');
      server.close();
    }
  },
);

test('a body that was put on a Response takes the place of the one in memory', async () => {
  const { text } = await answered(() =>
    Object.defineProperty(new Response('before'), 'body', { value: new Blob(['after']).stream() }),
  );
  expect(text).toBe('after');
});

test('a subclass of Response has its own way', async () => {
  class Shouting extends Response {
    override get status(): number {
      return 202;
    }
    override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
      return new Blob(['LOUD']).stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
    }
  }
  const { statusCode, text } = await answered(() => new Shouting('quiet'));
  expect([statusCode, text]).toEqual([202, 'LOUD']);
});

test('a response of another implementation is read by its shape', async () => {
  const other = {
    status: 201,
    statusText: '',
    headers: new Map([['x-a', '1']]),
    body: null,
    bodyUsed: false,
  };
  const { status, headers } = await answered(() => other as unknown as Response);
  expect([status, headers[0]]).toEqual(['201 Created', ['x-a', '1']]);
});

test('a stream that fails breaks the response off; one that yields text is an error', async () => {
  const failing = () =>
    new Response(new ReadableStream({ pull: (controller) => controller.error(new Error('broke')) }));
  expect(await answered(failing)).toMatchObject({ statusCode: 500, log: expect.stringContaining('broke') });
  const text = () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue('text') }));
  expect(await answered(text)).toMatchObject({
    statusCode: 500,
    log: expect.stringContaining('expected a Uint8Array'),
  });
});

test('an upgrade to a WebSocket is a 501 that says so', async () => {
  let cancelled = false;
  const socket = {
    status: 101,
    statusText: '',
    headers: new Headers(),
    body: {
      locked: false,
      cancel: async () => {
        cancelled = true;
      },
    },
    bodyUsed: false,
    webSocket: {},
  };
  const { statusCode, log } = await answered(() => socket as unknown as Response);
  expect([statusCode, cancelled]).toEqual([501, true]);
  expect(log).toContain('WebSocket, which the gateway "testing" cannot pass on');
});

test('on a Fetch platform an upgrade goes through untouched', async () => {
  const socket = { status: 101, headers: new Headers(), body: null, bodyUsed: false, webSocket: {} };
  expect(await toFetch(fromFetch(() => socket as unknown as Response))('/')).toBe(socket);
});

test('a handler that answers after its client left has its response cancelled, and nothing is logged', async () => {
  const log: string[] = [];
  for (const host of [(app: FetchApp) => fromFetch(app), (app: FetchApp) => wraps(fromFetch(app))]) {
    let called = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      called = resolve;
    });
    let answer = (_response: Response): void => {};
    const cancelled = new Promise<void>((resolve) => {
      const handler = () => {
        called();
        return new Promise<Response>((respond) => {
          answer = () => respond(new Response(new ReadableStream({ cancel: () => resolve() })));
        });
      };
      listening(host(handler), { errors: (text) => void log.push(text) }).then(async (server) => {
        const client = http.get({ port: server.port, host: '127.0.0.1' });
        client.on('error', () => {});
        await waiting;
        client.destroy();
        // The server has to see it first.
        setTimeout(() => {
          answer(new Response());
          setTimeout(() => server.close(), 20);
        }, 20);
      });
    });
    await cancelled;
  }
  expect(log).toEqual([]);
});

test('the handler’s stream is read at the pace of the client', async () => {
  let pulls = 0;
  const chunk = new Uint8Array(64 * 1024);
  const handler = () =>
    new Response(
      new ReadableStream(
        {
          pull(controller) {
            pulls++;
            controller.enqueue(chunk);
          },
        },
        { highWaterMark: 0 },
      ),
    );
  const server = await listening(fromFetch(handler));
  const client = http.get({ port: server.port, host: '127.0.0.1' });
  const [response] = await once(client, 'response');
  response.pause();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const held = pulls;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(pulls).toBe(held);
  response.resume();
  while (pulls <= held) await new Promise((resolve) => setTimeout(resolve, 5));
  client.destroy();
  server.close();
});

/** One raw block behind a frame header without checksum or length. (RFC 8878 §3.1.1) */
function zstdFrame(text: string): Buffer {
  const block = (Buffer.byteLength(text) << 3) | 1;
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, block & 0xff, (block >> 8) & 0xff, block >> 16];
  return Buffer.concat([Buffer.from(head), Buffer.from(text)]);
}

const CODERS: Record<string, (text: string) => Buffer> = {
  gzip: gzipSync,
  GZIP: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdFrame,
  'gzip, br': (text) => brotliCompressSync(gzipSync(text)),
  'br,gzip': (text) => gzipSync(brotliCompressSync(text)),
};

describe('a response that fetch brought', () => {
  const text = 'the body, repeated '.repeat(50);
  let origin: http.Server;
  let url = '';
  beforeAll(async () => {
    origin = http.createServer((request, response) => {
      const coding = decodeURIComponent(request.url?.slice(1) as string);
      const bytes = CODERS[coding]?.(text) ?? Buffer.from(text);
      response.writeHead(200, {
        ...(coding === 'plain' ? {} : { 'content-encoding': coding }),
        'content-length': bytes.byteLength,
        'x-origin': 'yes',
        'set-cookie': ['a=1', 'b=2'],
      });
      response.end(request.method === 'HEAD' ? undefined : bytes);
    });
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    origin.close();
    origin.closeAllConnections();
  });

  test.each(['gzip', 'x-gzip', 'GZIP', 'deflate', 'br', 'gzip, br', 'br,gzip'])(
    'of coding %s is decoded, and says so',
    async (coding) => {
      const { headers, text: body, log } = await answered(() => fetch(url + encodeURIComponent(coding)));
      expect(log).toBe('');
      expect(body).toBe(text);
      expect(names(headers)).toEqual(expect.arrayContaining(['x-origin', 'set-cookie']));
      expect(names(headers)).not.toContain('content-encoding');
      expect(names(headers)).not.toContain('content-length');
      expect(names(headers)).not.toContain('connection');
      expect(headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)).toEqual(['a=1', 'b=2']);
    },
  );

  test('of a coding that only some versions of fetch undo has a label that is true', async () => {
    const { headers, text: body } = await answered(() => fetch(`${url}zstd`));
    const isCoded = names(headers).includes('content-encoding');
    // The bytes of the frame hold the text as it is: without a coder of Node's own, it is written by hand.
    expect(body).toBe(isCoded ? zstdFrame(text).toString() : text);
    expect(Object.fromEntries(headers)['content-length']).toBe(
      isCoded ? String(zstdFrame(text).byteLength) : undefined,
    );
  });

  test('that looks decoded though its label is one that no runtime undoes keeps it', async () => {
    const { headers } = await answered(() => fetch(`${url}${encodeURIComponent('gzip, x-unknown')}`));
    expect(Object.fromEntries(headers)['content-encoding']).toBe('gzip, x-unknown');
  });

  test('of no coding, or of one that fetch leaves alone, keeps its length', async () => {
    for (const coding of ['plain', 'x-unknown']) {
      const { headers, text: body } = await answered(() => fetch(url + coding));
      expect(body).toBe(text);
      expect(Object.fromEntries(headers)['content-length']).toBe(String(text.length));
      expect(names(headers).includes('content-encoding')).toBe(coding === 'x-unknown');
    }
  });

  test('to HEAD keeps coding and length, which are those of the GET', async () => {
    const { headers } = await answered(() => fetch(`${url}gzip`, { method: 'HEAD' }), { REQUEST_METHOD: 'HEAD' });
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-encoding': 'gzip',
      'content-length': String(gzipSync(text).byteLength),
    });
  });

  test('is passed on by a server to its client whole', async () => {
    const server = await listening(fromFetch(() => fetch(`${url}gzip`)));
    expect(await (await server.call('/')).text()).toBe(text);
    server.close();
  });
});
