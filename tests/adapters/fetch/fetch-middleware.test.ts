// Fetch middleware around applications, and middleware of applications in Hono, on each platform.

import express from 'express';
import { Hono } from 'hono';
import { etag } from 'hono/etag';
import { poweredBy } from 'hono/powered-by';
import { describe, expect, test, vi } from 'vitest';
import { type Application, encode, type Middleware } from 'waygate';
import {
  environOf,
  type FetchMiddleware,
  fromFetch,
  fromFetchMiddleware,
  toFetch,
  toFetchMiddleware,
} from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { fromNode } from 'waygate/node';
import { expectSilence } from '../node/bridged-bodies.ts';
import { APP_WAYS } from '../node/connect-ways.ts';

const hello: Application = (_environ, startResponse) => {
  startResponse('200 OK', [
    ['Content-Type', 'text/plain'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  return [encode('hello')];
};

const echo: Application = async (environ, startResponse) => {
  const { REQUEST_METHOD, PATH_INFO, QUERY_STRING, HTTP_X_NEW, HTTP_X_OLD, CONTENT_TYPE } = environ;
  const body = await environ['wsgi.input'].text();
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [
    encode(JSON.stringify({ REQUEST_METHOD, PATH_INFO, QUERY_STRING, HTTP_X_NEW, HTTP_X_OLD, CONTENT_TYPE, body })),
  ];
};

const passes: FetchMiddleware = (_request, next) => next();

describe.each(APP_WAYS)('fromFetchMiddleware %s', (name, way) => {
  test('a response passes through, as it is or made anew', async () => {
    const adds: FetchMiddleware = async (_request, next) => {
      const answer = await next();
      const response = new Response(answer.body, answer);
      response.headers.set('X-Added', '1');
      return response;
    };
    for (const middleware of [passes, adds]) {
      for (const app of [hello, validator(hello)]) {
        await way(validator(fromFetchMiddleware(middleware)(app)), async (call) => {
          const response = await call('/');
          expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
          expect(response.headers.get('x-added')).toBe(middleware === adds ? '1' : null);
          expect(response.headers.get('content-length')).toBe('5');
          expect(await response.text()).toBe('hello');
          const head = await call('/', { method: 'HEAD' });
          expect(await head.text()).toBe('');
        });
      }
    }
  });

  test('it keeps the contract on both sides, for bodies of each kind', async () => {
    await expectSilence(way, fromFetchMiddleware(passes));
    const anew: FetchMiddleware = async (_request, next) => {
      const answer = await next();
      return new Response(answer.body, answer);
    };
    await expectSilence(way, fromFetchMiddleware(anew));
  });

  test('a middleware that answers by itself keeps the application from being called', async () => {
    const app = vi.fn(hello);
    const refuses: FetchMiddleware = () => new Response('no', { status: 403 });
    await way(fromFetchMiddleware(refuses)(app), async (call) => {
      expect((await call('/')).status).toBe(403);
      expect(app).not.toHaveBeenCalled();
    });
  });

  test('the application sees the request that is passed on', async () => {
    const changes: FetchMiddleware = async (request, next) => {
      const url = new URL(request.url);
      url.pathname = '/b c';
      url.search = '?q=2';
      const headers = new Headers(request.headers);
      headers.set('x-new', 'é');
      headers.delete('x-old');
      const body = `${await request.text()} and more`;
      return next(new Request(url, { method: 'PUT', headers, body }));
    };
    const inExpress = fromNode(
      express().use(
        express.text(),
        (request, response) => void response.json([request.method, request.url, request.body]),
      ),
    );
    const post = { method: 'POST', body: 'some', headers: { 'content-type': 'text/plain', 'x-old': '1' } };
    await way(fromFetchMiddleware(changes)(validator(echo)), async (call) => {
      expect(await (await call('/a?q=1', post)).json()).toEqual({
        REQUEST_METHOD: 'PUT',
        PATH_INFO: '/b c',
        QUERY_STRING: 'q=2',
        HTTP_X_NEW: 'é',
        CONTENT_TYPE: 'text/plain',
        body: 'some and more',
      });
    });
    await way(fromFetchMiddleware(changes)(inExpress), async (call) => {
      expect(await (await call('/a?q=1', post)).json()).toEqual(['PUT', '/b%20c?q=2', 'some and more']);
    });
  });

  test('a body can be read from a clone, and one that was taken away is an error that says so', async () => {
    const clones: FetchMiddleware = async (request, next) => {
      expect(await request.clone().text()).toBe('some');
      return next();
    };
    const takes: FetchMiddleware = async (request, next) => {
      await request.text();
      return next();
    };
    const post = { method: 'POST', body: 'some' };
    await way(fromFetchMiddleware(clones)(echo), async (call) => {
      expect((await (await call('/', post)).json()).body).toBe('some');
    });
    await way(fromFetchMiddleware(passes)(echo), async (call) => {
      expect((await (await call('/', { method: 'POST', body: 'x'.repeat(500_000) })).json()).body).toHaveLength(
        500_000,
      );
    });
    const texts: string[] = [];
    await way(
      fromFetchMiddleware(takes)(echo),
      async (call) => {
        expect((await call('/', post)).status).toBe(500);
        expect(texts.join('')).toContain('has read the body of the request that it passed on');
      },
      { errors: (text) => texts.push(text) },
    );
  });

  test('an error of the application rejects next(), and is reported once where nobody catches it', async () => {
    const fails: Application = () => {
      throw new Error('the application fails');
    };
    const catches: FetchMiddleware = (_request, next) =>
      next().catch((error) => new Response(error.message, { status: 503 }));
    const onError = vi.fn();
    const options = { errors: () => {}, onError };
    await way(
      fromFetchMiddleware(catches)(fails),
      async (call) => {
        const response = await call('/');
        expect([response.status, await response.text()]).toEqual([503, 'the application fails']);
      },
      options,
    );
    expect(onError).not.toHaveBeenCalled();
    await way(
      fromFetchMiddleware(passes)(fails),
      async (call) => {
        expect((await call('/')).status).toBe(500);
      },
      options,
    );
    expect(onError.mock.calls.map(([error]) => error.message)).toEqual(['the application fails']);
  });

  test('a second next() is an error', async () => {
    const app = vi.fn(hello);
    const twice: FetchMiddleware = async (_request, next) => {
      await next();
      return next();
    };
    await way(fromFetchMiddleware(twice)(app), async (call) => {
      expect((await call('/')).status).toBe(500);
      expect(app).toHaveBeenCalledTimes(1);
    });
  });

  test('a body is streamed, read once, and closed once, also where it is thrown away', async () => {
    const closed = vi.fn();
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return {
        async *[Symbol.asyncIterator]() {
          yield encode('first ');
          yield encode('second');
        },
        close: closed,
      };
    };
    const upper: FetchMiddleware = async (_request, next) => {
      const answer = await next();
      const transform = new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => controller.enqueue(encode(Buffer.from(chunk).toString().toUpperCase())),
      });
      return new Response(answer.body?.pipeThrough(transform), answer);
    };
    const drops: FetchMiddleware = async (_request, next) => {
      await next();
      return new Response('other');
    };
    const throws: FetchMiddleware = async (_request, next) => {
      await next();
      throw new Error('a middleware fails');
    };
    for (const [middleware, text] of [
      [passes, 'first second'],
      [upper, 'FIRST SECOND'],
      [drops, 'other'],
      [throws, '500 Internal Server Error\n'],
    ] as const) {
      closed.mockClear();
      await way(fromFetchMiddleware(middleware)(app), async (call) => {
        expect(await (await call('/')).text()).toBe(text);
        await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1));
      });
    }
  });

  test("Hono's middleware stands around an application, through a Hono app", async () => {
    const hono = new Hono<{ Bindings: { next(request: Request): Promise<Response> } }>()
      .use(poweredBy(), etag())
      .all('*', (c) => c.env.next(c.req.raw));
    hono.onError((error) => {
      throw error;
    });
    const around = fromFetchMiddleware((request, next) => hono.fetch(request, { next }));
    await way(around(validator(hello)), async (call) => {
      const response = await call('/');
      expect(response.headers.get('x-powered-by')).toBe('Hono');
      const tag = response.headers.get('etag') as string;
      expect(await response.text()).toBe('hello');
      expect((await call('/', { headers: { 'if-none-match': tag } })).status).toBe(304);
    });
    if (name === 'on node') {
      await way(around(echo), async (call) => {
        expect((await (await call('/x', { method: 'POST', body: 'some' })).json()).body).toBe('some');
      });
    }
  });

  test('a Hono app inside finds the environ, and what a middleware has put there', async () => {
    const user: FetchMiddleware = (request, next) => {
      const environ = environOf(request);
      if (environ) environ['app.user'] = 'ada';
      return next();
    };
    const hono = fromFetch(new Hono().get('/', (c) => c.json(environOf(c.req.raw)?.['app.user'])));
    await way(fromFetchMiddleware(user)(hono), async (call) => {
      expect(await (await call('/')).json()).toBe('ada');
    });
  });
});

describe('toFetchMiddleware', () => {
  const adds: Middleware = (app) => (environ, startResponse) => {
    environ['app.seen'] = environ.PATH_INFO;
    return app(environ, (status, headers, ...error) => startResponse(status, [...headers, ['X-Added', '1']], ...error));
  };
  const upper: Middleware = (app) => async (environ, startResponse) => {
    const body = await app({ ...environ, HTTP_X_NEW: 'new' }, startResponse);
    return (async function* () {
      for await (const chunk of body) yield encode(Buffer.from(chunk).toString().toUpperCase());
    })();
  };
  const looks: Middleware = (app) => (environ, startResponse) => app(environ, startResponse);

  test.each([
    ['one that changes the head', adds, '1', 'hello old'],
    ['one that changes request and body', upper, null, 'HELLO NEW'],
    ['one that looks', looks, null, 'hello old'],
    ['one that the validator watches', (app: Application) => validator(adds(validator(app))), '1', 'hello old'],
  ])('in Hono: %s', async (_name, middleware, added, text) => {
    const hono = new Hono();
    hono.use(toFetchMiddleware(middleware as Middleware));
    hono.get('/hello', (c) => {
      c.header('X-Twice', 'inner');
      return c.text(`hello ${c.req.header('x-new') ?? 'old'}`, 201);
    });
    const response = await hono.request('/hello');
    expect([response.status, await response.text()]).toEqual([201, text]);
    expect(response.headers.get('x-added')).toBe(added);
    expect(response.headers.get('x-twice')).toBe('inner');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=UTF-8');
    const missing = await hono.request('/other');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('x-added')).toBe(added);
  });

  test('in Hono: a middleware that answers by itself, one that fails, and one that keeps a header from going out', async () => {
    const refuses: Middleware = () => (_environ, startResponse) => {
      startResponse('403 Forbidden', [['Content-Type', 'text/plain']]);
      return [encode('no')];
    };
    const fails: Middleware = () => () => {
      throw new Error('a middleware fails');
    };
    const removes: Middleware = (app) => (environ, startResponse) =>
      app(environ, (status, headers, ...error) =>
        startResponse(
          status,
          headers.filter(([name]) => name.toLowerCase() !== 'x-inner'),
          ...error,
        ),
      );
    const route = vi.fn();
    const onError = vi.fn();
    for (const [middleware, status] of [
      [refuses, 403],
      [fails, 500],
      [removes, 200],
    ] as const) {
      const hono = new Hono();
      hono.use(toFetchMiddleware(middleware, { errors: () => {}, onError }));
      hono.get('/', (c) => {
        route();
        return c.text('hello', 200, { 'X-Inner': '1' });
      });
      const response = await hono.request('/');
      expect(response.status).toBe(status);
      expect(response.headers.get('x-inner')).toBeNull();
    }
    expect(route).toHaveBeenCalledTimes(1);
    expect(onError.mock.calls.map(([error]) => error.message)).toEqual(['a middleware fails']);
  });

  test('in Hono: work after the response goes to the execution context, and a body is read through', async () => {
    const later: Middleware = (app) => (environ, startResponse) => {
      environ['waygate.wait_until'](Promise.resolve());
      return app({ ...environ }, startResponse);
    };
    const hono = new Hono();
    hono.use(toFetchMiddleware(later));
    hono.post('/', async (c) => c.text(await c.req.text()));
    const waitUntil = vi.fn();
    const context = { waitUntil, passThroughOnException: () => {}, props: {} };
    const response = await hono.request('/', { method: 'POST', body: 'some' }, {}, context);
    expect(await response.text()).toBe('some');
    expect(waitUntil).toHaveBeenCalled();
  });

  test('for (request, next) => Response', async () => {
    const middleware = toFetchMiddleware(adds);
    const response = await middleware(new Request('http://localhost/a'), (request) => new Response(request.url));
    expect(response.headers.get('x-added')).toBe('1');
    expect(await response.text()).toBe('http://localhost/a');
    const same = new Response('same');
    expect(await toFetchMiddleware(looks)(new Request('http://localhost/'), () => same)).toBe(same);
  });

  test('a value that is not a middleware is refused', () => {
    expect(() => toFetchMiddleware({} as never)).toThrow('expected a middleware');
    expect(() => toFetchMiddleware((() => undefined) as never)).toThrow('expected an application');
    expect(() => fromFetchMiddleware({} as never)).toThrow('expected a function (request, next) => Response');
  });
});

test('on a Fetch platform the very response of a hosted app passes', async () => {
  const same = new Response('same');
  const app = fromFetchMiddleware(passes)(fromFetch(() => same));
  expect(await toFetch(app)('/')).toBe(same);
});
