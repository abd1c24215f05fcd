// The validator between every adapter and an application that uses much of the contract: neither side is at fault. And
// around every kind of hosted app, as the application that it has become.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { fromLambda, toLambda } from 'waygate/aws-lambda';
import { toWorker } from 'waygate/cloudflare-workers';
import { fromFetch, toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { fromNode, toNode } from 'waygate/node';

let said: string[] = [];
const options = {
  errors: (text: string) => void said.push(text),
  onError: (error: unknown) => void said.push(String(error)),
};

/** Reads its input by line and by size, streams it back, and closes its body. */
const app: Application = async (environ, startResponse) => {
  const input = environ['wsgi.input'];
  const parts = [await input.readline(3), await input.read(2)];
  for await (const line of input) parts.push(line);
  startResponse('200 OK', [
    ['Content-Type', 'text/plain'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  return Object.assign(stream(parts), { close: () => {} });
};

async function* stream(parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield encode('read: ');
  for (const part of parts) yield part;
}

const checked = validator(validator(app));
const REQUESTS: [name: string, path: string, init: RequestInit, text: string][] = [
  ['GET', '/caf%C3%A9/a%2Fb?x=1&y=%20', { headers: { Cookie: 'a=1', 'X-Empty': '' } }, 'read: '],
  ['POST', '/', { method: 'POST', body: 'one\ntwo\nthree' }, 'read: one\ntwo\nthree'],
  ['PUT of nothing', '/', { method: 'PUT', body: '' }, 'read: '],
  ['DELETE', '/thing', { method: 'DELETE' }, 'read: '],
];

async function expectSilence(response: Response | Promise<Response>, text: string): Promise<void> {
  expect(await (await response).text()).toBe(text);
  expect(said).toEqual([]);
}

describe('adapters', () => {
  const server = createServer(toNode(checked, options));
  beforeAll(() => new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening)));
  afterAll(() => void server.close());

  test.each(REQUESTS)('toNode: %s', async (_name, path, init, text) => {
    said = [];
    await expectSilence(fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init), text);
  });

  test.each(REQUESTS)('toFetch: %s', async (_name, path, init, text) => {
    said = [];
    await expectSilence(toFetch(checked, options)(path, init), text);
    await expectSilence(toFetch(checked, { ...options, basePath: '/thing' })(path, init), text);
  });

  test.each(REQUESTS)('toWorker: %s', async (_name, path, init, text) => {
    said = [];
    const request = new Request(`https://worker.test${path}`, init);
    await expectSilence(toWorker(checked, options).fetch(request, {}, { waitUntil: () => {} }), text);
  });

  const folder = new URL('../../cases/', import.meta.url);
  const cases = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as { file: string; expect: unknown }[];
  test.each(cases.filter((each) => each.expect))('toLambda: $file', async ({ file }) => {
    said = [];
    const event = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    await toLambda(checked, options)(event, {} as never);
    // One of AWS's samples has a blank to be filled in for a host name, which the validator notices.
    expect(said.filter((text) => !text.includes('<url-id>'))).toEqual([]);
  });
});

describe('hosted apps', () => {
  const fetchHandler = async (request: Request): Promise<Response> =>
    new Response(`read: ${await request.text()}`, {
      headers: [
        ['Content-Type', 'text/plain'],
        ['Set-Cookie', 'a=1'],
      ],
    });
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('Content-Type', 'text/plain');
    response.write('read: ');
    for await (const chunk of request) response.write(chunk);
    response.end();
  };
  const hosted: Record<string, Application> = {
    fromFetch: fromFetch(fetchHandler),
    fromNode: fromNode(listener),
    'fromLambda, HTTP API': fromLambda(toLambda(app, options), { source: 'http-api' }),
    'fromLambda, REST API': fromLambda(toLambda(app, options), { source: 'rest-api' }),
    'fromLambda, load balancer': fromLambda(toLambda(app, options), { source: 'alb' }),
  };
  const all = Object.entries(hosted).flatMap(([name, each]) =>
    REQUESTS.map((request) => [name, request[0], each, request] as const),
  );
  test.each(all)('%s: %s', async (_name, _request, each, [, path, init, text]) => {
    said = [];
    await expectSilence(toFetch(validator(each), options)(path, init), text);
  });
});
