// A hosted app sees the path that a middleware around it has checked: none of the spellings of a dot segment leads past
// `mount` to what it guards, on any platform, for any kind of hosted app. (URL-05, CWE-180)

import { connect } from 'node:net';
import fc from 'fast-check';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { type Application, encode, type Middleware, setupTestingDefaults } from 'waygate';
import { fromLambda, lambdaEvent, type SourceName, toLambda } from 'waygate/aws-lambda';
import { fromWorker, toWorker } from 'waygate/cloudflare-workers';
import { fromFetch, toFetch } from 'waygate/fetch';
import { mount } from 'waygate/middleware';
import { fromNode } from 'waygate/node';
import { hostedUrl } from '../../../adapters/fetch/hosted/url.ts';
import { decodePath } from '../../../core/url.ts';
import { parseResponse } from '../../../testing/raw-response.ts';
import { listening } from './hosting.ts';

const SPELLINGS = [
  '/x/../admin',
  '/./admin',
  '/%2e/admin',
  '/x/%2e%2e/admin',
  '/x/%2E./admin',
  '/x/.%2e/admin',
  '/x/y/../../admin',
  '/admin/.',
  '/..//../admin',
];

/** What a URL has no word for stays in its segment: these lead nowhere else. */
const TEXT = ['/x/..\\admin', '/x\\..\\admin', '/x/..%5Cadmin', '/x%2F..%2Fadmin', '/.x', '/x..', '/...', '/.;/admin'];

/** What begins with the guarded path is the guard's. */
const refusal = (target: string): number => (target.startsWith('/admin') ? 403 : 400);

const SOURCES: SourceName[] = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'];

const deny: Application = (_environ, startResponse) => {
  startResponse('403 Forbidden', [['Content-Type', 'text/plain']]);
  return [encode('denied')];
};

const hono = new Hono();
hono.get('/admin', (c) => c.text('secret'));
hono.get('*', (c) => c.text('public'));
const route = (pathname: string): string => (pathname === '/admin' ? 'secret' : 'public');
const asFetch = (request: Request) => new Response(route(new URL(request.url).pathname));

/** What routes on a URL, hosted in every way. */
const APPS: [name: string, app: Application][] = [
  ['a Hono app', fromFetch(hono)],
  ['a Fetch handler', fromFetch(asFetch)],
  ['a Worker', fromWorker({ fetch: asFetch })],
  ['a Lambda handler', fromLambda(toLambda(fromFetch(hono)), { source: 'function-url' })],
];

const wraps: Middleware = (app) => (environ, startResponse) => app({ ...environ }, startResponse);

/** A request target that no client library changes on its way. */
async function raw(port: number, target: string): Promise<{ status: number; body: string }> {
  const request = `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
  const chunks: Buffer[] = [];
  const socket = connect(port, '127.0.0.1', () => socket.write(request));
  for await (const chunk of socket) chunks.push(chunk);
  const [response] = parseResponse(Buffer.concat(chunks).toString('latin1'), request);
  return response as { status: number; body: string };
}

describe.each(APPS)('%s behind a mount that denies /admin', (_name, app) => {
  const guarded = mount({ '/admin': deny, '/': app });

  test('is asked for its own paths, and for no dot segments: node', async () => {
    for (const each of [guarded, wraps(guarded)]) {
      const server = await listening(each);
      try {
        expect((await raw(server.port, '/admin')).status).toBe(403);
        expect(await raw(server.port, '/.well-known/a..b')).toMatchObject({ status: 200, body: 'public' });
        for (const target of SPELLINGS) {
          expect([target, (await raw(server.port, target)).status]).toEqual([target, refusal(target)]);
        }
        for (const target of TEXT) expect([target, (await raw(server.port, target)).body]).toEqual([target, 'public']);
      } finally {
        server.close();
      }
    }
  });

  test.each(SOURCES)('is asked for its own paths, and for no dot segments: the Lambda source %s', async (source) => {
    const handler = toLambda(guarded, { errors: () => {} });
    const status = async (path: string): Promise<number> => {
      const { statusCode, status } = await handler(lambdaEvent(source, { path }), {});
      return Number(statusCode ?? status);
    };
    expect(await status('/admin')).toBe(403);
    expect(await status('/.well-known/a..b')).toBe(200);
    for (const target of SPELLINGS) expect([target, await status(target)]).toEqual([target, refusal(target)]);
  });

  test('is asked for its own paths, and for no dot segments: a path given to toFetch', async () => {
    const call = toFetch(guarded);
    expect((await call('/admin')).status).toBe(403);
    for (const target of SPELLINGS) expect([target, (await call(target)).status]).toEqual([target, refusal(target)]);
  });

  test('on a Fetch platform a URL is resolved before anybody sees it', async () => {
    const worker = toWorker(guarded);
    const ctx = { waitUntil() {} };
    for (const target of SPELLINGS) {
      const url = `http://h${target}`;
      const expected = new URL(url).pathname.startsWith('/admin') ? 403 : 200;
      expect([target, (await toFetch(guarded)(url)).status]).toEqual([target, expected]);
      expect([target, (await worker.fetch(new Request(url), {}, ctx)).status]).toEqual([target, expected]);
    }
  });

  test('a middleware that makes dot segments of a path gets a 400 for it', async () => {
    const moving: Middleware = (inner) => (environ, startResponse) =>
      inner({ ...environ, PATH_INFO: decodePath(environ.QUERY_STRING) }, startResponse);
    const call = toFetch(moving(guarded), { errors: () => {} });
    const server = await listening(moving(guarded), { errors: () => {} });
    try {
      for (const target of SPELLINGS) {
        const expected = refusal(target);
        expect([target, (await call(`/x?${target}`)).status]).toEqual([target, expected]);
        expect([target, (await raw(server.port, `/x?${target}`)).status]).toEqual([target, expected]);
      }
    } finally {
      server.close();
    }
  });
});

test('a node listener gets the target as it was sent, alone and behind a middleware', async () => {
  const app = fromNode((req, res) => res.end(req.url));
  for (const each of [app, wraps(app)]) {
    const server = await listening(each);
    for (const target of SPELLINGS) {
      expect([target, (await raw(server.port, target)).body]).toEqual([target, target]);
    }
    server.close();
  }
});

test('a path given to toFetch is the same in the Request and in environ', async () => {
  const seen: string[] = [];
  const app = fromFetch((request) => new Response(void seen.push(new URL(request.url).pathname) as never));
  const noting: Application = (environ, startResponse) => {
    seen.push(environ.PATH_INFO);
    return app(environ, startResponse);
  };
  for (const path of ['/a\\b', '//a', '/\\a', '/a%5Cb', '/a\tb', '/"<>^`{|}']) {
    await toFetch(noting)(path);
    const [info, pathname] = seen.splice(0);
    expect([path, decodePath(pathname as string)]).toEqual([path, info]);
  }
});

test('the URL of a hosted request denotes PATH_INFO, whatever that holds', () => {
  const unit = fc.oneof(
    fc.constantFrom('/', '.', '..', '\\', '%', '%2e', '?', '#', '\t', '\n', ' ', ':', '@', ';'),
    fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
  );
  const path = fc.array(unit, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);
  fc.assert(
    fc.property(path, fc.option(path), (info, uri) => {
      const environ = setupTestingDefaults({
        PATH_INFO: info,
        SCRIPT_NAME: '',
        REQUEST_URI: uri ?? info,
        QUERY_STRING: '',
      });
      let url: string;
      try {
        url = hostedUrl(environ);
      } catch {
        expect(decodePath(uri ?? info) === info ? (uri ?? info) : info).toMatch(/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i);
        return;
      }
      expect(decodePath(new URL(url).pathname)).toBe(info);
    }),
    { numRuns: 5000 },
  );
});
