// toNode mounted under a prefix by the routers that people use, each of which leaves something else on the request: the
// prefix is in SCRIPT_NAME, the rest in PATH_INFO, and the whole in REQUEST_URI. (ENV-05, ENV-06)

import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import middie from '@fastify/middie';
import connect from 'connect';
import express from 'express';
// @ts-expect-error it is Express 4 under another name, without types of its own
import express4 from 'express4';
import fastify from 'fastify';
import polka from 'polka';
import { createServer as createVite } from 'vite';
import { afterEach, describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { fromNode, toNode } from 'waygate/node';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const showing: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  const { SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI } = environ;
  return [encode(JSON.stringify([SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI]))];
};

/** Mounts a listener under `/api` in a server's listener. */
type Mounts = (listener: RequestListener) => RequestListener | Promise<RequestListener>;

const ROUTERS: [name: string, mounts: Mounts][] = [
  ['connect', (listener) => connect().use('/api', listener)],
  ['Express 5', (listener) => express().use('/api', listener)],
  ['Express 4', (listener) => express4().use('/api', listener)],
  ['a router of Express', (listener) => express().use('/api', express.Router().use(listener))],
  ['polka', (listener) => polka().use('/api', listener as never).handler as unknown as RequestListener],
  ['connect around Express', (listener) => connect().use('/api', express().use(listener) as never)],
  ['connect in connect', (listener) => connect().use(connect().use('/api', connect().use(listener) as never) as never)],
  [
    'Vite',
    async (listener) => {
      const vite = await createVite({
        configFile: false,
        appType: 'custom',
        logLevel: 'silent',
        server: { middlewareMode: true, ws: false },
        optimizeDeps: { noDiscovery: true },
      });
      ending.push(() => vite.close());
      vite.middlewares.use('/api', listener as never);
      return vite.middlewares;
    },
  ],
  [
    'middie',
    async (listener) => {
      const app = fastify();
      await app.register(middie);
      app.use('/api', listener as never);
      await app.ready();
      ending.push(() => app.close());
      return (request, response) => void app.server.emit('request', request, response);
    },
  ],
];

async function listening(listener: RequestListener): Promise<number> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ending.push(() => server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

/** The JSON of an answer to a target that is sent as it stands. */
function ask(port: number, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', path, agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      try {
        resolve(JSON.parse(text));
      } catch {
        reject(new Error(`${response.statusCode}: ${text}`));
      }
    });
    request.on('error', reject).end();
  });
}

describe.each(ROUTERS)('%s', (_name, mounts) => {
  test('leaves the prefix to SCRIPT_NAME', async () => {
    const port = await listening(await mounts(toNode(showing)));
    const cases: [target: string, parts: [script: string, path: string, query: string]][] = [
      ['/api/users', ['/api', '/users', '']],
      ['/api/users?a=/b', ['/api', '/users', 'a=/b']],
      ['/api/', ['/api', '/', '']],
      ['/api', ['/api', '/', '']],
      ['/api?a=1', ['/api', '/', 'a=1']],
      ['/api/a%20b%2Fc', ['/api', '/a b/c', '']],
      ['/api/api/x', ['/api', '/api/x', '']],
    ];
    for (const [target, parts] of cases) expect(await ask(port, target), target).toEqual([...parts, target]);
  });

  test('leaves it to the environ of a hosted listener as well', async () => {
    const hosted = fromNode((request, response) => {
      const { SCRIPT_NAME, PATH_INFO, REQUEST_URI } = request.environ;
      response.end(JSON.stringify([request.url, SCRIPT_NAME, PATH_INFO, REQUEST_URI]));
    });
    const port = await listening(await mounts(toNode(hosted)));
    expect(await ask(port, '/api/users?b')).toEqual(['/users?b', '/api', '/users', '/api/users?b']);
  });
});

describe('what is not a mount', () => {
  const at = (url: string, more: object): Promise<number> =>
    listening((request, response) => {
      Object.assign(request, { originalUrl: request.url, url }, more);
      toNode(showing)(request, response);
    });

  test('a URL that was rewritten to something else leaves SCRIPT_NAME to baseUrl', async () => {
    expect(await ask(await at('/index.html', {}), '/deep/page')).toEqual(['', '/index.html', '', '/deep/page']);
    const mounted = await at('/index.html', { baseUrl: '/app' });
    expect(await ask(mounted, '/app/page')).toEqual(['/app', '/index.html', '', '/app/page']);
  });

  test('half a segment is not a prefix', async () => {
    expect(await ask(await at('pi/x', {}), '/api/x').catch((error: Error) => error.message)).toMatch(/^400/);
    expect(await ask(await at('/x', {}), '/api/y/x')).toEqual(['/api/y', '/x', '', '/api/y/x']);
  });

  test.each(['//evil.example/x', '/%2fevil.example/x', '/%2Fevil.example/x'])('%s gives no prefix', async (target) => {
    expect(await ask(await at('/x', {}), target)).toEqual(['', '/x', '', target]);
  });

  test('the absolute form has its prefix in its path', async () => {
    const port = await listening(connect().use('/api', toNode(showing)));
    const target = 'http://other.example/api/users';
    const seen = (await ask(port, target)) as string[];
    expect(seen.slice(0, 2)).toEqual(['/api', '/users']);
  });
});
