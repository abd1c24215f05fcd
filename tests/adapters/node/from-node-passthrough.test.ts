// fromNode on node: the listener gets the connection's own request and response, until something comes between.

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Application, ApplicationBody, Environ, GatewayOptions, Middleware } from 'waygate';
import { fromNode, type NodeAppListener, toNode } from 'waygate/node';
import { type Call, copies, listening, request } from './hosting.ts';

/** Serves behind a middleware that leaves the response alone, and tells whether the listener saw the connection itself. */
async function seesOwn(middleware: Middleware, init?: RequestInit, options?: GatewayOptions): Promise<boolean> {
  let own: IncomingMessage | undefined;
  let seen: IncomingMessage | undefined;
  const app = fromNode((req, res) => {
    seen = req;
    res.end('x');
  });
  const handler: Application = (environ, startResponse) => {
    own = environ['node.request'] as IncomingMessage;
    return middleware(app)(environ, startResponse);
  };
  await listening(http.createServer(toNode(handler, { errors: () => {}, ...options })), async (call) => {
    const response = await call('/api/a?b', init);
    expect(await response.text()).toBe('x');
  });
  expect(seen).toBeDefined();
  return seen === own;
}

const changes =
  (change: (environ: Environ) => void): Middleware =>
  (app) =>
  (environ, startResponse) => {
    change(environ);
    return app(environ, startResponse);
  };

describe('the listener gets the request of the connection', () => {
  test('alone, and behind a middleware that only adds keys', async () => {
    expect(await seesOwn((app) => app)).toBe(true);
    expect(
      await seesOwn(
        changes((environ) => {
          environ['my.key'] = 1;
          environ.REMOTE_USER = 'alice';
        }),
      ),
    ).toBe(true);
    expect(await seesOwn((app) => app, { method: 'POST', body: 'x' })).toBe(true);
    expect(await seesOwn((app) => app, { method: 'POST', body: 'x' }, { maxBodyBytes: 10 })).toBe(true);
  });

  test('with the environ on it', async () => {
    const app = fromNode((req, res) => {
      const { environ } = req as { environ: Environ };
      res.end(`${environ['node.request'] === req} ${environ.PATH_INFO} ${environ['my.key']}`);
    });
    const listener = toNode(app, { environ: { 'my.key': 1 } });
    await listening(http.createServer(listener), async (call) => {
      expect(await (await call('/a%20b')).text()).toBe('true /a b 1');
    });
  });
});

describe('the listener gets a request of its own', () => {
  test.each<[string, (environ: Environ) => void]>([
    ['the path', (environ) => Object.assign(environ, { PATH_INFO: '/b' })],
    ['the mount', (environ) => Object.assign(environ, { SCRIPT_NAME: '/api', PATH_INFO: '/a' })],
    ['the query', (environ) => Object.assign(environ, { QUERY_STRING: 'c' })],
    ['the method', (environ) => Object.assign(environ, { REQUEST_METHOD: 'PURGE' })],
    ['a header', (environ) => Object.assign(environ, { HTTP_HOST: 'elsewhere' })],
    ['a header more', (environ) => Object.assign(environ, { HTTP_X_MORE: '1' })],
    ['a header less', (environ) => delete environ.HTTP_ACCEPT],
    ['the client', (environ) => Object.assign(environ, { REMOTE_ADDR: '10.0.0.1' })],
    ['the scheme', (environ) => Object.assign(environ, { 'wsgi.url_scheme': 'https' })],
    ['the body', (environ) => Object.assign(environ, { 'wsgi.input': { ...environ['wsgi.input'] } })],
  ])('when a middleware changes %s', async (_what, change) => {
    expect(await seesOwn(changes(change))).toBe(false);
  });

  test('when environ or startResponse are not the gateway’s, or its body is wrapped', async () => {
    expect(await seesOwn(copies)).toBe(false);
    expect(await seesOwn((app) => (environ, start) => app(environ, (...head) => start(...head)))).toBe(false);
    const wraps: Middleware = (app) => (environ, startResponse) => {
      const body = app(environ, startResponse) as AsyncIterable<Uint8Array>;
      return { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator]() };
    };
    expect(await seesOwn(wraps)).toBe(false);
    let closed = 0;
    const closes: Middleware = (app) => (environ, startResponse) =>
      Object.assign(app(environ, startResponse) as ApplicationBody, { close: () => ++closed });
    expect(await seesOwn(closes as Middleware)).toBe(false);
    expect(closed).toBe(1);
  });

  test('when some of the body was read, under a base path, and where a body has to be counted', async () => {
    const reads: Middleware = (app) => async (environ, startResponse) => {
      await environ['wsgi.input'].read(1);
      return app(environ, startResponse);
    };
    expect(await seesOwn(reads, { method: 'POST', body: 'abc' })).toBe(false);
    expect(await seesOwn((app) => app, {}, { basePath: '/api' })).toBe(false);
    const stream = { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit;
    expect(await seesOwn((app) => app, stream, { maxBodyBytes: 10 })).toBe(false);
  });

  test('over HTTP/2, which frameworks for node:http cannot serve themselves', async () => {
    const app = fromNode((req, res) => {
      res.writeHead(201, { 'x-version': req.httpVersion });
      res.end(`${req instanceof http.IncomingMessage} ${req.headers.host}`);
    });
    const server = http2.createServer(toNode(app)).listen(0);
    await once(server, 'listening');
    const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const stream = session.request({ ':path': '/' });
    const [head] = await once(stream, 'response');
    const text = await new Response(stream as never).text();
    session.close();
    server.close();
    expect(head).toMatchObject({ ':status': 201, 'x-version': '2.0' });
    expect(text).toMatch(/^true 127\.0\.0\.1:/);
  });
});

describe('a listener on the connection itself', () => {
  const messages: string[] = [];
  const errors: unknown[] = [];

  async function serve(listener: NodeAppListener, work: (call: Call, port: number) => unknown, options = {}) {
    messages.length = 0;
    errors.length = 0;
    const log: GatewayOptions = { errors: (text) => messages.push(text), onError: (error) => errors.push(error) };
    await listening(http.createServer(toNode(fromNode(listener), { ...log, ...options })), work);
  }

  const secret = new Error('secret');

  test.each<[string, NodeAppListener]>([
    [
      'throws',
      (_req, res) => {
        res.setHeader('x-mine', '1');
        throw secret;
      },
    ],
    ['rejects', async () => Promise.reject(secret)],
  ])('that %s is answered for with a plain 500', async (_how, listener) => {
    await serve(listener, async (call) => {
      const response = await call('/');
      expect(response.status).toBe(500);
      expect(response.headers.get('x-mine')).toBeNull();
      expect(await response.text()).toBe('500 Internal Server Error\n');
    });
    expect(errors).toEqual([secret]);
    expect(messages.join('')).toContain('secret');
  });

  test.each<[string, Record<string, string>]>([
    ['chunks', {}],
    ['a length', { 'content-length': '100' }],
  ])('that throws after its head breaks the connection, with %s', async (_how, headers) => {
    const listener: NodeAppListener = (_req, res) => {
      res.writeHead(200, headers);
      res.write('begun');
      throw secret;
    };
    await serve(listener, async (_call, port) => {
      await expect(request(port, { path: '/' })).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    });
    expect(errors).toEqual([secret]);
  });

  test('that throws after its response is only reported', async () => {
    const listener: NodeAppListener = (_req, res) => {
      res.end('all of it');
      throw secret;
    };
    await serve(listener, async (call) => {
      expect(await (await call('/')).text()).toBe('all of it');
    });
    expect(errors).toEqual([secret]);
  });

  test('that expects nothing gets the 417 of Node’s server, and an http.Server its own listeners', async () => {
    const server = http.createServer((_req, res) => res.end('request'));
    const outer = http.createServer(toNode(fromNode(server)));
    outer.on('checkExpectation', (req, res) => outer.emit('request', req, res));
    await listening(outer, async (_call, port) => {
      const expects = { headers: { expect: 'magic' } };
      expect((await request(port, expects)).status).toBe(417);
      server.on('checkExpectation', (_req, res) => res.end('expectation'));
      expect((await request(port, expects)).body.toString()).toBe('expectation');
      expect((await request(port, {})).body.toString()).toBe('request');
    });
  });

  test('does not see a body that is declared too large, nor a path with a NUL', async () => {
    let calls = 0;
    const listener: NodeAppListener = (_req, res) => {
      calls++;
      res.end();
    };
    await serve(
      listener,
      async (call) => {
        expect((await call('/', { method: 'POST', body: 'four' })).status).toBe(413);
        expect((await call('/%00')).status).toBe(400);
        expect((await call('/', { method: 'POST', body: 'ok' })).status).toBe(200);
      },
      { maxBodyBytes: 3 },
    );
    expect(calls).toBe(1);
  });

  test('is not called for a request that no environ can be made of', async () => {
    let calls = 0;
    const listener: NodeAppListener = (_req, res) => {
      calls++;
      res.end();
    };
    await serve(listener, async (call, port) => {
      const status = async (headers: string[], method = 'GET') =>
        (await request(port, { method, headers: headers as never, setHost: false })).status;
      expect(await status(['Host', 'a', 'host', 'b'])).toBe(400);
      expect(await status(['Host', 'a', 'Content-Type', 'a/b', 'content-type', 'c/d'])).toBe(400);
      expect(await status(['Host', 'a', 'Transfer-Encoding', 'gzip, chunked'], 'POST')).toBe(501);
      expect((await call('/%00')).status).toBe(400);
      expect(calls).toBe(0);
      expect(await status(['Host', 'a', 'X-Hst', 'b'])).toBe(200);
    });
  });

  test('has one environ, which the error handler gets too', async () => {
    let seen: unknown[] = [];
    const options = {
      environ: { 'my.key': 1 },
      onError: (_error: unknown, environ: Environ) => seen.push(environ),
    };
    const listener: NodeAppListener = (req) => {
      seen = [req.environ, req.environ];
      throw secret;
    };
    await serve(listener, async (call) => void (await call('/')), options);
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatchObject({ 'my.key': 1, PATH_INFO: '/' });
  });

  test('that has changed the request sees the environ of what was sent', async () => {
    const listener: NodeAppListener = (req, res) => {
      Object.assign(req, { method: 'PUT', url: '/users', baseUrl: '/api', originalUrl: '/api/users?a' });
      const { REQUEST_METHOD, SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI } = req.environ;
      res.end(JSON.stringify([REQUEST_METHOD, SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI]));
    };
    await serve(listener, async (call) => {
      expect(await (await call('/api/users?a')).json()).toEqual(['GET', '', '/api/users', 'a', '/api/users?a']);
    });
  });

  test('may answer with a status that no other platform takes, which behind a gateway is a 500', async () => {
    const listener: NodeAppListener = (_req, res) => void res.writeHead(700, 'Seven hundred').end('x');
    const [native, behind] = [toNode(fromNode(listener)), toNode(copies(fromNode(listener)), { errors: () => {} })];
    await listening(http.createServer(native), async (_call, port) => {
      expect(await request(port, {})).toMatchObject({ status: 700, message: 'Seven hundred' });
    });
    await listening(http.createServer(behind), async (_call, port) => {
      expect((await request(port, {})).status).toBe(500);
    });
  });

  test('may hand it on to another one of its kind', async () => {
    const inner = toNode(fromNode((req, res) => res.end(`${req.url} ${req.environ.SCRIPT_NAME}`)));
    const outer: NodeAppListener = (req, res) => {
      Object.assign(req, { originalUrl: req.url, baseUrl: '/api', url: req.url.slice('/api'.length) });
      inner(req, res);
    };
    await serve(outer, async (call) => expect(await (await call('/api/users?a')).text()).toBe('/users?a /api'));
  });

  test('sees headers that the deployer adds', async () => {
    const listener: NodeAppListener = (req, res) => res.end(req.headers['x-added']);
    await serve(listener, async (call) => expect(await (await call('/')).text()).toBe('yes'), {
      environ: { HTTP_X_ADDED: 'yes' },
    });
  });

  test('that reads more than maxBodyBytes of a body in chunks gets an error with the status 413', async () => {
    const listener = async (req: IncomingMessage, res: ServerResponse) => {
      try {
        for await (const _chunk of req);
        res.end();
      } catch (error) {
        res.statusCode = (error as { status: number }).status;
        res.end(String(error));
      }
    };
    const body = () => new Blob(['x'.repeat(100)]).stream();
    await serve(
      listener,
      async (call) => {
        const response = await call('/', { method: 'POST', body: body(), duplex: 'half' } as RequestInit);
        expect(response.status).toBe(413);
        expect(await response.text()).toContain('larger than the 10 bytes');
      },
      { maxBodyBytes: 10 },
    );
    expect(errors).toEqual([]);
    // A listener that does not look at errors must not leave the client waiting.
    await serve(
      (req) => req.resume(),
      async (call) => {
        const response = await call('/', { method: 'POST', body: body(), duplex: 'half' } as RequestInit);
        expect(response.status).toBe(413);
      },
      { maxBodyBytes: 10 },
    );
  });
});

test('the listener runs in the context of what is around its application', async () => {
  const storage = new AsyncLocalStorage<string>();
  const within: Middleware = (app) => (environ, startResponse) =>
    storage.run('within', () => app(environ, startResponse));
  const rewrites: Middleware = (app) => (environ, startResponse) =>
    app(environ, (status, headers) => startResponse(status, headers));
  const app = fromNode(async (req, res) => {
    if (req.url === '/late') await new Promise((resolve) => setTimeout(resolve, 2));
    res.end(storage.getStore() ?? 'nowhere');
  });
  for (const each of [within(app), within(rewrites(app)), rewrites(within(app)), within(copies(app))]) {
    await listening(http.createServer(toNode(each)), async (call) => {
      for (const path of ['/', '/late']) expect(await (await call(path)).text()).toBe('within');
    });
  }
});
