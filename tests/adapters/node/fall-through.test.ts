// The option `fallThrough` of toNode: what the application does not have is for what is mounted behind it.

import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import connect from 'connect';
import express from 'express';
// @ts-expect-error it is Express 4 under another name, without types of its own
import express4 from 'express4';
import polka from 'polka';
import { afterEach, describe, expect, it } from 'vitest';
import { type Application, encode } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { fromNode, type MountOptions, toNode } from 'waygate/node';

let stop = (): void => {};
afterEach(() => stop());

async function listen(listener: RequestListener): Promise<string> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stop = () => server.close().closeAllConnections();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const seen: string[] = [];

/** Has `/own`; does not have anything else, in as many ways as there are. */
const app: Application = async (environ, startResponse) => {
  const { PATH_INFO } = environ;
  if (PATH_INFO === '/throws') throw new Error('on purpose');
  if (PATH_INFO === '/reads') await environ['wsgi.input'].read(1);
  const status = PATH_INFO === '/own' ? '200 OK' : '404 Not Found';
  const write = startResponse(status, [['X-Of', 'the application']]);
  if (PATH_INFO === '/writes') await write(encode('written'));
  if (PATH_INFO !== '/streams') return [encode('of the application')];
  return {
    async *[Symbol.asyncIterator]() {
      yield encode('of the application');
    },
    close: () => void seen.push('closed'),
  };
};

const hostedExpress = fromNode(express().get('/own', (_request, response) => void response.send('own')));

const behind: RequestListener = async (request, response) => {
  response.end(`${request.method} ${request.url}: ${await text(request)}`);
};

const FRAMEWORKS: [string, (mounted: ReturnType<typeof toNode>) => RequestListener][] = [
  [
    'connect',
    (mounted) =>
      connect()
        .use(mounted as RequestListener)
        .use(behind),
  ],
  ['Express 5', (mounted) => express().use(mounted as RequestListener, behind)],
  ['Express 4', (mounted) => express4().use(mounted as RequestListener, behind) as RequestListener],
  [
    'polka',
    (mounted) =>
      polka()
        .use(mounted as never)
        .all('*', behind as never).handler as RequestListener,
  ],
];

describe.each(FRAMEWORKS)('mounted in %s', (_, mount) => {
  const start = (given: Application = app, options: MountOptions = { fallThrough: true }): Promise<string> =>
    listen(mount(toNode(given, { errors: () => {}, ...options })));

  it('hands on what the application answers with 404, with its body', async () => {
    const origin = await start();
    const own = await fetch(`${origin}/own`);
    expect([own.status, own.headers.get('x-of'), await own.text()]).toEqual([
      200,
      'the application',
      'of the application',
    ]);
    for (const path of ['/other', '/streams']) {
      seen.length = 0;
      for (const body of ['with a length', new Blob(['in chunks']).stream()]) {
        const response = await fetch(origin + path, { method: 'POST', body, duplex: 'half' } as RequestInit);
        expect([response.status, response.headers.get('x-of')]).toEqual([200, null]);
        expect(await response.text()).toBe(`POST ${path}: ${typeof body === 'string' ? body : 'in chunks'}`);
      }
      expect(seen).toEqual(path === '/streams' ? ['closed', 'closed'] : []);
      expect(await (await fetch(origin + path)).text()).toBe(`GET ${path}: `);
    }
  });

  it('keeps a 404 once the body was read', async () => {
    const origin = await start();
    const response = await fetch(`${origin}/reads`, { method: 'POST', body: 'some' });
    expect([response.status, await response.text()]).toEqual([404, 'of the application']);
  });

  it('answers for a failure of the application, as without the option', async () => {
    const response = await fetch(`${await start()}/throws`);
    expect([response.status, await response.text()]).toEqual([500, '500 Internal Server Error\n']);
  });

  it('hands nothing on without the option', async () => {
    const response = await fetch(`${await start(app, {})}/other`);
    expect([response.status, await response.text()]).toEqual([404, 'of the application']);
  });

  it.each<[string, Application]>([
    ['Express app', hostedExpress],
    [
      'Fetch handler',
      fromFetch(async (request) => new Response('own', { status: request.url.endsWith('/own') ? 200 : 404 })),
    ],
  ])('hands on what a hosted %s does not have', async (_name, hosted) => {
    const origin = await start(hosted);
    expect(await (await fetch(`${origin}/own`)).text()).toBe('own');
    expect(await (await fetch(`${origin}/other`)).text()).toBe('GET /other: ');
    const response = await fetch(`${origin}/other`, { method: 'POST', body: 'read by the next' });
    // Express reads the body away before its own 404.
    if (hosted === hostedExpress) expect(response.status).toBe(404);
    else expect([response.status, await response.text()]).toEqual([200, 'POST /other: read by the next']);
  });
});

describe('a listener that can fall through', () => {
  it('has two parameters, as routers want it', () => {
    expect(toNode(app, { fallThrough: true })).toHaveLength(2);
    expect(toNode(app)).toHaveLength(2);
  });

  it('answers itself where nothing is behind it', async () => {
    const response = await fetch(`${await listen(toNode(app, { fallThrough: true }))}/other`);
    expect([response.status, await response.text()]).toEqual([404, 'of the application']);
  });

  it('breaks the connection where what is behind it throws, and nothing more', async () => {
    const mounted = toNode(app, { fallThrough: true, errors: () => {} }) as (...given: unknown[]) => void;
    const origin = await listen((request, response) =>
      mounted(request, response, () => {
        throw new Error('on purpose');
      }),
    );
    await expect(fetch(`${origin}/other`)).rejects.toThrow();
    expect((await fetch(`${origin}/own`)).status).toBe(200);
  });

  it('wants true or false', () => {
    const wrong = { fallThrough: 'errors' } as unknown as MountOptions;
    expect(() => toNode(app, wrong)).toThrow(/^The option "fallThrough" is .*; expected true or false\.$/);
  });
});
