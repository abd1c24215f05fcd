// A Hono app cannot tell that it is hosted: its helpers and middleware behave as under Hono's own adapters.

import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { contextStorage, getContext } from 'hono/context-storage';
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { csrf } from 'hono/csrf';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { jwt, sign } from 'hono/jwt';
import { methodOverride } from 'hono/method-override';
import { proxy } from 'hono/proxy';
import { requestId } from 'hono/request-id';
import { stream, streamSSE, streamText } from 'hono/streaming';
import { timeout } from 'hono/timeout';
import { trimTrailingSlash } from 'hono/trailing-slash';
import { validator } from 'hono/validator';
import { describe, expect, test } from 'vitest';
import { fromFetch } from 'waygate/fetch';
import { type Call, LAMBDA_WAYS, listening, WAYS } from './hosting.ts';

/** Works on an app hosted in one of the ways; any failure that the app did not answer by itself is one of the test. */
type Hosted = (app: Hono, work: (call: Call) => Promise<void>) => Promise<void>;

describe.each([...WAYS, ...LAMBDA_WAYS])('a Hono app, %s', (name, way) => {
  const onLambda = name.startsWith('on Lambda');
  const hosted: Hosted = async (app, work) => {
    const log: string[] = [];
    await way(app, { errors: (text) => void log.push(text) }, work);
    expect(log).toEqual([]);
  };

  test('sees its request: path, parameters, query, headers', async () => {
    const app = new Hono();
    app.get('/users/:name/*', (c) =>
      c.json({
        name: c.req.param('name'),
        path: c.req.path,
        query: c.req.query('q'),
        queries: c.req.queries('tag'),
        agent: c.req.header('User-Agent'),
        headers: c.req.header()['x-one'],
        url: new URL(c.req.url).search,
        raw: c.req.raw instanceof Request,
        routed: c.req.method,
      }),
    );
    await hosted(app, async (call) => {
      const headers = { 'user-agent': 'test', 'x-one': 'a, b' };
      const response = await call('/users/%C3%A9%20%2F/rest?q=a%26b&tag=1&tag=2', { headers });
      expect(await response.json()).toEqual({
        name: 'é /',
        path: '/users/é %2F/rest', // decoded by Hono, all but the slash
        query: 'a&b',
        queries: ['1', '2'],
        agent: 'test',
        headers: 'a, b',
        url: '?q=a%26b&tag=1&tag=2',
        raw: true,
        routed: 'GET',
      });
    });
  });

  test('reads its body twice, in two forms, and through a clone of the raw request', async () => {
    const app = new Hono();
    app.post('/twice', async (c) => c.json([await c.req.text(), await c.req.json(), await c.req.text()]));
    app.post('/clone', async (c) => c.json([await c.req.raw.clone().text(), await c.req.text()]));
    app.post('/bytes', async (c) => {
      const buffer = await c.req.arrayBuffer();
      return c.json([buffer.byteLength, (await c.req.blob()).size, await c.req.text()]);
    });
    app.post('/form', async (c) =>
      c.json([await c.req.parseBody({ all: true }), [...(await c.req.formData()).keys()]]),
    );
    await hosted(app, async (call) => {
      const post = async (path: string, body: BodyInit) => (await call(path, { method: 'POST', body })).json();
      expect(await post('/twice', '{"a":1}')).toEqual(['{"a":1}', { a: 1 }, '{"a":1}']);
      expect(await post('/clone', 'text')).toEqual(['text', 'text']);
      expect(await post('/bytes', 'é')).toEqual([2, 2, 'é']);
      const form = new FormData();
      form.append('a', '1');
      form.append('a', '2');
      expect(await post('/form', form)).toEqual([{ a: ['1', '2'] }, ['a', 'a']]);
      expect(await post('/form', new URLSearchParams('b=%20'))).toEqual([{ b: ' ' }, ['b']]);
    });
  });

  test('gets a file by form data, byte for byte', async () => {
    const app = new Hono();
    app.post('/', async (c) => {
      const { file } = (await c.req.parseBody()) as { file: File };
      return c.body(await file.arrayBuffer(), 200, { 'x-name': file.name, 'content-type': file.type });
    });
    await hosted(app, async (call) => {
      const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const body = new FormData();
      body.set('file', new File([bytes], 'all.bin', { type: 'application/x-all' }));
      const response = await call('/', { method: 'POST', body });
      expect([response.headers.get('x-name'), response.headers.get('content-type')]).toEqual([
        'all.bin',
        'application/x-all',
      ]);
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    });
  });

  test('answers in all its forms', async () => {
    const app = new Hono();
    app.get('/text', (c) => c.text('text', 201, { 'x-a': '1' }));
    app.get('/json', (c) => c.json({ a: 1 }));
    app.get('/html', (c) => c.html('<p>'));
    app.get('/null', (c) => c.body(null, 204));
    app.get('/empty', (c) => c.body(null));
    app.get('/redirect', (c) => c.redirect('/text?a=%20'));
    app.get('/moved', (c) => c.redirect('../x', 301));
    app.get('/append', (c) => {
      c.header('x-many', '1');
      c.header('x-many', '2', { append: true });
      c.status(202);
      return c.body('x');
    });
    app.get('/new', () => new Response('new', { status: 418, statusText: 'Short and stout' }));
    await hosted(app, async (call) => {
      const text = await call('/text');
      expect([text.status, text.headers.get('content-type'), text.headers.get('x-a'), await text.text()]).toEqual([
        201,
        'text/plain; charset=UTF-8',
        '1',
        'text',
      ]);
      expect(await (await call('/json')).json()).toEqual({ a: 1 });
      expect((await call('/html')).headers.get('content-type')).toBe('text/html; charset=UTF-8');
      for (const [path, status] of [
        ['/null', 204],
        ['/empty', 200],
      ] as const) {
        const response = await call(path);
        expect([response.status, await response.text()]).toEqual([status, '']);
      }
      const redirect = await call('/redirect');
      expect([redirect.status, redirect.headers.get('location')]).toEqual([302, '/text?a=%20']);
      expect((await call('/moved')).headers.get('location')).toBe('../x');
      const append = await call('/append');
      expect([append.status, append.headers.get('x-many')]).toEqual([202, '1, 2']);
      const made = await call('/new');
      expect([made.status, await made.text()]).toEqual([418, 'new']);
      // The result of a Lambda function has no place for a reason.
      expect(made.statusText).toBe(onLambda ? "I'm a teapot" : 'Short and stout');
      const head = await call('/text', { method: 'HEAD' });
      expect([head.status, head.headers.get('x-a'), await head.text()]).toEqual([201, '1', '']);
      expect((await call('/none')).status).toBe(404);
    });
  });

  test('handles its own errors', async () => {
    const app = new Hono();
    app.get('/thrown', () => {
      throw new Error('thrown');
    });
    app.get('/exception', () => {
      throw new HTTPException(403, { message: 'no' });
    });
    app.onError((error, c) =>
      error instanceof HTTPException ? error.getResponse() : c.text(`handled ${error.message}`, 500),
    );
    app.notFound((c) => c.text('custom', 404));
    await hosted(app, async (call) => {
      expect(await (await call('/thrown')).text()).toBe('handled thrown');
      const exception = await call('/exception');
      expect([exception.status, await exception.text()]).toEqual([403, 'no']);
      expect(await (await call('/x')).text()).toBe('custom');
    });
  });

  // On Lambda the length of a body is known, and the handler is not even called.
  test.skipIf(onLambda)(
    'that fails over a body beyond maxBodyBytes is a 413, unless it has an answer of its own',
    async () => {
      const app = new Hono();
      app.post('/fails', async (c) => c.text(await c.req.text()));
      app.post('/copes', async (c) => c.text(await c.req.text().catch(() => 'too much'), 400));
      app.onError((error, c) => c.text(error.message, 500));
      const log: string[] = [];
      await way(app, { maxBodyBytes: 5, errors: (text) => void log.push(text) }, async (call) => {
        const init = () => ({ method: 'POST', body: new Blob(['123', '456']).stream(), duplex: 'half' }) as RequestInit;
        const fails = await call('/fails', init());
        expect([fails.status, await fails.text()]).toEqual([413, '413 Content Too Large\n']);
        const copes = await call('/copes', init());
        expect([copes.status, await copes.text()]).toEqual([400, 'too much']);
      });
      expect(log).toEqual([expect.stringContaining('BodyTooLargeError')]);
    },
  );

  test('sets, reads and deletes cookies', async () => {
    const app = new Hono();
    app.get('/', async (c) => {
      setCookie(c, 'a', 'b c', { path: '/', expires: new Date(0), httpOnly: true });
      await setSignedCookie(c, 's', 'signed', 'secret');
      deleteCookie(c, 'old');
      return c.json({ all: getCookie(c), signed: await getSignedCookie(c, 'secret', 's') });
    });
    await hosted(app, async (call) => {
      const first = await call('/', { headers: { cookie: 'old=1; x=%20' } });
      expect((await first.json()).all).toEqual({ old: '1', x: ' ' });
      const cookies = first.headers.getSetCookie();
      expect(cookies.length).toBe(3);
      expect(cookies[0]).toBe('a=b%20c; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly');
      expect(cookies[2]).toMatch(/^old=; Max-Age=0/);
      const signed = cookies[1]?.split(';')[0] as string;
      expect((await (await call('/', { headers: { cookie: signed } })).json()).signed).toBe('signed');
    });
  });

  test('streams: text, bytes, events', async () => {
    const app = new Hono();
    app.get('/text', (c) =>
      streamText(c, async (out) => {
        await out.writeln('one');
        await out.sleep(1);
        await out.write('two');
      }),
    );
    app.get('/bytes', (c) =>
      stream(c, async (out) => {
        await out.write(new Uint8Array([1]));
        await out.pipe(new Blob([new Uint8Array([2, 3])]).stream());
      }),
    );
    app.get('/events', (c) =>
      streamSSE(c, async (out) => {
        await out.writeSSE({ data: 'a\nb', event: 'e', id: '1' });
      }),
    );
    await hosted(app, async (call) => {
      expect(await (await call('/text')).text()).toBe('one\ntwo');
      expect([...new Uint8Array(await (await call('/bytes')).arrayBuffer())]).toEqual([1, 2, 3]);
      const events = await call('/events');
      expect(events.headers.get('content-type')).toMatch(/^text\/event-stream/);
      expect(await events.text()).toBe('event: e\ndata: a\ndata: b\nid: 1\n\n');
    });
  });

  test.skipIf(onLambda)('hears of a client that leaves a stream', async () => {
    let aborted = (): void => {};
    const gone = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    const app = new Hono();
    app.get('/', (c) =>
      streamSSE(c, async (out) => {
        out.onAbort(() => aborted());
        while (!out.aborted) {
          await out.writeSSE({ data: 'tick' });
          await out.sleep(2);
        }
      }),
    );
    await hosted(app, async (call) => {
      const reader = ((await call('/')).body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      await reader.cancel();
      await gone;
    });
  });

  test('goes on working after its response', async () => {
    let done = (_text: string): void => {};
    const work = new Promise<string>((resolve) => {
      done = resolve;
    });
    const app = new Hono();
    app.get('/', (c) => {
      c.executionCtx.passThroughOnException();
      c.executionCtx.waitUntil(new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => done('worked')));
      return c.text('answered');
    });
    await hosted(app, async (call) => {
      expect(await (await call('/')).text()).toBe('answered');
      expect(await work).toBe('worked');
    });
  });

  test('runs its middleware: etag, compress, cors, limits, auth, override, validation', async () => {
    const app = new Hono();
    app.use('/etag/*', etag());
    app.get('/etag', (c) => c.text('tagged'));
    app.get('/etag/buffer', () => new Response(Buffer.from('in a buffer')));
    app.use('/compress', compress());
    app.get('/compress', (c) => c.text('x'.repeat(5000)));
    app.use('/cors', cors({ origin: 'http://example.com', credentials: true }));
    app.get('/cors', (c) => c.text('cors'));
    app.use('/limit', bodyLimit({ maxSize: 10 }));
    app.post('/limit', async (c) => c.text(await c.req.text()));
    app.use('/auth', basicAuth({ username: 'ada', password: 'pw' }));
    app.get('/auth', (c) => c.text('in'));
    app.use('/jwt', jwt({ secret: 'secret', alg: 'HS256' }));
    app.get('/jwt', (c) => c.json(c.get('jwtPayload')));
    app.use('/csrf', csrf());
    app.post('/csrf', (c) => c.text('ok'));
    app.use('/override', methodOverride({ app }));
    app.delete('/override', async (c) => c.json(await c.req.parseBody()));
    app.post(
      '/valid',
      validator('json', (value) => value),
      (c) => c.json(c.req.valid('json')),
    );
    app.use('/slow', timeout(5));
    app.get('/slow', () => new Promise<Response>(() => {}));
    app.use('/id', requestId());
    app.get('/id', (c) => c.text(c.get('requestId')));
    app.use('/store', contextStorage());
    app.get('/store', () => new Response(getContext().req.path));
    app.use('/after', async (c, next) => {
      await next();
      c.res.headers.set('x-after', 'yes');
      c.res = new Response(`${await c.res.text()}!`, c.res);
    });
    app.get('/after', () => new Response('before'));
    await hosted(app, async (call) => {
      const tagged = await call('/etag');
      const tag = tagged.headers.get('etag') as string;
      const again = await call('/etag', { headers: { 'if-none-match': tag } });
      expect([tagged.status, again.status, await again.text()]).toEqual([200, 304, '']);

      // The middleware reads a clone to make the tag of it.
      const buffer = await call('/etag/buffer');
      expect([buffer.status, await buffer.text()]).toEqual([200, 'in a buffer']);

      const compressed = await call('/compress', { headers: { 'accept-encoding': 'gzip' } });
      expect(compressed.headers.get('content-encoding')).toBe('gzip');
      const body = name === 'on node' ? compressed.body : compressed.body?.pipeThrough(new DecompressionStream('gzip'));
      expect(await new Response(body).text()).toBe('x'.repeat(5000));

      const preflight = await call('/cors', {
        method: 'OPTIONS',
        headers: { origin: 'http://example.com', 'access-control-request-method': 'GET' },
      });
      expect([preflight.status, preflight.headers.get('access-control-allow-credentials')]).toEqual([204, 'true']);

      expect(await (await call('/limit', { method: 'POST', body: 'short' })).text()).toBe('short');
      expect((await call('/limit', { method: 'POST', body: 'x'.repeat(11) })).status).toBe(413);
      const streamed = { method: 'POST', body: new Blob(['x'.repeat(6), 'y'.repeat(6)]).stream(), duplex: 'half' };
      expect((await call('/limit', streamed as RequestInit)).status).toBe(413);

      expect((await call('/auth')).status).toBe(401);
      expect(await (await call('/auth', { headers: { authorization: `Basic ${btoa('ada:pw')}` } })).text()).toBe('in');
      const token = await sign({ user: 'ada' }, 'secret');
      expect(await (await call('/jwt', { headers: { authorization: `Bearer ${token}` } })).json()).toEqual({
        user: 'ada',
      });
      const cross = { method: 'POST', body: new URLSearchParams('a=1'), headers: { origin: 'http://evil.example' } };
      expect((await call('/csrf', cross)).status).toBe(403);

      const form = new URLSearchParams({ _method: 'DELETE', a: '1' });
      expect(await (await call('/override', { method: 'POST', body: form })).json()).toEqual({ a: '1' });
      const json = { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } };
      expect(await (await call('/valid', json)).json()).toEqual({ a: 1 });
      expect((await call('/slow')).status).toBe(504);
      const id = await call('/id', { headers: { 'x-request-id': 'abc' } });
      expect([id.headers.get('x-request-id'), await id.text()]).toEqual(['abc', 'abc']);
      expect(await (await call('/store')).text()).toBe('/store');
      const after = await call('/after');
      expect([after.headers.get('x-after'), await after.text()]).toEqual(['yes', 'before!']);
    });
  });

  test('mounts, nests, redirects slashes, and serves files', async () => {
    const app = new Hono();
    app.use(trimTrailingSlash());
    app.mount('/mounted', (request: Request) => new Response(`${request.method} ${new URL(request.url).pathname}`));
    app.route(
      '/nested',
      new Hono().basePath('/v1').get('/x', (c) => c.text(c.req.path)),
    );
    const root = fileURLToPath(new URL('static', import.meta.url));
    app.use('/static/*', serveStatic({ root, rewriteRequestPath: (path) => path.replace('/static', '') }));
    await hosted(app, async (call) => {
      expect(await (await call('/mounted/a%20b', { method: 'POST', body: 'x' })).text()).toBe('POST /a%20b');
      expect(await (await call('/nested/v1/x')).text()).toBe('/nested/v1/x');
      expect((await call('/gone/')).headers.get('location')).toMatch(/\/gone$/);
      const file = await call('/static/file.txt');
      expect([file.headers.get('content-type'), await file.text()]).toEqual([
        'text/plain; charset=utf-8',
        'static text\n',
      ]);
      const range = await call('/static/file.txt', { headers: { range: 'bytes=0-5' } });
      expect([range.status, await range.text()]).toEqual([206, 'static']);
      expect((await call('/static/..%2Fhosting.ts')).status).toBe(404);
    });
  });

  test('passes a request on with its proxy helper', async () => {
    const upstream = new Hono();
    upstream.post('/up/*', async (c) => {
      setCookie(c, 'a', '1');
      setCookie(c, 'b', '2');
      return c.json([c.req.path, c.req.header('x-one'), await c.req.text()]);
    });
    const server = await listening(fromFetch(upstream));
    const app = new Hono();
    app.post('/*', (c) =>
      proxy(`http://127.0.0.1:${server.port}/up${c.req.path}`, { ...c.req, headers: { 'x-one': 'via' } }),
    );
    await hosted(app, async (call) => {
      const response = await call('/p', { method: 'POST', body: 'proxied' });
      expect(await response.json()).toEqual(['/up/p', 'via', 'proxied']);
      expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2; Path=/']);
    });
    server.close();
  });
});
