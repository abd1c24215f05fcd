// Koa behaves the same wherever it is hosted, by Node itself first.

import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WAYS } from './hosting.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waygate-'));
  writeFileSync(join(folder, 'file.txt'), 'tobi '.repeat(50_000));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done() && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(done()).toBe(true);
}

describe.each(WAYS)('Koa %s', (_name, way) => {
  function koa(...middleware: Koa.Middleware[]): Koa & { told: Error[] } {
    const app = Object.assign(new Koa(), { told: [] as Error[] });
    app.on('error', (error) => app.told.push(error));
    for (const each of middleware) app.use(each);
    return app;
  }

  test('answers with text, JSON, bytes, streams, a Response, a Blob, and nothing', async () => {
    const bodies: Record<string, () => unknown> = {
      '/text': () => 'Grüße',
      '/html': () => '<p>x</p>',
      '/json': () => ({ a: 1 }),
      '/bytes': () => Buffer.from([0, 255]),
      '/stream': () => Readable.from(['a', 'b', 'c']),
      '/file': () => createReadStream(join(folder, 'file.txt')),
      '/web': () => new Blob(['web']).stream(),
      '/blob': () => new Blob(['blob']),
      '/null': () => null,
    };
    const app = koa((ctx) => {
      ctx.body = bodies[ctx.path]?.();
    });
    await way(app.callback(), async (call) => {
      const text = await call('/text');
      expect([text.headers.get('content-type'), text.headers.get('content-length'), await text.text()]).toEqual([
        'text/plain; charset=utf-8',
        '7',
        'Grüße',
      ]);
      expect((await call('/html')).headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await (await call('/json')).json()).toEqual({ a: 1 });
      expect(Buffer.from(await (await call('/bytes')).arrayBuffer())).toEqual(Buffer.from([0, 255]));
      expect(await (await call('/stream')).text()).toBe('abc');
      expect((await (await call('/file')).text()).length).toBe(250_000);
      expect(await (await call('/web')).text()).toBe('web');
      expect(await (await call('/blob')).text()).toBe('blob');
      expect((await call('/null')).status).toBe(204);
      expect((await call('/missing')).status).toBe(204);
    });
    expect(app.told).toEqual([]);
  });

  test('calls its error handler, and answers with what may be shown', async () => {
    const app = koa(async (ctx: Koa.Context) => {
      if (ctx.path === '/throw') ctx.throw(418, 'short and stout', { headers: { 'x-pot': '1' } });
      if (ctx.path === '/assert') ctx.assert(ctx.query.user, 401, 'who?');
      if (ctx.path === '/secret') throw new Error('secret');
    });
    await way(app.callback(), async (call) => {
      const pot = await call('/throw');
      expect([pot.status, pot.headers.get('x-pot'), await pot.text()]).toEqual([418, '1', 'short and stout']);
      expect((await call('/assert')).status).toBe(401);
      const secret = await call('/secret');
      expect([secret.status, await secret.text()]).toEqual([500, 'Internal Server Error']);
      expect((await call('/nothing')).status).toBe(404);
      await until(() => app.told.length === 3);
    });
    expect(app.told.map(({ message }) => message)).toEqual(['short and stout', 'who?', 'secret']);
  });

  test('has the request and the response of Node under ctx.req and ctx.res, and leaves them alone if told so', async () => {
    const app = koa(async (ctx) => {
      ctx.respond = false;
      ctx.res.writeHead(202, { 'X-Own': [ctx.req.method, ctx.req.url].join(' ') });
      ctx.res.write('by hand');
      setTimeout(() => ctx.res.end('!'), 2);
    });
    await way(app.callback(), async (call) => {
      const response = await call('/own');
      expect([response.status, response.headers.get('x-own'), await response.text()]).toEqual([
        202,
        'GET /own',
        'by hand!',
      ]);
    });
  });

  test('keeps state, cookies and conditions', async () => {
    const app = koa(
      async (ctx, next) => {
        await next();
        if (ctx.fresh) ctx.status = 304;
      },
      (ctx) => {
        ctx.cookies.set('a', '1', { httpOnly: false });
        ctx.cookies.set('b', '2');
        ctx.etag = 'tag';
        ctx.vary('Accept');
        ctx.status = 200;
        ctx.body = `${ctx.cookies.get('c')} ${ctx.host} ${ctx.protocol} ${ctx.querystring} ${ctx.get('X-Y')}`;
      },
    );
    await way(app.callback(), async (call) => {
      const response = await call('/?q=1', { headers: { cookie: 'c=3', 'x-y': 'z' } });
      expect(response.headers.getSetCookie()).toEqual(['a=1; path=/', 'b=2; path=/; httponly']);
      expect(response.headers.get('etag')).toBe('"tag"');
      expect(await response.text()).toMatch(/^3 (127\.0\.0\.1:\d+|localhost) http q=1 z$/);
      const fresh = { 'if-none-match': '"tag"', 'cache-control': 'max-age=0' };
      const again = await call('/', { headers: fresh });
      expect([again.status, await again.text()]).toEqual([304, '']);
      const head = await call('/', { method: 'HEAD' });
      expect([head.status, head.headers.get('content-length') !== null, await head.text()]).toEqual([200, true, '']);
    });
  });

  test('flushes its head ahead of a slow body', async () => {
    let body: PassThrough | undefined;
    const app = koa((ctx) => {
      ctx.type = 'text';
      body = new PassThrough();
      ctx.body = body;
      ctx.flushHeaders();
    });
    await way(app.callback(), async (call) => {
      const response = await call('/');
      expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      body?.end('slow');
      expect(await response.text()).toBe('slow');
    });
  });

  test('keeps out of a response that was begun, or is to be left alone', async () => {
    const app = koa(async (ctx) => {
      const { res } = ctx;
      if (ctx.path === '/later') {
        ctx.respond = false;
        setImmediate(() => res.setHeader('Content-Length', 3).end('own'));
      } else if (ctx.path === '/written') {
        ctx.status = 200;
        res.write('one ');
        await new Promise((resolve) => setTimeout(resolve, 5));
        res.end('two');
        ctx.set('x-late', 'ignored');
        ctx.status = 418;
      } else {
        ctx.set('x-early', 'sent');
        ctx.status = 202;
        ctx.flushHeaders();
        app.once('error', () => res.end('told'));
        throw new Error('too late for a head of its own');
      }
    });
    await way(app.callback(), async (call) => {
      const later = await call('/later');
      expect([later.status, later.headers.get('content-length'), await later.text()]).toEqual([404, '3', 'own']);
      const written = await call('/written');
      expect([written.status, written.headers.get('x-late'), await written.text()]).toEqual([200, null, 'one two']);
      const thrown = await call('/thrown');
      expect([thrown.status, thrown.headers.get('x-early'), await thrown.text()]).toEqual([202, 'sent', 'told']);
      expect(app.told).toHaveLength(1);
    });
  });

  test('takes the headers that an error brings, and drops its own', async () => {
    const app = koa((ctx) => {
      ctx.set('Vary', 'Accept-Encoding');
      ctx.body = 'half done';
      const headers = { 'X-Reason': 'boom', 'Set-Cookie': ['a=1', 'b=2'], 'Content-Length': ['1', '2'] };
      throw Object.assign(new Error('boom'), { status: 418, expose: true, headers });
    });
    await way(app.callback(), async (call) => {
      const response = await call('/');
      expect([response.status, await response.text()]).toEqual([418, 'boom']);
      const { headers } = response;
      expect([headers.get('vary'), headers.get('x-reason'), headers.get('content-length')]).toEqual([
        null,
        'boom',
        '4',
      ]);
      expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    });
  });

  test('answers HEAD with the length that GET has, and nothing for statuses without a body', async () => {
    const bodies: Record<string, unknown> = { '/text': 'hello', '/json': { a: 1 }, '/bytes': Buffer.from('abc') };
    const app = koa((ctx) => {
      if (ctx.path in bodies) ctx.body = bodies[ctx.path];
      else ctx.status = Number(ctx.path.slice(1));
    });
    await way(app.callback(), async (call) => {
      for (const [path, length] of [
        ['/text', '5'],
        ['/json', '7'],
        ['/bytes', '3'],
      ] as const) {
        const head = await call(path, { method: 'HEAD' });
        expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, length, '']);
      }
      for (const status of [204, 205, 304]) {
        const response = await call(`/${status}`);
        expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
          status,
          null,
          '',
        ]);
      }
      const phrase = await call('/402');
      expect([phrase.status, await phrase.text()]).toEqual([402, 'Payment Required']);
    });
  });

  test('destroys a body that nobody is there to read', async () => {
    let body: Readable | undefined;
    const app = koa((ctx) => {
      body = new Readable({
        read() {
          this.push('x'.repeat(10_000));
        },
      });
      ctx.type = 'text';
      ctx.body = body;
    });
    await way(app.callback(), async (call) => {
      const response = await call('/');
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      await reader.cancel();
      await until(() => body?.destroyed === true);
    });
  });
});
