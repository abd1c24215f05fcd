// Express behaves the same wherever it is hosted: 5 and 4, by Node itself first.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import express5 from 'express';
// @ts-expect-error: Express 4 under a name of its own, and its types are those of 5.
import express4 from 'express4';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, setupTestingDefaults } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { mount, proxyFix } from 'waygate/middleware';
import { fromNode, toNode } from 'waygate/node';
import { type Call, copies, listening, ON_CONNECTIONS, request, WAYS, type Way } from './hosting.ts';

type Express = typeof express5;

const VERSIONS: [string, Express][] = [
  ['Express 5', express5],
  ['Express 4', express4 as unknown as Express],
];
const EACH = VERSIONS.flatMap(([version, express]) =>
  WAYS.map(([name, way]): [string, Express, Way] => [`${version} ${name}`, express, way]),
);
const ON_CONNECTION = VERSIONS.flatMap(([version, express]) =>
  ON_CONNECTIONS.map(([name, way]): [string, Express, Way] => [`${version} ${name}`, express, way]),
);

let folder = '';
const TEXT = 'tobi is a ferret\n'.repeat(20_000);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waygate-'));
  writeFileSync(join(folder, 'name.txt'), 'tobi');
  writeFileSync(join(folder, 'long.txt'), TEXT);
  writeFileSync(join(folder, 'the name.txt'), 'hallo');
  writeFileSync(join(folder, 'empty.txt'), '');
  writeFileSync(join(folder, 'page.view'), 'Hello {name}');
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(EACH)('%s', (_name, express, way) => {
  const post = (body: BodyInit, type: string, headers = {}): RequestInit => ({
    method: 'POST',
    body,
    headers: { 'content-type': type, ...headers },
  });

  /** With a header of the cache's own `fetch` adds none that would ask for a whole answer. */
  const conditional = (name: string, value: string | null): RequestInit => ({
    headers: { [name]: value ?? '', 'cache-control': 'max-age=0' },
  });

  test('parses bodies: JSON, forms, text, bytes, with a coding, a charset, a limit, and not when malformed', async () => {
    const app = express();
    app.post('/json', express.json({ limit: 100 }), (req, res) => void res.json(req.body));
    app.post('/form', express.urlencoded({ extended: true }), (req, res) => void res.json(req.body));
    app.post('/text', express.text(), (req, res) => void res.json(req.body));
    app.post('/raw', express.raw(), (req, res) => void res.send(req.body));
    app.use(((error, _req, res, _next) => {
      res.status(error.status).json({ type: error.type });
    }) as express5.ErrorRequestHandler);
    await way(app, async (call) => {
      const json = async (path: string, init: RequestInit) => {
        const response = await call(path, init);
        return [response.status, await response.json()];
      };
      const gzip = { 'content-encoding': 'gzip' };
      expect(await json('/json', post('{"a":"ü"}', 'application/json'))).toEqual([200, { a: 'ü' }]);
      expect(await json('/json', post(gzipSync('{"a":1}'), 'application/json', gzip))).toEqual([200, { a: 1 }]);
      const latin = Buffer.from('{"a":"é"}', 'utf16le');
      expect(await json('/json', post(latin, 'application/json; charset=utf-16'))).toEqual([200, { a: 'é' }]);
      expect(await json('/json', post('{"a":', 'application/json'))).toEqual([400, { type: 'entity.parse.failed' }]);
      expect(await json('/json', post(`{"a":"${'x'.repeat(100)}"}`, 'application/json'))).toEqual([
        413,
        { type: 'entity.too.large' },
      ]);
      expect((await call('/json', post('x', 'application/json', gzip))).status).toBe(400);
      expect(await json('/json', post('{}', 'application/json', { 'content-encoding': 'nulls' }))).toEqual([
        415,
        { type: 'encoding.unsupported' },
      ]);
      expect(await json('/json', post('{}', 'application/json; charset=x-odd'))).toEqual([
        415,
        { type: 'charset.unsupported' },
      ]);
      expect(await json('/form', post('a[b]=1&c=%C3%BC+d', 'application/x-www-form-urlencoded'))).toEqual([
        200,
        { a: { b: '1' }, c: 'ü d' },
      ]);
      expect(await json('/text', post('Grüße', 'text/plain'))).toEqual([200, 'Grüße']);
      const bytes = new Uint8Array(100_000).map((_, index) => index);
      const raw = await call('/raw', post(bytes, 'application/octet-stream'));
      expect(raw.status).toBe(200);
      expect(new Uint8Array(await raw.arrayBuffer())).toEqual(bytes);
    });
  });

  test('gets past a body that nobody reads', async () => {
    const app = express();
    app.post('/', (_req, res) => void res.send('unread'));
    await way(app, async (call) => {
      for (let time = 0; time < 2; time++) {
        const response = await call('/', post('x'.repeat(200_000), 'text/plain'));
        expect(await response.text()).toBe('unread');
      }
    });
  });

  test('answers with send, json, redirect, cookies, links, types, and the right validators', async () => {
    const app = express();
    app.get('/send', (_req, res) => void res.set('X-Id', ['a', 'b']).status(201).send('<p>ü</p>'));
    app.get('/bytes', (_req, res) => void res.send(Buffer.from([0, 255])));
    app.get('/json', (_req, res) => void res.json({ a: [1] }));
    app.get('/jsonp', (_req, res) => void res.jsonp({ a: 1 }));
    app.get('/status', (_req, res) => void res.sendStatus(404));
    app.get('/away', (_req, res) => void res.redirect(301, '/else where?q=ü'));
    app.get('/cookies', (_req, res) => {
      res.cookie('a', '1 2', { httpOnly: true, expires: new Date(0) });
      res.cookie('b', { c: 1 });
      res.clearCookie('d').append('Set-Cookie', 'e=f').links({ next: 'http://x/?2' }).vary('Accept').end();
    });
    app.get('/type', (_req, res) => void res.type('png').end('x'));
    app.get('/format', (_req, res) => void res.format({ text: () => res.send('t'), json: () => res.send({ j: 1 }) }));
    await way(app, async (call) => {
      const send = await call('/send');
      expect([send.status, send.headers.get('x-id'), send.headers.get('content-type')]).toEqual([
        201,
        'a, b',
        'text/html; charset=utf-8',
      ]);
      const etag = send.headers.get('etag') as string;
      expect(await send.text()).toBe('<p>ü</p>');
      expect(etag).toMatch(/^W\/"9-/);
      const fresh = await call('/json');
      const again = await call('/json', conditional('if-none-match', fresh.headers.get('etag')));
      expect([again.status, again.headers.get('content-length'), await again.text()]).toEqual([304, null, '']);
      const head = await call('/json', { method: 'HEAD' });
      expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '9', '']);
      expect(Buffer.from(await (await call('/bytes')).arrayBuffer())).toEqual(Buffer.from([0, 255]));
      expect(await (await call('/jsonp?callback=go')).text()).toContain('go({"a":1})');
      expect(await (await call('/status')).text()).toBe('Not Found');
      const away = await call('/away');
      expect([away.status, away.headers.get('location')]).toEqual([301, '/else%20where?q=%C3%BC']);
      const cookies = await call('/cookies');
      expect(cookies.headers.getSetCookie()).toEqual([
        'a=1%202; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly',
        'b=j%3A%7B%22c%22%3A1%7D; Path=/',
        'd=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
        'e=f',
      ]);
      expect([cookies.headers.get('link'), cookies.headers.get('vary')]).toEqual([
        '<http://x/?2>; rel="next"',
        'Accept',
      ]);
      expect((await call('/type')).headers.get('content-type')).toBe('image/png');
      expect(await (await call('/format', { headers: { accept: 'application/json' } })).json()).toEqual({ j: 1 });
    });
  });

  test('sends files: whole, in ranges, conditionally, as downloads, and none that is not there', async () => {
    const app = express();
    const calls: string[] = [];
    app.get('/file/:name', (req, res) => {
      res.sendFile(req.params.name, { root: folder }, (error) => {
        calls.push(error ? String((error as { status?: number }).status) : 'sent');
        if (error && !res.headersSent) res.sendStatus((error as { status?: number }).status ?? 500);
      });
    });
    app.get('/download', (_req, res) => res.download(join(folder, 'the name.txt')));
    app.use('/static', express.static(folder));
    await way(app, async (call) => {
      const whole = await call('/file/long.txt');
      expect(whole.headers.get('content-length')).toBe(String(TEXT.length));
      expect(
        createHash('md5')
          .update(await whole.text())
          .digest('hex'),
      ).toBe(createHash('md5').update(TEXT).digest('hex'));
      const range = await call('/file/name.txt', { headers: { range: 'bytes=1-2' } });
      expect([range.status, range.headers.get('content-range'), await range.text()]).toEqual([
        206,
        'bytes 1-2/4',
        'ob',
      ]);
      expect((await call('/file/name.txt', { headers: { range: 'bytes=9-' } })).status).toBe(416);
      const validator = whole.headers.get('last-modified') as string;
      expect((await call('/file/long.txt', conditional('if-modified-since', validator))).status).toBe(304);
      expect((await call('/file/long.txt', { method: 'HEAD' })).headers.get('content-length')).toBe(
        String(TEXT.length),
      );
      expect([(await call('/file/empty.txt')).status, (await call('/file/none.txt')).status]).toEqual([200, 404]);
      await until(() => calls.length === 7);
      expect(calls.filter((each) => each !== 'sent')).toEqual(['416', '404']);
      const download = await call('/download');
      expect(download.headers.get('content-disposition')).toBe('attachment; filename="the name.txt"');
      expect(await download.text()).toBe('hallo');
      expect((await call('/static')).headers.get('location')).toBe('/static/');
      expect(await (await call('/static/name.txt')).text()).toBe('tobi');
      expect((await call('/static/none')).status).toBe(404);
    });
  });

  test('routes: parameters, sub-apps, routers, methods, views, errors, promises', async () => {
    const app = express();
    app.set('views', folder).set('view engine', 'view');
    app.engine('view', (_path, options, done) => done(null, `Hello ${(options as { name: string }).name}`));
    const sub = express();
    sub.get('/:id', (req, res) => void res.json([req.baseUrl, req.path, req.url, req.originalUrl, req.params.id]));
    app.use('/sub', sub);
    const router = express.Router();
    router.all('/x', (req, res) => void res.send(`${req.method} ${req.query.q}`));
    app.use('/router', router);
    app.get('/view', (_req, res) => res.render('page', { name: 'Tobi' }));
    app.get('/throws', () => {
      throw Object.assign(new Error('teapot'), { status: 418, expose: true });
    });
    app.get('/begun', (_req, res, next) => {
      res.write('begun');
      next(new Error('too late'));
    });
    app.get('/local', (req, res) => {
      res.locals.a = 1;
      res.json([res.locals, req.xhr, req.fresh, req.is('json'), req.accepts('html'), req.range(10)]);
    });
    app.set('env', 'test');
    await way(app, async (call) => {
      expect(await (await call('/sub/a%2Fb?q=1')).json()).toEqual([
        '/sub',
        '/a%2Fb',
        '/a%2Fb?q=1',
        '/sub/a%2Fb?q=1',
        'a/b',
      ]);
      for (const method of ['GET', 'POST', 'DELETE', 'PATCH', 'PROPFIND']) {
        expect(await (await call('/router/x?q=ü', { method })).text()).toBe(`${method} ü`);
      }
      expect(await (await call('/view')).text()).toBe('Hello Tobi');
      const error = await call('/throws');
      expect([error.status, error.headers.get('content-security-policy')]).toEqual([418, "default-src 'none'"]);
      expect(await error.text()).toContain('teapot');
      const missing = await call('/missing');
      expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining('Cannot GET /missing')]);
      await expect(call('/begun').then((response) => response.text())).rejects.toThrow();
      const options = await call('/view', { method: 'OPTIONS' });
      expect(options.headers.get('allow')).toBe('GET, HEAD'.replace(', ', express === express5 ? ', ' : ','));
      expect(await (await call('/local')).json()).toEqual([{ a: 1 }, false, false, null, 'html', null]);
    });
  });

  test('streams: server-sent events, a pipe, and what comes before and after', async () => {
    const app = express();
    const order: string[] = [];
    app.use((_req, res, next) => {
      res.on('finish', () => order.push(`finish ${res.statusCode}`));
      res.on('close', () => order.push('close'));
      next();
    });
    app.get('/events', async (_req, res) => {
      res.set('Content-Type', 'text/event-stream').flushHeaders();
      for (let count = 0; count < 3; count++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        res.write(`data: ${count}\n\n`);
      }
      res.end();
    });
    await way(app, async (call) => {
      const response = await call('/events');
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      expect(await response.text()).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\n');
      await until(() => order.length === 2);
      expect(order).toEqual(['finish 200', 'close']);
    });
  });
});

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done() && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(done()).toBe(true);
}

describe.each(ON_CONNECTION)('%s, on a connection', (_name, express, way) => {
  test('knows the client and its proxies', async () => {
    const app = express();
    app.get('/', (req, res) => {
      res.json([req.ip, req.ips, req.protocol, req.secure, req.hostname, req.subdomains, req.socket.remoteAddress]);
    });
    const headers = {
      Host: 'a.b.example.com',
      'X-Forwarded-For': '1.2.3.4, 5.6.7.8',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'c.example.org',
    };
    const see = async () => {
      let seen: unknown;
      await way(app, async (_call, port) => {
        seen = JSON.parse((await request(port, { headers })).body.toString());
      });
      return seen;
    };
    expect(await see()).toEqual(['127.0.0.1', [], 'http', false, 'a.b.example.com', ['b', 'a'], '127.0.0.1']);
    app.set('trust proxy', true);
    expect(await see()).toEqual([
      '1.2.3.4',
      ['1.2.3.4', '5.6.7.8'],
      'https',
      true,
      'c.example.org',
      ['c'],
      '127.0.0.1',
    ]);
    app.set('trust proxy', ['127.0.0.1']);
    expect(await see()).toMatchObject({ 0: '5.6.7.8', 1: ['5.6.7.8'] });
  });

  test('hears that a client aborted a file', async () => {
    const app = express();
    const heard: string[] = [];
    app.get('/', (_req, res) => {
      res.type('text');
      setTimeout(() => {
        res.sendFile('long.txt', { root: folder }, (error) =>
          heard.push((error as NodeJS.ErrnoException)?.code ?? 'sent'),
        );
      }, 20);
    });
    await way(app, async (_call, port) => {
      const client = net.connect(port, '127.0.0.1', () => {
        client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
        setTimeout(() => client.destroy(), 5);
      });
      await until(() => heard.length === 1);
      expect(heard).toEqual(['ECONNABORTED']);
    });
  });
});

describe('a mounted Express app', () => {
  const app = express5();
  app.get('/who', (req, res) => void res.json([req.url, req.baseUrl, req.originalUrl, req.ip, req.protocol]));
  app.use('/files', express5.static(tmpdir()));

  test('routes below its mount and redirects above it', async () => {
    const call: Call = toFetch(mount({ '/api/v1': fromNode(app) }));
    expect(await (await call('/api/v1/who?q')).json()).toEqual(['/who?q', '/api/v1', '/api/v1/who?q', null, 'http']);
    expect((await call('/api/v1/files')).headers.get('location')).toBe('/api/v1/files/');
    const based = toFetch(fromNode(app), { basePath: '/stage' });
    expect(await (await based('/stage/who')).json()).toEqual(['/who', '/stage', '/stage/who', null, 'http']);
  });

  test('sees the client that a middleware found', async () => {
    const fixed = proxyFix(fromNode(app), { for: true, proto: true });
    await listening(http.createServer(toNode(fixed)), async (call) => {
      const response = await call('/who', { headers: { 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https' } });
      expect(await response.json()).toEqual(['/who', '', '/who', '9.9.9.9', 'https']);
    });
  });

  test('answers a request in the same turn', () => {
    const environ = setupTestingDefaults({ PATH_INFO: '/who' });
    expect(run(fromNode(app), environ)).not.toBeInstanceOf(Promise);
  });
});

test('maxBodyBytes shows as the 413 of Express’ own parsers', async () => {
  const app = express5();
  app.use(express5.text());
  app.post('/', (req, res) => void res.send(req.body));
  const call = toFetch(copies(fromNode(app)), { maxBodyBytes: 10, errors: () => {} });
  const stream = new Blob(['x'.repeat(100)]).stream();
  const headers = { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' };
  const response = await call('/', { method: 'POST', body: stream, duplex: 'half', headers } as RequestInit);
  expect(response.status).toBe(413);
});
