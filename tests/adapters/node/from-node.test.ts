// fromNode: what a listener sees of a request. Each test holds for Node itself first.

import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { describe, expect, test } from 'vitest';
import { type Environ, run, setupTestingDefaults } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { fromNode, toNode } from 'waygate/node';
import { copies, listening, ON_CONNECTIONS, request, WAYS } from './hosting.ts';

const json = (response: ServerResponse, value: unknown) => response.end(JSON.stringify(value));

describe.each(WAYS)('a request, %s', (_name, way) => {
  test('shows method, target and headers', async () => {
    const listener = (req: IncomingMessage, res: ServerResponse) =>
      json(res, {
        isMessage: req instanceof http.IncomingMessage && res instanceof http.ServerResponse && res.req === req,
        method: req.method,
        url: req.url,
        one: req.headers['x-one'],
        distinct: req.headersDistinct['x-one'],
        cookie: req.headers.cookie,
        type: req.headers['content-type'],
        version: [req.httpVersion, req.httpVersionMajor, req.httpVersionMinor],
        trailers: req.trailers,
      });
    await way(listener, async (call) => {
      const response = await call('/a%2Fb/%zz//%C3%A9?q=%20+&q=2?', {
        method: 'PUT',
        headers: [
          ['x-one', 'a, b'],
          ['cookie', 'a=1; b=2'],
          ['content-type', 'text/plain'],
        ],
        body: 'x',
      });
      expect(await response.json()).toEqual({
        isMessage: true,
        method: 'PUT',
        url: '/a%2Fb/%zz//%C3%A9?q=%20+&q=2?',
        one: 'a, b',
        distinct: ['a, b'],
        cookie: 'a=1; b=2',
        type: 'text/plain',
        version: ['1.1', 1, 1],
        trailers: {},
      });
    });
  });

  test.each<[string, (req: IncomingMessage) => Promise<string>]>([
    [
      'data events',
      (req) =>
        new Promise((resolve) => {
          const chunks: Buffer[] = [];
          req.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString()));
        }),
    ],
    [
      'data events after a pause',
      async (req) => {
        let text = '';
        req.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
          req.pause();
          setTimeout(() => req.resume(), 1);
        });
        await new Promise((resolve) => req.on('end', resolve));
        return text;
      },
    ],
    [
      'asynchronous iteration',
      async (req) => {
        const chunks: Buffer[] = [];
        for await (const chunk of req) chunks.push(chunk);
        return Buffer.concat(chunks).toString();
      },
    ],
    [
      'readable events and read()',
      (req) =>
        new Promise((resolve) => {
          let text = '';
          req.setEncoding('utf8');
          req.on('readable', () => {
            for (let piece = req.read(3); piece !== null; piece = req.read(3)) text += piece;
            const rest = req.read();
            if (rest !== null) text += rest;
          });
          req.on('end', () => resolve(text));
        }),
    ],
  ])('gives its body to %s', async (_kind, read) => {
    const listener = async (req: IncomingMessage, res: ServerResponse) => {
      const text = await read(req);
      json(res, { text, complete: req.complete, ended: req.readableEnded });
    };
    const body = 'Grüße, '.repeat(20_000);
    await way(listener, async (call) => {
      const response = await call('/', { method: 'POST', body });
      expect(await response.json()).toEqual({ text: body, complete: true, ended: true });
    });
  });

  test('goes into its own response by pipe', async () => {
    const body = new Uint8Array(300_000).map((_, index) => index % 251);
    await way(
      (req, res) => req.pipe(res),
      async (call) => {
        const response = await call('/', { method: 'POST', body });
        expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), body)).toBe(0);
      },
    );
  });

  test('ends at once without a body, whatever the method', async () => {
    const listener = (req: IncomingMessage, res: ServerResponse) => {
      let bytes = 0;
      req.on('data', (chunk) => {
        bytes += chunk.length;
      });
      req.on('end', () =>
        json(res, { bytes, length: req.headers['content-length'], te: req.headers['transfer-encoding'] }),
      );
    };
    await way(listener, async (call) => {
      expect(await (await call('/')).json()).toEqual({ bytes: 0 });
      expect(await (await call('/', { method: 'DELETE' })).json()).toMatchObject({ bytes: 0 });
    });
  });

  test('closes after its response', async () => {
    const events: string[] = [];
    const closed = deferred();
    const listener = (req: IncomingMessage, res: ServerResponse) => {
      req.on('end', () => events.push('req end'));
      req.on('close', () => {
        events.push(`req close ${req.aborted}`);
        closed.resolve(null);
      });
      res.end('x');
    };
    await way(listener, async (call) => {
      await (await call('/')).text();
      await closed.promise;
      expect(events).toEqual(['req end', 'req close false']);
    });
  });
});

function deferred(): { promise: Promise<unknown>; resolve(value: unknown): void } {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe.each(ON_CONNECTIONS)('a request over a connection, %s', (_name, way) => {
  test('has the header lines of the client, in its spelling, order and number', async () => {
    await way(
      (req, res) => json(res, [req.rawHeaders, req.headers]),
      async (_call, port) => {
        const headers = ['Host', 'x', 'X-B', '1', 'x-a', '2', 'X-b', '3', 'Cookie', 'a=1', 'cookie', 'b=2'];
        const { body } = await request(port, { headers: headers as never, setHost: false });
        const [raw, named] = JSON.parse(body.toString());
        expect(raw.slice(0, headers.length)).toEqual(headers);
        expect(named).toMatchObject({ host: 'x', 'x-b': '1, 3', 'x-a': '2', cookie: 'a=1; b=2' });
      },
    );
  });

  test('keeps a lone question mark', async () => {
    await way(
      (req, res) => res.end(req.url),
      async (_call, port) => {
        expect((await request(port, { path: '/a?' })).body.toString()).toBe('/a?');
        expect((await request(port, { path: '/a??' })).body.toString()).toBe('/a??');
        expect((await request(port, { path: '/' })).body.toString()).toBe('/');
      },
    );
  });

  test('keeps scheme and authority of a target in absolute form', async () => {
    await way(
      (req, res) => res.end(req.url),
      async (_call, port) => {
        const shown = async (path: string) => (await request(port, { path })).body.toString();
        expect(await shown('http://example.com:81/a%2Fb?c')).toBe('http://example.com:81/a%2Fb?c');
        expect(await shown('HTTPS://example.com/')).toBe('HTTPS://example.com/');
      },
    );
  });

  test('has the addresses of its connection', async () => {
    const listener = ({ socket }: IncomingMessage, res: ServerResponse) =>
      json(res, {
        remote: [socket.remoteAddress, typeof socket.remotePort, socket.remoteFamily],
        local: [socket.localAddress, socket.localPort],
        address: socket.address(),
        encrypted: (socket as { encrypted?: boolean }).encrypted,
        state: [socket.destroyed, socket.readable, socket.writable, socket.connecting],
        same: res.socket === socket,
      });
    await way(listener, async (call, port) => {
      expect(await (await call('/')).json()).toEqual({
        remote: ['127.0.0.1', 'number', 'IPv4'],
        local: ['127.0.0.1', port],
        address: { address: '127.0.0.1', family: 'IPv4', port },
        state: [false, true, true, false],
        same: true,
      });
    });
  });

  test('is served over HTTP/1.0 and with a body of chunks', async () => {
    const listener = async (req: IncomingMessage, res: ServerResponse) => {
      let text = '';
      for await (const chunk of req) text += chunk;
      json(res, [req.headers['transfer-encoding'], text]);
    };
    await way(listener, async (_call, port) => {
      const { body } = await request(port, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } }, 'abc');
      expect(JSON.parse(body.toString())).toEqual(['chunked', 'abc']);
    });
  });
});

describe('what environ adds', () => {
  const environ = (keys: Partial<Environ>): Environ => setupTestingDefaults(keys);

  async function see(keys: Partial<Environ>, see: (req: IncomingMessage) => unknown): Promise<unknown> {
    let seen: unknown;
    const app = fromNode((req, res) => {
      seen = see(req);
      res.end();
    });
    await run(app, environ(keys));
    return seen;
  }

  test('a mount prefix is not in the URL, and shows where Express looks for it', async () => {
    const keys = { SCRIPT_NAME: '/my api', PATH_INFO: '/a/b', QUERY_STRING: 'q', REQUEST_URI: '/my%20api/a%2fb?q' };
    const shown = (req: IncomingMessage & { baseUrl?: string; originalUrl?: string }) => [
      req.url,
      req.baseUrl,
      req.originalUrl,
    ];
    expect(await see(keys, shown)).toEqual(['/a%2fb?q', '/my%20api', '/my%20api/a%2fb?q']);
    expect(await see({ ...keys, PATH_INFO: '' }, shown)).toEqual(['/?q', '/my%20api', '/my%20api?q']);
    expect(await see({ ...keys, SCRIPT_NAME: '' }, shown)).toEqual(['/a/b?q', undefined, undefined]);
  });

  test('a target in absolute form is no longer shown where the path was changed', async () => {
    const keys = { SCRIPT_NAME: '/api', PATH_INFO: '/a', QUERY_STRING: 'q', REQUEST_URI: 'http://example.com/api/a?q' };
    const shown = (req: IncomingMessage & { originalUrl?: string }) => [req.url, req.originalUrl];
    const origin = 'http://example.com';
    expect(await see(keys, shown)).toEqual([`${origin}/a?q`, `${origin}/api/a?q`]);
    expect(await see({ ...keys, PATH_INFO: '/b' }, shown)).toEqual(['/b?q', '/api/b?q']);
  });

  test('environ itself, and the address and scheme in it', async () => {
    const keys = { REMOTE_ADDR: '2001:db8::1', REMOTE_PORT: '4711', 'wsgi.url_scheme': 'https' as const };
    const seen = await see(keys, (req) => {
      const { remoteAddress, remotePort, remoteFamily } = req.socket;
      const { encrypted } = req.socket as { encrypted?: boolean };
      return [remoteAddress, remotePort, remoteFamily, encrypted, (req as { environ?: Environ }).environ?.REMOTE_PORT];
    });
    expect(seen).toEqual(['2001:db8::1', 4711, 'IPv6', true, '4711']);
    expect(await see({}, (req) => req.socket.remoteAddress)).toBeUndefined();
  });

  test('what a middleware changed', async () => {
    const app = fromNode((req, res) =>
      json(res, [req.method, req.url, req.headers['x-a'], req.headers['x-b'], req.rawHeaders]),
    );
    const changed = toNode((environ, startResponse) => {
      environ.PATH_INFO = '/else where';
      environ.HTTP_X_A = 'changed';
      environ.REQUEST_METHOD = 'PURGE';
      delete environ.HTTP_X_B;
      return app(environ, startResponse);
    });
    await listening(http.createServer(changed), async (call) => {
      const response = await call('/', { headers: { 'x-a': 'a', 'x-b': 'b' } });
      const [method, url, a, b, raw] = (await response.json()) as [string, string, string, string | null, string[]];
      expect([method, url, a, b]).toEqual(['PURGE', '/else%20where', 'changed', null]);
      expect(raw).not.toContain('x-b');
    });
  });

  test('no header that could pose as another', async () => {
    const app = copies(fromNode((req, res) => json(res, [req.headers, req.rawHeaders])));
    await listening(http.createServer(toNode(app)), async (_call, port) => {
      const { body } = await request(port, { headers: { x_a: '1', Proxy: 'x' } });
      expect(body.toString()).not.toMatch(/x_a|proxy/i);
    });
  });

  test('a body that no header announces is announced as chunked, so that body parsers read it', async () => {
    const app = fromNode(async (req, res) => {
      let text = '';
      for await (const chunk of req) text += chunk;
      res.end(`${req.headers['transfer-encoding']} ${text}`);
    });
    const stream = new Blob(['abc']).stream();
    const response = await toFetch(app)('/', { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
    expect(await response.text()).toBe('chunked abc');
  });
});

test('the client of a dual-stack server has the address that Node gives it', async () => {
  const listener = (req: IncomingMessage, res: ServerResponse) => res.end(req.socket.remoteAddress);
  const seen = [];
  for (const served of [listener, toNode(copies(fromNode(listener)))]) {
    const server = http.createServer(served).listen(0);
    await once(server, 'listening');
    seen.push((await request((server.address() as AddressInfo).port, {})).body.toString());
    server.close();
  }
  expect(seen[0]).toBeTruthy();
  expect(seen[1]).toBe(seen[0]);
});

test('fromNode says what it takes', () => {
  expect(() => fromNode(new Koa() as never)).toThrow(/fromNode was given a Koa app; expected .*koa\.callback\(\)/);
  expect(() => fromNode({} as never)).toThrow(/fromNode was given an Object; expected a listener .*koa\.callback\(\)/);
  expect(() => fromNode(undefined as never)).toThrow(TypeError);
});
