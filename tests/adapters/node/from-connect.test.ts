// Connect middleware around an application does what it does in Express, on each platform.

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import bodyParser from 'body-parser';
import compression from 'compression';
import cors from 'cors';
import express from 'express';
import session from 'express-session';
import helmet from 'helmet';
import { Hono } from 'hono';
import morgan from 'morgan';
import passport from 'passport';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { environOf, fromFetch } from 'waygate/fetch';
import { mount, validator } from 'waygate/middleware';
import { type ConnectErrorHandler, type ConnectMiddleware, fromConnect, fromNode } from 'waygate/node';
import { expectSilence } from './bridged-bodies.ts';
import { APP_WAYS } from './connect-ways.ts';

const page =
  (text: string, type = 'text/plain'): Application =>
  (_environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', type]]);
    return [encode(text)];
  };

/** Answers with what `look` finds in environ, as JSON. */
const showing =
  (look: (environ: Environ) => unknown): Application =>
  async (environ, startResponse) => {
    const found = JSON.stringify((await look(environ)) ?? null);
    startResponse('200 OK', [['Content-Type', 'application/json']]);
    return [encode(found)];
  };

const fails: Application = () => {
  throw new Error('the application fails');
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waygate-'));
  writeFileSync(join(folder, 'name.txt'), 'tobi');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(APP_WAYS)('%s', (name, way) => {
  test('helmet and cors add their headers to those of the application', async () => {
    await way(fromConnect(helmet(), cors({ origin: 'https://a.example' }))(page('hello')), async (call) => {
      const response = await call('/');
      expect(response.status).toBe(200);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(response.headers.get('access-control-allow-origin')).toBe('https://a.example');
      expect(response.headers.get('content-type')).toBe('text/plain');
      expect(response.headers.get('content-length')).toBe('5');
      expect(await response.text()).toBe('hello');
    });
  });

  test('it keeps the contract on both sides, for bodies of each kind', async () => {
    const apps: [Application, string][] = [
      [page('hello'), 'hello'],
      [
        async (_environ, startResponse) => {
          const write = startResponse('200 OK', [['Content-Type', 'text/plain']]);
          await write(encode('written '));
          return [encode('hello')];
        },
        'written hello',
      ],
      [
        (_environ, startResponse) => {
          startResponse('200 OK', [['Content-Type', 'text/plain']]);
          return (function* () {
            yield encode('some ');
            yield encode('hello');
          })();
        },
        'some hello',
      ],
      [
        (_environ, startResponse) => {
          startResponse('200 OK', [['Content-Type', 'text/plain']]);
          return new Response('streamed hello').body as ReadableStream<Uint8Array>;
        },
        'streamed hello',
      ],
    ];
    for (const [app, text] of apps) {
      const texts: string[] = [];
      await way(
        validator(fromConnect(helmet(), cors())(validator(app))),
        async (call) => {
          const response = await call('/');
          expect([response.status, await response.text()]).toEqual([200, text]);
          // That one application writes is its own affair.
          expect(texts.filter((each) => !each.includes('[WRITE-02]'))).toEqual([]);
        },
        { errors: (each) => texts.push(each) },
      );
    }
  });

  test('it is silent between two validators, whatever the body and its end', async () => {
    await expectSilence(way, fromConnect(helmet(), cors()));
    const later: ConnectMiddleware = (_request, _response, next) => void setImmediate(next);
    await expectSilence(way, fromConnect(later));
  });

  test('a preflight is answered without the application', async () => {
    const app = vi.fn(page('never'));
    await way(fromConnect(cors())(app), async (call) => {
      const response = await call('/', { method: 'OPTIONS', headers: { 'access-control-request-method': 'PUT' } });
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-methods')).toContain('PUT');
      expect(app).not.toHaveBeenCalled();
    });
  });

  test('compression compresses what the application answers', async () => {
    const text = 'tobi is a ferret\n'.repeat(2000);
    const app = vi.fn(page(text));
    await way(fromConnect(compression())(validator(app)), async (call) => {
      const response = await call('/', { headers: { 'accept-encoding': 'gzip' } });
      expect(response.headers.get('vary')).toBe('Accept-Encoding');
      if (name !== 'on Lambda') expect(response.headers.get('content-length')).toBeNull();
      // fetch of Node has decoded it already; what Waygate hands out itself has not been.
      const bytes = Buffer.from(await response.arrayBuffer());
      if (bytes[0] === 0x1f) {
        expect(response.headers.get('content-encoding')).toBe('gzip');
        expect((await import('node:zlib')).gunzipSync(bytes).toString()).toBe(text);
      } else {
        expect(bytes.toString()).toBe(text);
      }
      const head = await call('/', { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });
      expect(await head.text()).toBe('');
      expect(app).toHaveBeenCalledTimes(2);
    });
  });

  test('morgan logs status, length and path', async () => {
    const lines: string[] = [];
    const log = morgan(':method :url :status :res[content-length]', { stream: { write: (line) => lines.push(line) } });
    await way(fromConnect(log)(page('hello')), async (call) => {
      await (await call('/a?b=1')).text();
      await vi.waitFor(() => expect(lines).toEqual(['GET /a?b=1 200 5\n']));
    });
  });

  test('express.static answers for its files, and the application for the rest', async () => {
    await way(fromConnect(express.static(folder))(page('from the application')), async (call) => {
      const file = await call('/name.txt');
      expect(await file.text()).toBe('tobi');
      expect(file.headers.get('accept-ranges')).toBe('bytes');
      expect(await (await call('/other.txt')).text()).toBe('from the application');
      const part = await call('/name.txt', { headers: { range: 'bytes=1-2' } });
      expect(part.status).toBe(206);
      expect(await part.text()).toBe('ob');
      const gone = await call('/name.txt', { headers: { range: 'bytes=9-' } });
      expect(gone.status).toBe(416);
    });
  });

  test('a session lasts over requests, in a plain application, in Hono and in Express', async () => {
    const options = { secret: 'keyboard cat', resave: false, saveUninitialized: true };
    const count = (request: { session: { views?: number } }): number => {
      request.session.views = (request.session.views ?? 0) + 1;
      return request.session.views;
    };
    const hono = new Hono().get('/', (c) => c.json(count(environOf(c.req.raw)?.['connect.request'] as never)));
    const inExpress = express().get('/', (request, response) => void response.json(count(request as never)));
    const apps: Application[] = [
      showing((environ) => count(environ['connect.request'] as never)),
      fromFetch(hono),
      fromNode(inExpress),
      validator(fromNode(inExpress)),
      mount({ '/': fromNode(inExpress) }),
    ];
    for (const app of apps) {
      await way(fromConnect(session(options))(app), async (call) => {
        const first = await call('/');
        expect(await first.json()).toBe(1);
        const cookie = first.headers.getSetCookie()[0]?.split(';')[0] as string;
        expect(cookie).toMatch(/^connect\.sid=/);
        expect(await (await call('/', { headers: { cookie } })).json()).toBe(2);
      });
    }
  });

  test('a session that a hosted app makes anew is the one that is saved', async () => {
    const inner = express();
    inner.get('/login', (request, response, next) => {
      request.session.regenerate((error) => {
        if (error) return next(error);
        (request.session as unknown as { user: string }).user = 'ada';
        response.json(request.sessionID);
      });
    });
    inner.get('/', (request, response) => {
      response.json((request.session as unknown as { user?: string }).user ?? null);
    });
    const around = fromConnect(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false }));
    await way(around(validator(mount({ '/': fromNode(inner) }))), async (call) => {
      const login = await call('/login');
      await login.text();
      const cookie = login.headers.getSetCookie()[0]?.split(';')[0] as string;
      expect(await (await call('/', { headers: { cookie } })).json()).toBe('ada');
    });
  });

  test('passport passes the user on to the application', async () => {
    const auth = new passport.Passport();
    auth.use('header', {
      authenticate(
        this: { success(user: unknown): void; fail(status: number): void },
        request: { headers: Record<string, string> },
      ) {
        if (request.headers['x-user']) this.success({ name: request.headers['x-user'] });
        else this.fail(401);
      },
    } as never);
    const around = fromConnect(auth.initialize(), auth.authenticate('header', { session: false }));
    await way(around(showing((environ) => environ['connect.request']?.user)), async (call) => {
      expect(await (await call('/', { headers: { 'x-user': 'ada' } })).json()).toEqual({ name: 'ada' });
      expect((await call('/')).status).toBe(401);
    });
  });

  test('what a middleware changes of the request is what the application sees', async () => {
    const change: ConnectMiddleware = (request, _response, next) => {
      request.url = '/b%20c?q=2';
      request.method = 'PUT';
      request.headers['x-added'] = 'é—';
      request.headers['x-changed'] = 'new';
      delete request.headers['x-removed'];
      next();
    };
    const look = showing(
      ({ PATH_INFO, QUERY_STRING, REQUEST_METHOD, HTTP_X_ADDED, HTTP_X_CHANGED, HTTP_X_REMOVED }) => ({
        PATH_INFO,
        QUERY_STRING,
        REQUEST_METHOD,
        HTTP_X_ADDED,
        HTTP_X_CHANGED,
        HTTP_X_REMOVED,
      }),
    );
    const inExpress = fromNode(
      express().use(
        (request, response) => void response.json([request.method, request.url, request.headers['x-changed']]),
      ),
    );
    for (const app of [look, validator(look)]) {
      await way(fromConnect(change)(app), async (call) => {
        const response = await call('/a?q=1', { headers: { 'x-changed': 'old', 'x-removed': '1' } });
        expect(await response.json()).toEqual({
          PATH_INFO: '/b c',
          QUERY_STRING: 'q=2',
          REQUEST_METHOD: 'PUT',
          HTTP_X_ADDED: Buffer.from('é—').toString('latin1'),
          HTTP_X_CHANGED: 'new',
        });
      });
    }
    for (const app of [inExpress, mount({ '/': inExpress }), validator(inExpress)]) {
      await way(fromConnect(change)(app), async (call) => {
        const response = await call('/a?q=1', { headers: { 'x-changed': 'old' } });
        expect(await response.json()).toEqual(['PUT', '/b%20c?q=2', 'new']);
      });
    }
  });

  test('a mount inside routes below its prefix', async () => {
    const inExpress = fromNode(express().get('/users', (request, response) => void response.json(request.baseUrl)));
    await way(fromConnect(helmet())(mount({ '/api': inExpress })), async (call) => {
      expect(await (await call('/api/users')).json()).toBe('/api');
    });
  });

  test('a body that a parser has read is there again for the application, and its parts on the request', async () => {
    const app = showing(async (environ) => [await environ['wsgi.input'].json(), environ['connect.request']?.body]);
    const post = { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } };
    await way(fromConnect(bodyParser.json())(app), async (call) => {
      expect(await (await call('/', post)).json()).toEqual([{ a: 1 }, { a: 1 }]);
    });
    const hono = fromFetch(new Hono().post('/', async (c) => c.json(await c.req.json())));
    await way(fromConnect(bodyParser.json())(hono), async (call) => {
      expect(await (await call('/', post)).json()).toEqual({ a: 1 });
    });
    const inExpress = express().post('/', bodyParser.json(), (request, response) => void response.json(request.body));
    for (const inner of [fromNode(inExpress), validator(fromNode(inExpress))]) {
      await way(fromConnect(bodyParser.json())(inner), async (call) => {
        expect(await (await call('/', post)).json()).toEqual({ a: 1 });
      });
    }
  });

  test('a middleware that counts bytes as they come takes none away', async () => {
    let counted = 0;
    const count: ConnectMiddleware = (request, _response, next) => {
      request.on('data', (chunk: Uint8Array) => {
        counted += chunk.byteLength;
      });
      next();
    };
    const app = showing(async (environ) => (await environ['wsgi.input'].bytes()).byteLength);
    await way(fromConnect(count)(validator(app)), async (call) => {
      const body = 'x'.repeat(300_000);
      expect(await (await call('/', { method: 'POST', body })).json()).toBe(300_000);
      expect(counted).toBe(300_000);
    });
  });

  test('a body that nobody has read streams to the application, of whatever length', async () => {
    const app = showing(async (environ) => {
      let length = 0;
      for await (const chunk of environ['wsgi.input'].stream()) length += chunk.byteLength;
      return length;
    });
    await way(fromConnect(helmet())(app), async (call) => {
      const body = new Uint8Array(4_000_000);
      expect(await (await call('/', { method: 'POST', body })).json()).toBe(4_000_000);
    });
  });

  test('a body beyond what is kept is an error that says what to read instead', async () => {
    const texts: string[] = [];
    const body = new FormData();
    body.append('file', new Blob(['x'.repeat(1000)]), 'x.txt');
    const drop: ConnectMiddleware = (request, _response, next) => request.resume().on('end', next);
    const app = showing((environ) => environ['wsgi.input'].bytes());
    await way(
      fromConnect(drop)(app),
      async (call) => {
        expect((await call('/', { method: 'POST', body })).status).toBe(500);
        expect(texts.join('')).toContain("environ['connect.request'].body");
      },
      { errors: (text) => texts.push(text) },
    );
  });

  test('an error goes past the application to the next handler that takes errors', async () => {
    const app = vi.fn(page('never'));
    const seen: unknown[] = [];
    const first: ConnectMiddleware = (_request, _response, next) => next(new Error('first fails'));
    const skipped: ConnectMiddleware = vi.fn((_request, _response, next) => next());
    const handler: ConnectErrorHandler = (error, _request, response, _next) => {
      seen.push(error.message);
      response.statusCode = 418;
      response.end('handled');
    };
    await way(fromConnect(first, skipped, handler)(app), async (call) => {
      const response = await call('/');
      expect([response.status, await response.text()]).toEqual([418, 'handled']);
      expect(seen).toEqual(['first fails']);
      expect(app).not.toHaveBeenCalled();
      expect(skipped).not.toHaveBeenCalled();
    });
  });

  test('the error handlers at the end get the errors of the application, thrown, rejected or at the first step of its body', async () => {
    const rejects: Application = async () => {
      throw new Error('the application fails');
    };
    const atFirstStep: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      // biome-ignore lint/correctness/useYield: it fails before its first chunk.
      return (function* (): Generator<Uint8Array> {
        throw new Error('the application fails');
      })();
    };
    const inExpress = fromNode((_request, _response) => {
      throw new Error('the application fails');
    });
    const handler: ConnectErrorHandler = (error, _request, response, _next) => {
      response.statusCode = 503;
      response.end(error.message);
    };
    const onError = vi.fn();
    for (const app of [fails, rejects, atFirstStep, inExpress]) {
      await way(
        fromConnect(helmet(), handler)(app),
        async (call) => {
          const response = await call('/');
          expect([response.status, await response.text()]).toEqual([503, 'the application fails']);
        },
        { errors: () => {}, onError },
      );
    }
    expect(onError).not.toHaveBeenCalled();
  });

  test('an error that a middleware has after next() goes to the error handlers, and the application is called once', async () => {
    const app = vi.fn(page('hello'));
    const errors: unknown[] = [];
    const late: ConnectMiddleware = (_request, response, next) => {
      response.on('finish', () => next(new Error('too late')));
      next();
      next();
    };
    const handler: ConnectErrorHandler = (error, _request, _response, next) => {
      errors.push(error.message);
      next();
    };
    await way(fromConnect(late, handler, helmet())(app), async (call) => {
      expect(await (await call('/')).text()).toBe('hello');
      await vi.waitFor(() => expect(errors).toEqual(['too late']));
      expect(app).toHaveBeenCalledTimes(1);
    });
  });

  test('a hosted Express app finds what a middleware has put on the response', async () => {
    const inExpress = fromNode(
      express().get('/', (_request, response) => {
        const { flush } = response as unknown as { flush?: () => void };
        response.json(typeof flush);
      }),
    );
    for (const app of [inExpress, validator(inExpress)]) {
      await way(fromConnect(compression())(app), async (call) => {
        expect(await (await call('/')).json()).toBe('function');
      });
    }
  });

  test('an error that no handler takes is a 500, reported once', async () => {
    const bad: ConnectMiddleware = (_request, _response, next) => next(new Error('a middleware fails'));
    const rejecting: ConnectMiddleware = async () => {
      throw new Error('a middleware fails');
    };
    for (const [around, message] of [
      [fromConnect(helmet()), 'the application fails'],
      [fromConnect(bad), 'a middleware fails'],
      [fromConnect(rejecting), 'a middleware fails'],
    ] as const) {
      const texts: string[] = [];
      const onError = vi.fn();
      await way(
        around(fails),
        async (call) => {
          const response = await call('/');
          expect(response.status).toBe(500);
          expect(await response.text()).not.toContain('fails');
          expect(onError.mock.calls.map(([error]) => error.message)).toEqual([message]);
          expect(texts.join('').split(`Error: ${message}`)).toHaveLength(2);
        },
        { errors: (text) => texts.push(text), onError },
      );
    }
  });

  test('an error with a status is answered with it, with the headers that were set before', async () => {
    const refuse: ConnectMiddleware = (_request, _response, next) =>
      next(Object.assign(new Error('not you'), { status: 403, headers: { 'x-why': 'because' } }));
    const texts: string[] = [];
    await way(
      fromConnect(cors(), refuse)(page('never')),
      async (call) => {
        const response = await call('/');
        expect(response.status).toBe(403);
        expect(response.headers.get('access-control-allow-origin')).toBe('*');
        expect(response.headers.get('x-why')).toBe('because');
        expect(texts).toEqual(['Error: not you']);
      },
      { errors: (text) => texts.push(text) },
    );
    const malformed = { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } };
    await way(fromConnect(bodyParser.json())(page('never')), async (call) => {
      expect((await call('/', malformed)).status).toBe(400);
    });
  });

  test('a chunk goes out at once, through compression too, and the body is closed once', async () => {
    const closed = vi.fn();
    let more: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      more = resolve;
    });
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return {
        async *[Symbol.asyncIterator]() {
          yield encode('first');
          await gate;
          yield encode('second');
        },
        close: closed,
      };
    };
    // What Lambda has buffered is there in one piece.
    if (name === 'on Lambda') setTimeout(() => more(), 100);
    await way(fromConnect(compression({ threshold: 0 }))(validator(app)), async (call) => {
      const response = await call('/', { headers: { 'accept-encoding': name.includes('node') ? 'gzip' : 'identity' } });
      let text = '';
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString();
        if (text === 'first') more();
      }
      expect(text).toBe('firstsecond');
      await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1));
    });
  });

  test('the application and its body run in the context that a middleware has put around them', async () => {
    const storage = new AsyncLocalStorage<string>();
    const around: ConnectMiddleware = (_request, _response, next) => storage.run('inside', () => next());
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return (async function* () {
        for (let count = 0; count < 40; count++) {
          yield encode(`${storage.getStore()} `.repeat(2000));
          if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
    };
    await way(fromConnect(around)(app), async (call) => {
      const text = await (await call('/')).text();
      expect(new Set(text.trim().split(' '))).toEqual(new Set(['inside']));
    });
  });

  test('a body that fails after its head breaks the response, and is reported once', async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return (async function* () {
        yield encode('first');
        throw new Error('the body fails');
      })();
    };
    const onError = vi.fn();
    const read = async (response: Response): Promise<unknown> => {
      if (response.status === 500) return 'failed';
      return response.text().catch(() => 'failed');
    };
    for (const around of [fromConnect(helmet()), fromConnect(compression({ threshold: 0 }))]) {
      onError.mockClear();
      await way(
        around(app),
        async (call) => {
          expect(await read(await call('/', { headers: { 'accept-encoding': 'identity' } }))).toBe('failed');
          await vi.waitFor(() =>
            expect(onError.mock.calls.map(([error]) => error.message)).toEqual(['the body fails']),
          );
        },
        { errors: () => {}, onError },
      );
    }
  });

  test('HEAD, 204 and 304 have no content, and keep their headers', async () => {
    const app: Application = ({ PATH_INFO }, startResponse) => {
      const status = PATH_INFO === '/' ? '200 OK' : PATH_INFO === '/204' ? '204 No Content' : '304 Not Modified';
      startResponse(status, PATH_INFO === '/' ? [['Content-Type', 'text/plain']] : [['ETag', '"1"']]);
      return PATH_INFO === '/' ? [encode('hello')] : [];
    };
    await way(fromConnect(helmet(), compression())(validator(app)), async (call) => {
      const head = await call('/', { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      if (name !== 'on Lambda') expect(head.headers.get('content-length')).toBe('5');
      for (const status of [204, 304]) {
        const response = await call(`/${status}`);
        expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([status, '', '"1"']);
      }
    });
  });

  test('status, reason, repeated headers and cookies of the application stay as they are', async () => {
    const cookie: ConnectMiddleware = (_request, response, next) => {
      response.setHeader('Set-Cookie', 'outer=1');
      response.setHeader('Vary', 'Origin');
      response.setHeader('X-Both', 'outer');
      next();
    };
    const app: Application = (_environ, startResponse) => {
      startResponse('299 Odd Reason', [
        ['Content-Type', 'text/plain'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['Vary', 'Accept'],
        ['X-Both', 'inner'],
      ]);
      return [encode('x')];
    };
    await way(fromConnect(cookie)(validator(app)), async (call) => {
      const response = await call('/');
      expect(response.status).toBe(299);
      if (name.includes('on node')) expect(response.statusText).toBe('Odd Reason');
      expect(response.headers.getSetCookie()).toEqual(['outer=1', 'a=1', 'b=2']);
      expect(response.headers.get('vary')).toBe('Origin, Accept');
      expect(response.headers.get('x-both')).toBe('inner');
    });
  });
});

describe.each(APP_WAYS.slice(0, 2))('%s, over a connection', (_name, way) => {
  test('a client that leaves ends the body, once, and it is read no faster than it is taken', async () => {
    for (const around of [fromConnect(helmet()), fromConnect(compression({ threshold: 0 }))]) {
      const closed = vi.fn();
      let given = 0;
      const app: Application = (_environ, startResponse) => {
        startResponse('200 OK', [['Content-Type', 'application/octet-stream']]);
        return {
          async *[Symbol.asyncIterator]() {
            for (;;) {
              given++;
              // What compresses well would be long in filling the buffers.
              yield randomBytes(64 * 1024);
            }
          },
          close: closed,
        };
      };
      await way(around(validator(app)), async (call) => {
        const controller = new AbortController();
        const response = await call('/', { signal: controller.signal });
        const reader = (response.body as ReadableStream<Uint8Array>).getReader();
        await reader.read();
        let before = -1;
        // Neither side takes more once the buffers on the way are full.
        await vi.waitFor(
          () => {
            const now = given;
            const isStill = now === before;
            before = now;
            expect(isStill).toBe(true);
          },
          { timeout: 10_000, interval: 300 },
        );
        expect(closed).not.toHaveBeenCalled();
        controller.abort();
        await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1));
      });
    }
  });

  test('a request body that the application leaves does not stop the next request', async () => {
    await way(fromConnect(helmet())(page('hello')), async (call) => {
      for (let count = 0; count < 3; count++) {
        expect(await (await call('/', { method: 'POST', body: 'x'.repeat(200_000) })).text()).toBe('hello');
      }
    });
    const peeks: Application = async (environ, startResponse) => {
      await environ['wsgi.input'].read(1);
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return [encode('peeked')];
    };
    await way(fromConnect(helmet())(peeks), async (call) => {
      for (let count = 0; count < 3; count++) {
        expect(await (await call('/', { method: 'POST', body: 'x'.repeat(200_000) })).text()).toBe('peeked');
      }
    });
  });
});

test('fromConnect refuses a value that is not a middleware, and says how to make one', () => {
  expect(() => fromConnect()).toThrow('fromConnect was given no middleware');
  expect(() => fromConnect({} as never)).toThrow(
    'fromConnect was given an Object as middleware 0; expected a function',
  );
  expect(() => fromConnect(cors())({} as never)).toThrow(TypeError);
});
