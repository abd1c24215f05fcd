// Middleware of applications in frameworks that take connect-style functions: Express 5 and 4, connect, Fastify, Vite's kind.

import http from 'node:http';
import middie from '@fastify/middie';
import compression from 'compression';
import connect from 'connect';
import express5 from 'express';
// @ts-expect-error: Express 4 under a name of its own, and its types are those of 5.
import express4 from 'express4';
import Fastify from 'fastify';
import onHeaders from 'on-headers';
import { describe, expect, test, vi } from 'vitest';
import { encode, MemoryInput, type Middleware } from 'waygate';
import { mount, validator } from 'waygate/middleware';
import { toConnect } from 'waygate/node';
import { type Call, listening, request } from './hosting.ts';

const adds: Middleware = (app) => (environ, startResponse) =>
  app(environ, (status, headers, ...error) =>
    startResponse(
      status,
      [...headers.filter(([name]) => name.toLowerCase() !== 'x-inner'), ['X-Added', '1']],
      ...error,
    ),
  );
const upper: Middleware = (app) => async (environ, startResponse) => {
  const body = await app(environ, (status, headers, ...error) =>
    startResponse(
      status,
      headers.filter(([name]) => !/^(?:content-length|etag)$/i.test(name)),
      ...error,
    ),
  );
  return (async function* () {
    try {
      for await (const chunk of body) yield encode(Buffer.from(chunk).toString().toUpperCase());
    } finally {
      await body.close?.();
    }
  })();
};
const looks: Middleware = (app) => (environ, startResponse) => app(environ, startResponse);
const changes: Middleware = (app) => (environ, startResponse) => {
  environ.PATH_INFO = '/b c';
  environ.QUERY_STRING = 'q=2';
  environ.HTTP_X_NEW = 'new';
  delete environ.HTTP_X_OLD;
  return app(environ, startResponse);
};
const checked =
  (middleware: Middleware): Middleware =>
  (app) =>
    validator(middleware(validator(app)));

type Use = (
  middleware: Parameters<typeof toConnect>[0],
  handler: (req: http.IncomingMessage, res: http.ServerResponse) => unknown,
) => Promise<http.Server>;

const FRAMEWORKS: [string, Use][] = [
  [
    'Express 5',
    async (middleware, handler) =>
      http.createServer(
        express5()
          .use(toConnect(middleware))
          .use(handler as never),
      ),
  ],
  [
    'Express 4',
    async (middleware, handler) =>
      http.createServer(
        (express4 as typeof express5)()
          .use(toConnect(middleware))
          .use(handler as never),
      ),
  ],
  [
    'connect',
    async (middleware, handler) =>
      http.createServer(
        connect()
          .use(toConnect(middleware))
          .use(handler as never),
      ),
  ],
  [
    'Fastify',
    async (middleware, handler) => {
      const fastify = Fastify();
      await fastify.register(middie as never);
      (fastify as unknown as { use(each: unknown): void }).use(toConnect(middleware));
      fastify.removeAllContentTypeParsers();
      fastify.addContentTypeParser('*', (_request, _payload, done) => done(null));
      fastify.all('*', (request, reply) => {
        reply.hijack();
        handler(request.raw, reply.raw);
      });
      await fastify.ready();
      return fastify.server;
    },
  ],
];

const answer = (_request: http.IncomingMessage, response: http.ServerResponse): void => {
  response.setHeader('X-Inner', '1');
  response.setHeader('Set-Cookie', ['a=1', 'b=2']);
  response.writeHead(201, 'Made', { 'Content-Type': 'text/plain' });
  response.write('hello ');
  response.end('world');
};

describe.each(FRAMEWORKS)('%s', (name, use) => {
  test.each([
    ['changes the head', adds, 'hello world', '1', null],
    ['changes the head, and is watched', checked(adds), 'hello world', '1', null],
    ['changes the body', upper, 'HELLO WORLD', null, '1'],
    ['changes the body, and is watched', checked(upper), 'HELLO WORLD', null, '1'],
    ['looks', looks, 'hello world', null, '1'],
    ['looks, and is watched', checked(looks), 'hello world', null, '1'],
  ])('a middleware that %s', async (_what, middleware, text, added, inner) => {
    await listening(await use(middleware as Middleware, answer), async (call) => {
      for (let round = 0; round < 3; round++) {
        const response = await call('/');
        expect([response.status, response.statusText]).toEqual([201, 'Made']);
        expect(response.headers.get('x-added')).toBe(added);
        expect(response.headers.get('x-inner')).toBe(inner);
        expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
        expect(await response.text()).toBe(text);
        const head = await call('/', { method: 'HEAD' });
        expect([head.status, await head.text()]).toEqual([201, '']);
      }
    });
  });

  test('a middleware that answers by itself', async () => {
    const handler = vi.fn(answer);
    const refuses: Middleware = () => (_environ, startResponse) => {
      startResponse('403 Forbidden', [['Content-Type', 'text/plain']]);
      return [encode('no')];
    };
    await listening(await use(refuses, handler), async (call) => {
      const response = await call('/', { method: 'POST', body: 'x'.repeat(100_000) });
      expect([response.status, await response.text()]).toEqual([403, 'no']);
      expect((await call('/')).status).toBe(403);
      expect(handler).not.toHaveBeenCalled();
    });
  });

  test('the handlers see the request as the middleware has changed it', async () => {
    const handler = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      response.end(JSON.stringify([request.url, request.headers['x-new'], request.headers['x-old'] ?? null]));
    };
    await listening(await use(changes, handler), async (call) => {
      const response = await call('/a?q=1', { headers: { 'x-old': 'old' } });
      // middie puts back the URL that it gave to its middleware.
      expect(await response.json()).toEqual([name === 'Fastify' ? '/a?q=1' : '/b%20c?q=2', 'new', null]);
    });
  });

  test('a body reaches the handlers: unread, read by the middleware, or replaced by it', async () => {
    const handler = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
      let text = '';
      for await (const chunk of request) text += chunk;
      response.setHeader('Content-Type', 'text/plain');
      response.end(text);
    };
    const onData = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => response.end(text));
    };
    const replaces: Middleware = (app) => async (environ, startResponse) => {
      const text = await environ['wsgi.input'].text();
      environ['wsgi.input'] = new MemoryInput(`${text} and more`);
      environ.CONTENT_LENGTH = String(text.length + 9);
      return app(environ, startResponse);
    };
    for (const each of [handler, onData]) {
      for (const [middleware, text] of [
        [adds, 'some'],
        [checked(upper), 'SOME'],
        [looks, 'some'],
        [replaces, 'some and more'],
        [checked(replaces), 'some and more'],
      ] as const) {
        await listening(await use(middleware, each), async (call) => {
          for (let round = 0; round < 2; round++) {
            const response = await call('/', { method: 'POST', body: 'some', headers: { 'content-type': 'text/x' } });
            expect(await response.text()).toBe(text);
          }
        });
      }
    }
  });

  test('a long body goes through at the pace of its reader, and a client that leaves ends it', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    const closed = vi.fn();
    const handler = (_request: http.IncomingMessage, response: http.ServerResponse): void => {
      response.setHeader('Content-Type', 'text/plain');
      response.on('close', closed);
      let left = 400;
      const go = (): void => {
        while (left > 0) {
          left--;
          written++;
          if (!response.write(chunk)) {
            response.once('drain', go);
            return;
          }
        }
        response.end();
      };
      go();
    };
    for (const middleware of [adds, checked(upper)]) {
      written = 0;
      closed.mockClear();
      await listening(await use(middleware, handler), async (call) => {
        const controller = new AbortController();
        const response = await call('/', { signal: controller.signal });
        const reader = (response.body as ReadableStream<Uint8Array>).getReader();
        await reader.read();
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(written).toBeLessThan(300);
        controller.abort();
        await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1));
        const whole = await call('/');
        expect((await whole.arrayBuffer()).byteLength).toBe(400 * chunk.length);
      });
    }
  });
});

describe('Express', () => {
  const served = async (
    app: ReturnType<typeof express5>,
    work: (call: Call, port: number) => Promise<void>,
  ): Promise<void> => listening(http.createServer(app), work);

  test('res.json, res.send, etags and static files of the handlers go through', async () => {
    const app = express5().use(toConnect(adds));
    app.get('/json', (_request, response) => void response.json({ a: 1 }));
    app.get('/file', (_request, response) => response.sendFile(new URL(import.meta.url).pathname));
    await served(app, async (call, port) => {
      const json = await call('/json');
      expect(await json.json()).toEqual({ a: 1 });
      expect(json.headers.get('x-added')).toBe('1');
      const tag = json.headers.get('etag') as string;
      // fetch of Node asks for no cached answer where the header is there.
      const same = await request(port, { path: '/json', headers: { 'if-none-match': tag } });
      expect(same.status).toBe(304);
      expect(same.lines).toContainEqual(['X-Added', '1']);
      expect(await (await call('/file')).text()).toContain('toConnect');
      const missing = await call('/missing');
      expect([missing.status, missing.headers.get('x-added')]).toEqual([404, '1']);
    });
  });

  test('an error of the middleware goes to next(error), before or behind the handlers', async () => {
    const before: Middleware = () => () => {
      throw new Error('before');
    };
    const behind: Middleware = (app) => async (environ, startResponse) => {
      const body = await app(environ, startResponse);
      await body.close?.();
      throw new Error('behind');
    };
    for (const [middleware, message] of [
      [before, 'before'],
      [behind, 'behind'],
    ] as const) {
      const app = express5().use(toConnect(middleware, { errors: () => {} }));
      app.get('/', (_request, response) => void response.send('hello'));
      app.use(((error, _request, response, _next) => {
        response.status(503).send(error.message);
      }) as Parameters<typeof app.use>[0] & express5.ErrorRequestHandler);
      await served(app, async (call) => {
        const response = await call('/');
        expect([response.status, await response.text()]).toEqual([503, message]);
      });
    }
  });

  test('a body that fails behind its head breaks the response', async () => {
    const texts: string[] = [];
    const fails: Middleware = (app) => async (environ, startResponse) => {
      const body = await app(environ, startResponse);
      return (async function* () {
        for await (const chunk of body) {
          yield chunk;
          break;
        }
        throw new Error('the body fails');
      })();
    };
    const app = express5().use(toConnect(fails, { errors: (text) => texts.push(text) }));
    app.get('/', (_request, response) => void response.type('text').write('hello'));
    await served(app, async (call) => {
      await expect(call('/').then((response) => response.text())).rejects.toThrow();
      expect(texts.join('').split('the body fails')).toHaveLength(2);
    });
  });

  test('connect middleware around it and behind it keeps its place', async () => {
    const order: string[] = [];
    const app = express5();
    app.use((_request, response, next) => {
      response.setHeader('X-Outer', 'outer');
      onHeaders(response, function (this: http.ServerResponse) {
        order.push(`outer ${this.getHeader('x-added')}`);
      });
      next();
    });
    app.use(compression({ threshold: 0 }) as never);
    app.use(toConnect(checked(adds)));
    app.use((_request, response, next) => {
      onHeaders(response, function (this: http.ServerResponse) {
        order.push(`inner ${this.getHeader('x-added')}`);
      });
      next();
    });
    app.get('/', (_request, response) => {
      expect(response.getHeader('x-outer')).toBe('outer');
      response.removeHeader('X-Powered-By');
      response.type('text').write('some ');
      expect(response.headersSent).toBe(true);
      response.end('text');
      expect(response.writableEnded).toBe(true);
    });
    await served(app, async (call) => {
      const response = await call('/', { headers: { 'accept-encoding': 'gzip' } });
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect(response.headers.get('x-powered-by')).toBeNull();
      expect(response.headers.get('x-outer')).toBe('outer');
      expect(await response.text()).toBe('some text');
      expect(order).toEqual(['inner undefined', 'outer 1']);
    });
  });

  test('compression behind it, and two of them one in another', async () => {
    const app = express5().use(toConnect(adds), toConnect(checked(looks)), compression({ threshold: 0 }) as never);
    app.get('/', (_request, response) => void response.type('text').send('some text'));
    await served(app, async (call) => {
      const response = await call('/', { headers: { 'accept-encoding': 'gzip' } });
      expect(response.headers.get('x-added')).toBe('1');
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect(await response.text()).toBe('some text');
    });
  });

  test('under a path, and with a mount inside', async () => {
    const app = express5();
    app.use(
      '/api',
      toConnect((inner) => mount({ '/v1': adds(inner) })),
    );
    app.use('/api', (request, response) => void response.json([request.baseUrl, request.url]));
    await served(app, async (call) => {
      const response = await call('/api/v1/users?q=1');
      expect(response.headers.get('x-added')).toBe('1');
      expect(await response.json()).toEqual(['/api', '/users?q=1']);
      expect((await call('/api/v2')).status).toBe(404);
    });
  });

  test('the environ of the request is there for the handlers', async () => {
    const user: Middleware = (app) => (environ, startResponse) => app({ ...environ, 'app.user': 'ada' }, startResponse);
    const app = express5().use(toConnect(user));
    app.get('/', (request, response) => {
      response.json((request as unknown as { environ: Record<string, unknown> }).environ['app.user']);
    });
    await served(app, async (call) => expect(await (await call('/')).json()).toBe('ada'));
  });
});

test('Fastify: what a route returns goes through', async () => {
  const fastify = Fastify();
  await fastify.register(middie as never);
  (fastify as unknown as { use(each: unknown): void }).use(toConnect(checked(adds)));
  fastify.get('/', async () => ({ a: 1 }));
  fastify.post('/', async (request) => request.body);
  await fastify.ready();
  await listening(fastify.server, async (call) => {
    const response = await call('/');
    expect(response.headers.get('x-added')).toBe('1');
    expect(await response.json()).toEqual({ a: 1 });
    const post = { method: 'POST', body: '{"b":2}', headers: { 'content-type': 'application/json' } };
    expect(await (await call('/', post)).json()).toEqual({ b: 2 });
  });
});

test('a value that is not a middleware is refused', () => {
  expect(() => toConnect({} as never)).toThrow('expected a middleware');
  expect(() => toConnect((() => undefined) as never)).toThrow('expected an application');
});
