// What is refused before any application or listener sees it, by one list of rules: a hosted listener, which gets the
// platform's own request by a short cut, is never called for what an application would be spared.

import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import type net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { fromNode, type ServeOptions, serve } from 'waygate/node';
import { NodeCall } from '../../../adapters/node/call.ts';
import { NodeGateway } from '../../../adapters/node/gateway.ts';
import { needsNoGateway } from '../../../adapters/node/passthrough.ts';
import { raw } from './http-client.ts';

const seen: string[] = [];
const app: Application = (environ, startResponse) => {
  seen.push(`app ${environ.REQUEST_METHOD}`);
  startResponse('200 OK', []);
  return [encode('served')];
};
/** Fails as late as it can, and looks at its environ where no error handler is near. */
const failing = fromNode(async (request: IncomingMessage) => {
  seen.push(`hosted ${request.method}`);
  await new Promise((resolve) => setImmediate(resolve));
  throw new Error(String((request as unknown as { environ: Environ }).environ.REQUEST_METHOD));
});

type Running = Awaited<ReturnType<typeof serve>>;
let ports: [kind: string, port: number][] = [];
const servers: Running[] = [];
const start = async (what: Application, options: ServeOptions = {}): Promise<Running> => {
  const served = await serve(what, { port: 0, host: '127.0.0.1', signals: false, errors: () => {}, ...options });
  servers.push(served);
  return served;
};

beforeAll(async () => {
  ports = [
    ['app', (await start(app)).port],
    ['hosted', (await start(failing)).port],
  ];
});
afterAll(async () => {
  for (const served of servers.splice(0)) await served.close();
});

/** The status line's code for a request that is sent as it stands, or 0 where the connection ends without one. */
async function statusOf(port: number, request: string): Promise<number> {
  const answer = Buffer.from(await raw({ port, host: '127.0.0.1' }, Buffer.from(request, 'latin1'))).toString('latin1');
  return Number(/^HTTP\/1\.1 ([0-9]+)/.exec(answer)?.[1] ?? 0);
}

const many = 'a:\r\n'.repeat(1005);
const close = 'Connection: close\r\n';

describe('a request that cannot be served', () => {
  test.each<[what: string, request: string, status: number]>([
    [
      'a length that no number can hold',
      `POST / HTTP/1.1\r\nHost: x\r\n${close}Content-Length: 9007199254740993\r\n\r\n`,
      400,
    ],
    [
      'another coding behind more headers than Node reads',
      `POST / HTTP/1.1\r\nHost: x\r\n${close}${many}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      431,
    ],
    ['another coding', `POST / HTTP/1.1\r\nHost: x\r\n${close}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
    ['a second Host behind many headers', `GET / HTTP/1.1\r\nHost: x\r\n${close}${many}Host: y\r\n\r\n`, 431],
    ['more headers than Node reads', `GET / HTTP/1.1\r\nHost: x\r\n${close}${many}\r\n`, 431],
    ['two different hosts', `GET / HTTP/1.1\r\nHost: x\r\n${close}Host: y\r\n\r\n`, 400],
    ['two different types', `GET / HTTP/1.1\r\nHost: x\r\n${close}Content-Type: a/b\r\ncontent-type: c/d\r\n\r\n`, 400],
    ['a NUL in the path', `GET /%00 HTTP/1.1\r\nHost: x\r\n${close}\r\n`, 400],
    ['a target of no form', `GET x HTTP/1.1\r\nHost: x\r\n${close}\r\n`, 400],
    ['HTTP/2.0 by name', `GET / HTTP/2.0\r\nHost: x\r\n${close}\r\n`, 505],
    ['a coding in HTTP/1.0', `POST / HTTP/1.0\r\n${close}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ...[
      'good.com@evil.com',
      'a b',
      'a\tb',
      '<script>',
      'a/b',
      'a?b',
      'a#b',
      '"a"',
      'a\\b',
      '[::1',
      '[1::2::3]',
      '[::1]x',
      'a:80:80',
      'a:b',
      'caf\xe9',
      'a%zz',
    ].map((host): [string, string, number] => [
      `the host ${JSON.stringify(host)}`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n`,
      400,
    ]),
  ])('%s', async (_what, request, status) => {
    seen.length = 0;
    for (const [kind, port] of ports) expect(await statusOf(port, request), kind).toBe(status);
    expect(seen).toEqual([]);
  });

  test.each([
    '',
    'x',
    'x:',
    'x:80',
    'a_b.example',
    '127.0.0.1:8000',
    '[::1]',
    '[::1]:8000',
    '[::ffff:1.2.3.4]',
    'caf%C3%A9',
    '*',
  ])('the host %j is none', async (host) => {
    const status = await statusOf(ports[0]?.[1] as number, `GET / HTTP/1.1\r\nHost: ${host}\r\n${close}\r\n`);
    expect(status).toBe(200);
  });

  test('is one with as many headers as the server reads, whatever that is', async () => {
    const { port, server } = await start(app);
    (server as http.Server).maxHeadersCount = 10;
    const request = (lines: number) => `GET / HTTP/1.1\r\nHost: x\r\n${close}${'a:\r\n'.repeat(lines)}\r\n`;
    expect(await statusOf(port, request(7))).toBe(200);
    expect(await statusOf(port, request(9))).toBe(431);
    (server as http.Server).maxHeadersCount = 0;
    expect(await statusOf(port, request(2500))).toBe(200);
  });

  test('over HTTP/2: an authority that is not a host', async () => {
    const { port } = await start(app, { http2: true });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const outcome = (authority: string): Promise<unknown> =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': '/', ':authority': authority });
        stream.resume().once('response', (head) => resolve(head[':status']));
        stream.once('error', () => resolve('reset'));
      });
    // From version 22 on Node's own parser refuses some of them, with a reset.
    expect([400, 'reset']).toContain(await outcome('good.com@evil.com'));
    expect(await outcome('a:b')).toBe(400);
    expect(await outcome('x:80')).toBe(200);
    session.close();
  });
});

/** Pieces of which a request may be made, right and wrong. */
const METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PURGE'];
const TARGETS = [
  '/',
  '/a',
  '//a',
  '/%00',
  '/a%2500',
  '/%zz',
  '/a?b',
  '*',
  'http://h/x',
  'http://',
  'x',
  '/a/../b',
  '/%2e%2e/x',
  '/.',
  '/a#b',
  '/%',
  '/\\x',
];
const LINES = [
  'Host: x',
  'host: y',
  'Host: a b',
  'Host: u@h',
  'Host:',
  'Content-Length: 3',
  'Content-Length: 9007199254740993',
  'Content-Length: 0',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: Chunked',
  'transfer-encoding: identity',
  'Content-Type: a/b',
  'content-type: c/d',
  'Content_Type: e/f',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'Connection: upgrade',
  'Proxy: x',
  'X-Many: 1',
  'Cookie: a=1',
  '__proto__: x',
  'constructor: y',
  'Trailer: x',
  'TE: trailers',
];

describe('the short cut of a hosted listener', () => {
  test('passes nothing that making an environ would refuse', async () => {
    const outcomes: string[] = [];
    let ordinary = 0;
    const gateway = new NodeGateway(app, { errors: () => {} });
    // Node's own parser and server make the requests; both ways are then tried on the same one.
    const listener = (request: IncomingMessage, response: http.ServerResponse): void => {
      const passes = needsNoGateway(request);
      if (passes) ordinary++;
      try {
        new NodeCall(gateway, request, response, null).makeEnviron();
      } catch {
        if (passes) outcomes.push(`${request.method} ${request.url} ${request.rawHeaders.join('|')}`);
      }
      response.end();
    };
    const server = http.createServer({ requireHostHeader: false, insecureHTTPParser: true }, listener);
    server.on('checkContinue', listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    const request = fc.record({
      method: fc.constantFrom(...METHODS),
      target: fc.oneof(
        fc.constantFrom(...TARGETS),
        fc.webPath(),
        fc.string({ maxLength: 12 }).map((text) => `/${text.replace(/[\s]/g, '')}`),
      ),
      version: fc.constantFrom('1.1', '1.1', '1.1', '1.0', '2.0', '0.9'),
      lines: fc.array(
        fc.oneof(
          fc.constantFrom(...LINES),
          fc
            .tuple(fc.constantFrom('Host', 'Content-Length', 'Content-Type', 'X-A'), fc.string({ maxLength: 8 }))
            .map(([name, value]) => `${name}: ${value}`),
        ),
        { maxLength: 6 },
      ),
      padding: fc.constantFrom(0, 0, 0, 0, 999, 1005, 1100),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, target, version, lines, padding }) => {
        const head = [
          `${method} ${target} HTTP/${version}`,
          'Connection: close',
          ...Array(padding).fill('a:'),
          ...lines,
        ];
        await raw({ port, host: '127.0.0.1' }, Buffer.from(`${head.join('\r\n')}\r\n\r\n0\r\n\r\n`, 'latin1'));
        expect(outcomes).toEqual([]);
      }),
      { numRuns: 400 },
    );
    server.close();
    server.closeAllConnections();
    expect(ordinary).toBeGreaterThan(20);
  });
});
