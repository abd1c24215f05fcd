// Requests and Responses of another make than the platform's: node-fetch 3 and 2, and objects of their shape. (B15, E8)

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as nodeFetch from 'node-fetch';
// @ts-expect-error: version 2 has no types of its own
import nodeFetch2 from 'node-fetch2';
import { describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { type FetchApp, fromFetch, toFetch } from 'waygate/fetch';
import { copies, listening } from './hosting.ts';

// biome-ignore lint/suspicious/noExplicitAny: both versions have types of their own.
type Library = { Request: any; Response: any; fetch: any };
const two = nodeFetch2 as unknown as Library & ((url: string) => Promise<Response>);
const LIBRARIES: [name: string, library: Library][] = [
  ['node-fetch 3', { Request: nodeFetch.Request, Response: nodeFetch.Response, fetch: nodeFetch.default }],
  ['node-fetch 2', { Request: two.Request, Response: two.Response, fetch: two }],
];

const COOKIES = ['a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT; Path=/', 'b=2', 'c="x=1"'];

async function served(
  handler: FetchApp,
  work: (call: (path: string) => Promise<Response>) => Promise<void>,
): Promise<void> {
  for (const app of [fromFetch(handler), copies(fromFetch(handler))]) {
    const server = await listening(app, { errors: () => {} });
    try {
      await work(server.call);
    } finally {
      server.close();
    }
  }
}

describe.each(LIBRARIES)('%s', (_name, { Request, Response, fetch: itsFetch }) => {
  test('a Response has each cookie by itself, its other headers and its body', async () => {
    const headers = [...COOKIES.map((cookie) => ['Set-Cookie', cookie]), ['X-A', '1']];
    const bodies = [
      () => 'text',
      () => Buffer.from('text'),
      () => Readable.from([Buffer.from('te'), Buffer.from('xt')]),
    ];
    for (const body of bodies) {
      await served((() => new Response(body(), { status: 201, headers })) as never, async (call) => {
        const answer = await call('/');
        expect([answer.status, answer.headers.get('x-a'), await answer.text()]).toEqual([201, '1', 'text']);
        expect(answer.headers.getSetCookie()).toEqual(COOKIES);
      });
    }
  });

  test('a Response without a body', async () => {
    await served((() => new Response(null, { status: 204 })) as never, async (call) => {
      expect((await call('/')).status).toBe(204);
    });
  });

  test('a Response that its fetch brought and decoded', async () => {
    const text = 'a text '.repeat(1000);
    const origin = createServer((_request, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(text));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => origin.once('listening', resolve));
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`;
    await served(
      () => itsFetch(url),
      async (call) => {
        const answer = await call('/');
        expect([answer.headers.get('content-encoding'), await answer.text()]).toEqual([null, text]);
      },
    );
    origin.close();
  });

  test('a Request reaches an application, its body too', async () => {
    const app: Application = async (environ, startResponse) => {
      startResponse('200 OK', [['X-Type', environ.CONTENT_TYPE ?? '']]);
      return [encode(`${environ.REQUEST_METHOD} ${environ.PATH_INFO} ${await environ['wsgi.input'].text()}`)];
    };
    const call = toFetch(app);
    for (const body of ['hello', Buffer.from('hello'), Readable.from([Buffer.from('hel'), Buffer.from('lo')])]) {
      const request = new Request('http://h/p?q', { method: 'POST', body, headers: { 'content-type': 'text/x' } });
      const answer = await call(request as never);
      expect([answer.headers.get('x-type'), await answer.text()]).toEqual(['text/x', 'POST /p hello']);
    }
    expect(await (await call(new Request('http://h/get') as never)).text()).toBe('GET /get ');
  });

  test('a Request with a body reaches a hosted handler, alone and behind a middleware', async () => {
    const handler = async (request: globalThis.Request) => new globalThis.Response(`got ${await request.text()}`);
    for (const app of [fromFetch(handler), copies(fromFetch(handler))]) {
      const request = new Request('http://h/', { method: 'POST', body: 'hello' });
      expect(await (await toFetch(app)(request as never)).text()).toBe('got hello');
    }
  });
});

test('a Request whose body is of no known kind is refused with words', async () => {
  const log: string[] = [];
  const call = toFetch(() => [], { errors: (text) => void log.push(text) });
  const request = { url: 'http://h/', method: 'POST', headers: new Headers(), body: { some: 'object' } };
  expect((await call(request as never)).status).toBe(500);
  expect(log.join('')).toContain(
    'The body of the Request is an Object; expected a ReadableStream, a Node stream, a Uint8Array or null.',
  );
});

test('a Response of the barest shape has the usual reason, and cookies that were joined are told apart', async () => {
  const headers = {
    get: () => null,
    forEach: (each: (value: string, name: string) => void) => each(COOKIES.join(', '), 'set-cookie'),
  };
  await served((() => ({ status: 201, headers })) as never, async (call) => {
    const answer = await call('/');
    expect([answer.status, answer.statusText, answer.headers.getSetCookie()]).toEqual([201, 'Created', COOKIES]);
  });
  await served((() => ({ status: 200, headers, body: 42 })) as never, async (call) => {
    expect((await call('/')).status).toBe(500);
  });
});
