// A hosted Fetch app on node is called before there is an environ. Nobody can see that: what the client gets, what is
// reported and what the handler sees are the same as behind a middleware that does nothing, where an environ is made first.

import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { Hono } from 'hono';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Environ, Middleware } from 'waygate';
import { environOf, type FetchHandlerFunction, fromFetch } from 'waygate/fetch';
import * as light from 'waygate/light-fetch/classes';
import { type NodeOptions, serve, toNode } from 'waygate/node';
import { NodeCall } from '../../../adapters/node/call.ts';
import { raw } from './http-client.ts';

/** Does nothing, but a gateway cannot know. */
const around: Middleware = (app) => (environ, startResponse) => app(environ, startResponse);
const same: Middleware = (app) => app;

const made = vi.spyOn(NodeCall.prototype, 'makeEnviron');
afterEach(() => void made.mockClear());

interface Served {
  port: number;
  /** What went to `wsgi.errors` and to `onError`, but for the places in the code. */
  reports: string[];
}

/** A promise, and what settles it. */
function later<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

type Wrap = (request: http.IncomingMessage, response: http.ServerResponse) => void;

async function served<T>(
  handler: FetchHandlerFunction,
  middleware: Middleware,
  options: NodeOptions,
  work: (served: Served) => Promise<T>,
  wrap: Wrap = () => {},
): Promise<T> {
  const reports: string[] = [];
  const listener = toNode(middleware(fromFetch(handler)), {
    errors: (text) => void reports.push(text.replace(/\n {4}at .*/g, '')),
    onError: (error, environ) => void reports.push(`onError ${error} ${environ?.PATH_INFO}`),
    ...options,
  });
  const server = http.createServer((request, response) => {
    wrap(request, response);
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await work({ port: (server.address() as AddressInfo).port, reports });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** All that the client gets, without the date. */
async function wire(port: number, request: string): Promise<string> {
  const bytes = await raw({ port, host: '127.0.0.1' }, Buffer.from(request, 'latin1'));
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/\r\nDate: [^\r]*/g, '');
}

const get = (target: string, ...lines: string[]): string =>
  `${[`GET ${target} HTTP/1.1`, 'Host: x.test', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`;
const post = (body: string, ...lines: string[]): string =>
  `${[`POST /p HTTP/1.1`, 'Host: x.test', 'Connection: close', `Content-Length: ${Buffer.byteLength(body, 'latin1')}`, ...lines].join('\r\n')}\r\n\r\n${body}`;

// What handlers do with a request, and what they answer: each of these in any order with any request.

type Classes = Pick<typeof light, 'Response' | 'Headers'>;
const LIGHT: Classes = light;
const REAL: Classes = { Response, Headers };

const SEEN: Record<string, (request: Request, env: { environ: Environ }) => unknown> = {
  nothing: () => null,
  line: ({ method, url }) => [method, url],
  headers: ({ headers }) => [...headers],
  look: ({ headers }) =>
    ['host', 'X-One', 'x-many', 'x-none', 'cookie', 'proxy', 'content-length'].map((name) => headers.get(name)),
  text: (request) => request.text(),
  json: (request) => request.json().catch((error: unknown) => `${error}`),
  bytes: async (request) => [...new Uint8Array(await request.arrayBuffer())],
  stream: async ({ body }) => {
    const bytes: number[] = [];
    for await (const chunk of body ?? []) bytes.push(...(chunk as Uint8Array));
    return bytes;
  },
  twice: async (request) => [
    await request.text(),
    request.bodyUsed,
    await request.text().catch((error: Error) => error.constructor.name),
  ],
  clone: async (request) => [await request.clone().text(), await request.text()],
  environ: (_request, { environ }) => [
    environ.PATH_INFO,
    environ.QUERY_STRING,
    environ.HTTP_X_ONE,
    environ.CONTENT_LENGTH,
  ],
  input: (_request, { environ }) => environ['wsgi.input'].text(),
  key: (request) => environOf(request)?.['app.key'],
  signal: ({ signal }) => signal.aborted,
};

const ANSWERS: Record<string, (classes: Classes, text: string) => Response> = {
  text: ({ Response }, text) => new Response(text),
  json: ({ Response }, text) => Response.json(text),
  unicode: ({ Response }, text) => new Response(`${text} €`),
  coded: ({ Response }, text) => new Response(text, { headers: { 'content-encoding': 'gzip' } }),
  form: ({ Response }) => new Response(new URLSearchParams({ a: '1' })),
  blob: ({ Response }, text) => new Response(new Blob([text])),
  bytes: ({ Response }, text) => new Response(Buffer.from(text)),
  none: ({ Response }) => new Response(null),
  empty: ({ Response }) => new Response(''),
  created: ({ Response }, text) =>
    new Response(text, { status: 201, statusText: 'Made it', headers: { 'X-A': '1', 'x-B': '2' } }),
  gone: ({ Response }) => new Response(null, { status: 204 }),
  reset: ({ Response }) => new Response(null, { status: 205 }),
  bare: ({ Response }) => new Response(null, { status: 204, headers: { 'content-length': '0' } }),
  unchanged: ({ Response }) => new Response(null, { status: 304, headers: { etag: '"a"' } }),
  away: ({ Response }) => Response.redirect('http://x.test/there'),
  failed: ({ Response }, text) => new Response(text, { status: 503 }),
  error: ({ Response }) => Response.error(),
  cookies: ({ Response, Headers }, text) => {
    const headers = new Headers({ 'content-type': 'a/b' });
    headers.append('set-cookie', 'a=1');
    headers.append('Set-Cookie', 'b=2');
    return new Response(text, { headers });
  },
  hop: ({ Response }, text) => new Response(text, { headers: { connection: 'x-gone', 'x-gone': '1', upgrade: 'h2c' } }),
  control: ({ Response }, text) => new Response(text, { headers: { 'x-a': 'a\x01b' } }),
  status: ({ Response }, text) => new Response(text, { headers: { status: '200' } }),
  length: ({ Response }) => new Response('0123456789', { headers: { 'content-length': '10' } }),
  long: ({ Response }) => new Response('0123456789', { headers: { 'content-length': '4' } }),
  short: ({ Response }) => new Response('0123', { headers: { 'content-length': '9' } }),
  large: ({ Response }) => new Response('x'.repeat(40_000)),
  stream: ({ Response }, text) => new Response(new Blob([text]).stream()),
  broken: ({ Response }) =>
    new Response(new ReadableStream({ pull: (controller) => controller.error(new Error('broken')) })),
  used: ({ Response }, text) => {
    const response = new Response(text);
    void response.text();
    return response;
  },
  throws: () => {
    throw new Error('thrown');
  },
  nothing: () => undefined as never,
};

const LINES = [
  'X-One: 1',
  'X-Many: 1',
  'x-many: 2',
  'Cookie: a=1',
  'cookie: b=2',
  'Proxy: p',
  'X_One: 3',
  'X-Latin: \xe9',
  'X-Empty:',
  '__proto__: x',
];
const ODD = [
  'Host: y.test',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Expect: 100-continue',
  'Upgrade: h2c',
  'Content-Type: a/b',
  'Content-Type: c/d',
];
const TARGETS = [
  '/',
  '/a/b',
  '//x',
  '/a%20b',
  '/caf%C3%A9',
  '/a/../b',
  '/a/%2e%2E/b',
  '/a.b/c?d=.',
  '/?',
  '/?q=1&r=%41',
  '/a?b?c',
  '/a"b',
  '/a\\b',
  '/a#b',
  '/%00',
  '/%zz',
  '*',
  'http://h/x?y',
  'x',
];
const HOSTS = ['Host: x.test', 'Host: X.test:80', 'Host: [::1]:8000', 'Host: ', 'Host: a@b', 'Host: x.test:99999'];

const mostly = (usual: string[], odd: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });

const request = fc
  .record({
    method: mostly(['GET', 'POST', 'HEAD', 'PUT'], ['DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PURGE']),
    target: mostly(['/', '/a/b', '/a%20b', '/caf%C3%A9', '/a.b/c?d=e'], TARGETS),
    version: mostly(['1.1'], ['1.0']),
    host: mostly(['Host: x.test'], HOSTS),
    lines: fc.array(fc.constantFrom(...LINES), { maxLength: 5 }),
    odd: mostly([''], ODD),
    body: fc.constantFrom('', '', '{"a":1}', 'text', 'x'.repeat(60)),
  })
  .map(({ method, target, version, host, lines, odd, body }) => {
    // Nobody waits for bytes that never come.
    const isChunked = odd === 'Transfer-Encoding: chunked';
    const content = !isChunked || body === '' ? body : `${body.length.toString(16)}\r\n${body}\r\n`;
    const sent = isChunked ? `${content}0\r\n\r\n` : body;
    const length = body === '' || isChunked ? [] : [`Content-Length: ${body.length}`];
    return `${[`${method} ${target} HTTP/${version}`, host, 'Connection: close', ...lines, ...(odd === '' ? [] : [odd]), ...length].join('\r\n')}\r\n\r\n${sent}`;
  });

const options: fc.Arbitrary<NodeOptions> = fc.constantFrom<NodeOptions>(
  {},
  {},
  { maxBodyBytes: 5 },
  { basePath: '/a' },
  { environ: { 'app.key': 'k', HTTP_X_ONE: 'set' } },
  { environ: { 'app.key': 'k', REMOTE_USER: 'u' } },
);

const doing = fc.record({
  seen: fc.constantFrom(...Object.keys(SEEN)),
  answer: fc.constantFrom(...Object.keys(ANSWERS)),
  isLight: fc.constantFrom(true, true, true, false),
  isLate: fc.boolean(),
});

/** The handler of one run, and what it saw. */
function handlerOf({
  seen,
  answer,
  isLight,
  isLate,
}: {
  seen: string;
  answer: string;
  isLight: boolean;
  isLate: boolean;
}) {
  const log: unknown[] = [];
  const make = ANSWERS[answer] as (typeof ANSWERS)[string];
  const look = SEEN[seen] as (typeof SEEN)[string];
  const handler: FetchHandlerFunction = (request, env) => {
    log.push(Object.keys(env), request.method, request.url);
    const finish = (value: unknown): Response => {
      log.push(value);
      return make(isLight ? LIGHT : REAL, `${JSON.stringify(value)}`);
    };
    const value = look(request, env);
    if (value instanceof Promise) return value.then(finish);
    return isLate ? new Promise((resolve) => setImmediate(resolve)).then(() => finish(value)) : finish(value);
  };
  return { handler, log };
}

describe('without an environ all is as with one', () => {
  test('whatever is asked, done and answered', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(request, doing, options, async (sent, done, given) => {
        const all = [];
        for (const middleware of [same, around]) {
          const { handler, log } = handlerOf(done);
          made.mockClear();
          const got = await served(handler, middleware, given, async ({ port, reports }) => [
            await wire(port, sent),
            reports,
          ]);
          if (middleware === same && log.length > 0 && made.mock.calls.length === 0) count++;
          all.push([...got, JSON.stringify(log)]);
        }
        // Each server has a port of its own.
        const [direct, before] = all.map((each) =>
          JSON.stringify(each).replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:00000'),
        );
        expect(direct).toBe(before);
      }),
      { numRuns: 1000 },
    );
    // Or nothing was compared.
    expect(count).toBeGreaterThan(20);
  });

  test('on a response whose methods somebody has replaced', async () => {
    const wrap: Wrap = (_request, response) => {
      const { end } = response;
      response.end = ((chunk?: unknown, ...rest: unknown[]) => {
        response.setHeader('x-chunk', chunk === undefined ? 'none' : (chunk as object).constructor.name);
        return Reflect.apply(end, response, [chunk, ...rest]);
      }) as typeof end;
    };
    const { handler } = handlerOf({ seen: 'line', answer: 'text', isLight: true, isLate: false });
    const ask = ({ port }: Served): Promise<string> => wire(port, get('/'));
    const direct = await served(handler, same, {}, ask, wrap);
    expect(direct).toContain('x-chunk: Buffer');
    expect(direct).toBe(await served(handler, around, {}, ask, wrap));
  });

  test('where the handler fails over a body beyond the limit', async () => {
    const handler: FetchHandlerFunction = async (request) => {
      const text = await request.text().catch(() => null);
      return new light.Response(text, { status: text === null ? 500 : 200 });
    };
    const chunks = get('/', 'Transfer-Encoding: chunked').replace('GET', 'POST');
    const ask = ({ port }: Served): Promise<string> => wire(port, `${chunks}6\r\n123456\r\n0\r\n\r\n`);
    const direct = await served(handler, same, { maxBodyBytes: 5 }, ask);
    expect(direct).toContain('413 Content Too Large');
    expect(direct).toBe(await served(handler, around, { maxBodyBytes: 5 }, ask));
  });

  test('for several requests on one connection', async () => {
    const { handler } = handlerOf({ seen: 'nothing', answer: 'text', isLight: true, isLate: false });
    const sent = [post('{"a":1}'), post('unread'), get('/')].join('').replaceAll('Connection: close\r\n', '');
    const ask = ({ port }: Served): Promise<string> => wire(port, sent + get('/last'));
    const direct = await served(handler, same, {}, ask);
    expect(direct.match(/HTTP\/1.1 200 OK/g)).toHaveLength(4);
    expect(direct).toBe(await served(handler, around, {}, ask));
  });
});

/** From Node 24 on a `Response` shows nobody that its body is a text. */
const KEEPS_TEXT = Number.parseInt(process.versions.node, 10) >= 24;

test.each([
  ['a Proxy', (env: object) => new Proxy(env, {})],
  [
    'a Proxy that passes the receiver on',
    (env: object) => new Proxy(env, { get: (...given) => Reflect.get(...given) }),
  ],
  ['an object that derives from it', (env: object) => Object.create(env)],
  ['a frozen one', (env: object) => Object.freeze(env)],
  ['a copy', (env: object) => ({ ...env })],
])('the bindings show the environ through %s', async (_what, around_) => {
  const handler: FetchHandlerFunction = (_request, env) => {
    const seen = around_(env as object) as { environ: Environ };
    seen.environ.REMOTE_USER = 'ada';
    const names: string[] = [];
    for (const name in seen) names.push(name);
    return new light.Response(`${names} ${(env as { environ: Environ }).environ.REMOTE_USER}`) as unknown as Response;
  };
  await served(handler, same, {}, async ({ port }) => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toBe('incoming,outgoing,environ ada');
  });
});

describe('the environ is made', () => {
  const answer = (_work?: unknown): Response => new light.Response('x');

  test.each<[string, FetchHandlerFunction, string, number]>([
    ['never for a handler that answers', answer, get('/a?b=1'), 0],
    [
      'never for one that looks at a header',
      ({ headers }) => new light.Response(headers.get('x-one')),
      get('/', 'X-One: 1'),
      0,
    ],
    ['never for one that reads the body', async (request) => light.Response.json(await request.json()), post('{}'), 0],
    ['never for one that leaves the body', answer, post('{}'), 0],
    ['never for one that looks at the signal', ({ signal }) => new light.Response(`${signal.aborted}`), get('/'), 0],
    [
      'never for one that looks at the connection',
      (_request, env) => new light.Response(env.incoming.socket.remoteAddress),
      get('/'),
      0,
    ],
    ['never for a HEAD request', answer, get('/').replace('GET', 'HEAD'), 0],
    ['for environOf', (request) => new light.Response(environOf(request)?.PATH_INFO), get('/'), 1],
    ['for c.env.environ', (_request, { environ }) => new light.Response(environ.PATH_INFO), get('/'), 1],
    [
      'for work after the response',
      (_request, _env, context) => answer(context.waitUntil(Promise.resolve())),
      get('/'),
      1,
    ],
    [
      'for a repeated header',
      ({ headers }) => new light.Response(headers.get('x-one')),
      get('/', 'X-One: 1', 'X-One: 2'),
      1,
    ],
    ['for a `Response` that keeps its text to itself', () => new Response('x'), get('/'), KEEPS_TEXT ? 1 : 0],
    ['for a stream', () => new light.Response(new Blob(['x']).stream()), get('/'), 1],
    ['for a handler that fails', () => Promise.reject(new Error('no')), get('/'), 1],
  ])('%s', async (_name, handler, sent, times) => {
    await served(handler, same, {}, ({ port }) => wire(port, sent));
    expect(made).toHaveBeenCalledTimes(times);
  });

  test.each<[string, string]>([
    ['an expectation', post('x', 'Expect: 100-continue')],
    ['an upgrade', get('/', 'Upgrade: h2c')],
    ['a target in absolute form', get('http://x.test/')],
    ['an older version of HTTP', get('/').replace('1.1', '1.0')],
    ['no host', get('/').replace('Host: x.test', 'Host:')],
  ])('first for a request with %s', async (_name, sent) => {
    let isFirst = false;
    const handler = (): Response => {
      isFirst = made.mock.calls.length === 1;
      return answer();
    };
    await served(handler, same, {}, ({ port }) => wire(port, sent));
    expect(isFirst).toBe(true);
  });

  test.each<[string, NodeOptions]>([
    ['a path prefix', { basePath: '/a' }],
    ['headers of the deployer', { environ: { HTTP_X: '1' } }],
    ['a limit that the body is beyond', { maxBodyBytes: 1 }],
  ])('first with %s', async (_name, given) => {
    await served(answer, same, given, ({ port }) => wire(port, post('{}')));
    expect(made).toHaveBeenCalledTimes(1);
  });

  test('once, and is the same for all who ask', async () => {
    const seen: unknown[] = [];
    const handler: FetchHandlerFunction = (request, env) => {
      seen.push(environOf(request), env.environ, { ...env }.environ, environOf(request));
      return answer();
    };
    await served(handler, same, {}, ({ port }) => wire(port, get('/')));
    expect(new Set(seen).size).toBe(1);
    expect(made).toHaveBeenCalledTimes(1);
  });

  test('of the request as it came, whatever the handler has made of it', async () => {
    const handler: FetchHandlerFunction = (_request, env) => {
      env.incoming.url = '/changed';
      env.incoming.method = 'PUT';
      return new light.Response(`${env.environ.REQUEST_METHOD} ${env.environ.PATH_INFO}`);
    };
    expect(await served(handler, same, {}, ({ port }) => wire(port, get('/a')))).toContain('GET /a');
  });

  test('from what a handler has read of the body', async () => {
    const handler: FetchHandlerFunction = async (request, env) => {
      const text = await request.text();
      return new light.Response(`${text}|${await env.environ['wsgi.input'].text()}|`);
    };
    expect(await served(handler, same, {}, ({ port }) => wire(port, post('body')))).toContain('body||');
  });
});

describe('a client that leaves', () => {
  test.each([
    ['without an environ', same],
    ['with one', around],
  ])('aborts the signal and is nobody’s fault, %s', async (_name, middleware) => {
    const { promise: aborted, resolve } = later<unknown>();
    const { promise: called, resolve: call } = later();
    const handler: FetchHandlerFunction = async ({ signal }) => {
      call();
      await once(signal, 'abort');
      resolve(signal.aborted);
      throw new Error('too late');
    };
    await served(handler, middleware, {}, async ({ port, reports }) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(get('/')));
      await called;
      socket.destroy();
      expect(await aborted).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(reports).toEqual(['Error: too late', 'onError Error: too late /']);
    });
  });

  test.each([
    ['without an environ', same],
    ['with one', around],
  ])('is waited for by a shutdown until the handler is done, %s', async (_name, middleware) => {
    const { promise: called, resolve: call } = later();
    const { promise: left, resolve: leave } = later();
    let isDone = false;
    const handler: FetchHandlerFunction = async (_request, env) => {
      env.incoming.once('close', leave);
      call();
      await left;
      await new Promise((resolve) => setTimeout(resolve, 100));
      isDone = true;
      return new light.Response('x');
    };
    const { port, close } = await serve(middleware(fromFetch(handler)), { port: 0, errors: () => {} });
    const socket = connect(port, '127.0.0.1', () => socket.write(get('/')));
    await called;
    socket.destroy();
    await left;
    await close();
    expect(isDone).toBe(true);
  });
});

test('Hono answers without an environ, and its middleware and its context work', async () => {
  const app = new Hono<{ Bindings: { environ: Environ; incoming: http.IncomingMessage } }>()
    .use(async (context, next) => {
      await next();
      context.header('x-after', '1');
    })
    .get('/users/:id', (context) =>
      context.json({ id: context.req.param('id'), agent: context.req.header('user-agent') }),
    )
    .get('/environ', (context) => context.text(context.env.environ.PATH_INFO));
  await served(app.fetch, same, {}, async ({ port }) => {
    const got = await wire(port, get('/users/1', 'User-Agent: me'));
    expect(got).toContain('{"id":"1","agent":"me"}');
    expect(got).toContain('x-after: 1');
    expect(await wire(port, get('/environ'))).toContain('/environ');
  });
});
