// The passthrough of a hosted listener behind middleware: it gets the platform's own request only while environ shows that
// request as it is. Node's own parser makes the requests, and every change that a listener could see closes the way.

import { mkdtempSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Application, Environ } from 'waygate';
import { fromNode, toNode } from 'waygate/node';
import { NodeCall } from '../../../adapters/node/call.ts';
import { NodeGateway } from '../../../adapters/node/gateway.ts';
import { raw } from './http-client.ts';

const app: Application = () => [];
const gateway = new NodeGateway(app, { errors: () => {} });

/** What is done with the next request. */
let look: (call: NodeCall, environ: Environ, request: IncomingMessage) => void = () => {};
let failure: unknown;
const server = http.createServer({ requireHostHeader: false }, (request, response) => {
  const call = new NodeCall(gateway, request, response, null);
  try {
    look(call, call.makeEnviron(), request);
  } catch (error) {
    failure = error;
  }
  response.end();
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function ask(head: string[], then: typeof look): Promise<void> {
  look = then;
  failure = undefined;
  const { port } = server.address() as net.AddressInfo;
  await raw({ port, host: '127.0.0.1' }, Buffer.from(`${head.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1'));
  if (failure !== undefined) throw failure;
}

const LINES = [
  'Host: x',
  'Host: x',
  'Content-Length: 0',
  'Content-Type: a/b',
  'X-Many: 1',
  'x-many: 2',
  'X_Dropped: 1',
  'Proxy: x',
  'Cookie: a=1',
  'cookie: b=2',
  '__proto__: x',
];
const TARGETS = ['/', '/a?b=%20', '/caf%C3%A9', '//a', '/a?', '/%2F/x', 'http://h/x?y'];

const request = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PURGE'),
    target: fc.oneof(
      fc.constantFrom(...TARGETS),
      fc.webPath({ size: 'small' }).filter((path) => !path.includes('%00')),
    ),
    version: fc.constantFrom('1.1', '1.1', '1.0'),
    lines: fc.array(fc.constantFrom(...LINES), { maxLength: 6 }),
  })
  .map(({ method, target, version, lines }) => [`${method} ${target || '/'} HTTP/${version}`, ...lines]);

test('a request whose environ nobody has changed may pass', async () => {
  await fc.assert(
    fc.asyncProperty(request, (head) => ask(head, (call, environ) => expect(call.isUnchanged(environ)).toBe(true))),
    { numRuns: 150 },
  );
});

/** All that a listener can see of its request: each is another than it was. */
const CHANGES: Record<string, (environ: Environ, request: IncomingMessage) => void> = {
  method: (environ) => {
    environ.REQUEST_METHOD = 'PATCH';
  },
  'mount point': (environ) => {
    environ.SCRIPT_NAME += '/x';
  },
  path: (environ) => {
    environ.PATH_INFO += '/x';
  },
  query: (environ) => {
    environ.QUERY_STRING += '&x';
  },
  target: (environ) => {
    environ.REQUEST_URI += 'x';
  },
  version: (environ) => {
    environ.SERVER_PROTOCOL = 'HTTP/2';
  },
  scheme: (environ) => {
    environ['wsgi.url_scheme'] = 'https';
  },
  'name of the server': (environ) => {
    environ.SERVER_NAME = 'example.com';
  },
  'port of the server': (environ) => {
    environ.SERVER_PORT = '1';
  },
  'address of the client': (environ) => {
    environ.REMOTE_ADDR = '203.0.113.1';
  },
  'port of the client': (environ) => {
    delete environ.REMOTE_PORT;
  },
  'headers: one more': (environ) => {
    environ.HTTP_X_MORE = '1';
  },
  'headers: one less': (environ) => {
    delete environ.HTTP_CONNECTION;
  },
  'the value of a header': (environ) => {
    environ.HTTP_CONNECTION = 'keep-alive';
  },
  'content type': (environ) => {
    environ.CONTENT_TYPE = 'x/y';
  },
  'content length': (environ) => {
    environ.CONTENT_LENGTH = '9';
  },
  body: (environ) => {
    environ['wsgi.input'] = Object.create(environ['wsgi.input']);
  },
  'the request itself': (environ) => {
    environ['node.request'] = Object.create(environ['node.request'] as object);
  },
  'the response itself': (environ) => {
    environ['node.response'] = {} as never;
  },
  'URL of the request': (_environ, request) => {
    request.url += 'x';
  },
  'method of the request': (_environ, request) => {
    request.method = 'PATCH';
  },
};

test.each(Object.entries(CHANGES))('a request does not pass once this has changed: %s', async (_what, change) => {
  await fc.assert(
    fc.asyncProperty(request, (head) =>
      ask(head, (call, environ, request) => {
        change(environ, request);
        expect(call.isUnchanged(environ)).toBe(false);
      }),
    ),
    { numRuns: 15 },
  );
});

test('a key that no listener sees on its request leaves the way open', async () => {
  await ask(['GET / HTTP/1.1', 'Host: x'], (call, environ) => {
    environ['app.user'] = 'x';
    environ.REMOTE_USER = 'x';
    expect(call.isUnchanged(environ)).toBe(true);
  });
});

test('a listener behind a middleware sees the address that the middleware has set where the connection has none', async () => {
  const inner = fromNode((request, response) => response.end(String(request.socket.remoteAddress)));
  const changed: Application = (environ, startResponse) => {
    environ.REMOTE_ADDR = '203.0.113.1';
    return inner(environ, startResponse);
  };
  const path = join(mkdtempSync(join(tmpdir(), 'waygate-')), 'socket');
  const unix = http.createServer(toNode(changed));
  await new Promise<void>((resolve) => unix.listen(path, resolve));
  try {
    const body = await new Promise<string>((resolve, reject) => {
      const get = http.get({ socketPath: path, path: '/', agent: false }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      });
      get.on('error', reject);
    });
    expect(body).toBe('203.0.113.1');
  } finally {
    unix.close();
  }
});
