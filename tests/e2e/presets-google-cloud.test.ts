// toGoogleCloud in Google's own Functions Framework, over a socket.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { toGoogleCloud } from 'waygate/google-cloud';
import { fromNode } from 'waygate/node';
import { conformance } from 'waygate/testing';
import { overSocket } from '../adapters/node/http-client.ts';
import { googleCloud } from './presets/capabilities.ts';
import { packages } from './presets/tools.ts';

interface Framework {
  http(name: string, handler: unknown): void;
  cloudEvent(name: string, handler: unknown): void;
}

const require = packages('.');
const functions = require('@google-cloud/functions-framework') as Framework;
const testing = require('@google-cloud/functions-framework/testing') as { getTestServer(name: string): Server };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Serves the function of that name with the framework. */
async function listen(name: string): Promise<{ port: number; close(): void }> {
  const server = testing.getTestServer(name);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

/** Serves an application; `fetch` with a path. */
async function site(
  app: Application,
  options?: object,
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  functions.http('app', toGoogleCloud(app, options));
  const { port, close } = await listen('app');
  closing.push(close);
  return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
}

conformance(
  'toGoogleCloud in the Functions Framework',
  async (app, options) => {
    functions.http('app', toGoogleCloud(app, options));
    const { port, close } = await listen('app');
    return { fetch: overSocket(port, close).fetch, close };
  },
  { describe, it, capabilities: googleCloud },
);

/** Answers with the body as it came, and keeps the environ. */
function echo(seen: Environ[]): Application {
  return async (environ, startResponse) => {
    seen.push(environ);
    const body = await environ['wsgi.input'].bytes();
    startResponse('200 OK', [['Content-Type', 'application/octet-stream']]);
    return [body];
  };
}

const BINARY = new Uint8Array([0, 255, 254, 13, 10, 128]);

describe('a body that the framework has read already', () => {
  it.each([
    ['application/json', '{"a": [1,  2]}\n'],
    ['application/x-www-form-urlencoded', 'b=2&a=1&a=%20'],
    ['text/plain', 'Grüße\r\n'],
    ['application/octet-stream', BINARY],
    ['application/cloudevents+json', '{"specversion":"1.0"}'],
    ['multipart/form-data; boundary=x', '--x\r\n\r\n--x--\r\n'],
  ])('%s is there byte for byte, and its length is known', async (type, body) => {
    const seen: Environ[] = [];
    const ask = await site(echo(seen));
    const response = await ask('/', { method: 'POST', body, headers: { 'Content-Type': type } });
    const sent = typeof body === 'string' ? encode(body) : body;
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(sent);
    expect(seen[0]).toMatchObject({ CONTENT_TYPE: type, CONTENT_LENGTH: String(sent.byteLength) });
  });

  it('reaches an Express app behind fromNode', async () => {
    const app = express()
      .use(express.json())
      .post('/sum', (request, response) => {
        response.json(request.body.a + request.body.b);
      });
    const ask = await site(fromNode(app));
    const headers = { 'Content-Type': 'application/json' };
    expect(await (await ask('/sum', { method: 'POST', body: '{"a":1,"b":2}', headers })).json()).toBe(3);
  });

  it('is a 413 beyond maxBodyBytes', async () => {
    const ask = await site(echo([]), { maxBodyBytes: 4 });
    const headers = { 'Content-Type': 'text/plain' };
    expect((await ask('/', { method: 'POST', body: '12345', headers })).status).toBe(413);
  });
});

it('the client is the last of X-Forwarded-For, and the scheme that of the front end', async () => {
  const seen: Environ[] = [];
  const ask = await site(echo(seen));
  await ask('/a?b', {
    headers: {
      'X-Forwarded-For': '203.0.113.9, 192.0.2.1',
      'X-Forwarded-Proto': 'https',
      'Function-Execution-Id': 'abc123',
    },
  });
  expect(seen[0]).toMatchObject({
    'waygate.gateway': 'google-cloud',
    REMOTE_ADDR: '192.0.2.1',
    'wsgi.url_scheme': 'https',
    HTTPS: 'on',
    SERVER_PORT: '443',
    'wsgi.multiprocess': true,
    'waygate.request_id': 'abc123',
  });
  expect(seen[0]).not.toHaveProperty('REMOTE_PORT');
  expect(seen[0]?.['node.request']?.url).toBe('/a?b');
});

it('without a front end the connection says who the client is', async () => {
  const seen: Environ[] = [];
  const ask = await site(echo(seen));
  await ask('/', { headers: { 'X-Forwarded-For': 'not an address' } });
  expect(seen[0]).toMatchObject({ REMOTE_ADDR: '127.0.0.1', 'wsgi.url_scheme': 'http' });
});

describe('the response ends when the work after it has', () => {
  it.each([
    ['an array', (chunks: Uint8Array[]) => chunks],
    [
      'a generator',
      async function* (chunks: Uint8Array[]) {
        yield* chunks;
      },
    ],
  ])('%s', async (_name, body) => {
    let done = false;
    const ask = await site((environ, startResponse) => {
      environ['waygate.wait_until'](
        new Promise<void>((resolve) => setTimeout(resolve, 50)).then(() => {
          done = true;
        }),
      );
      startResponse('200 OK', []);
      return body([encode('sent')]);
    });
    expect(await (await ask('/')).text()).toBe('sent');
    expect(done).toBe(true);
  });
});

it('registered for events, the handler says that it serves HTTP functions', async () => {
  functions.cloudEvent('event', toGoogleCloud(echo([])));
  const { port, close } = await listen('event');
  closing.push(close);
  const headers = {
    'Content-Type': 'application/json',
    'ce-specversion': '1.0',
    'ce-type': 'a.b',
    'ce-source': '/c',
    'ce-id': '1',
  };
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{"a":1}', headers });
  expect(response.status).toBe(500);
  // The framework shows the error of a function outside of production.
  expect(await response.text()).toMatch(
    /toGoogleCloud made was called with a CloudEvent \(Google Cloud\); expected .*functions\.http\(/,
  );
});
