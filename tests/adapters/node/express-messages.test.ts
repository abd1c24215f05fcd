// An Express app gets requests and responses that have its prototypes from the start, and are else the same.

import { mkdtempSync, rmSync } from 'node:fs';
import http, { IncomingMessage, ServerResponse } from 'node:http';
import { request as requestTls } from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import express5 from 'express';
// @ts-expect-error: Express 4 under a name of its own, and its types are those of 5.
import express4 from 'express4';
import Koa from 'koa';
import { describe, expect, it, test } from 'vitest';
import { toFetch } from 'waygate/fetch';
import { fromNode, type NodeApp, serve, serverOptions, toNode } from 'waygate/node';
import { certificate } from './certificate.ts';
import { behindMiddleware, listening, onFetch, onNode, type Way } from './hosting.ts';

type Express = typeof express5;
const VERSIONS: [string, Express][] = [
  ['Express 5', express5],
  ['Express 4', express4 as unknown as Express],
];

const silent = { errors: () => {} };

const byServe: Way = async (app, work) => {
  const { url, port, close } = await serve(fromNode(app), { port: 0, host: '127.0.0.1', signals: false, ...silent });
  try {
    await work((path, init) => fetch(url + path, init), port);
  } finally {
    await close();
  }
};
const byOptions: Way = (given, work) => {
  const app = fromNode(given);
  return listening(http.createServer(serverOptions(app), toNode(app, silent)), work);
};
const onHostedServer: Way = (app, work) => onFetch(http.createServer(app as http.RequestListener), work);

/** Each way beside the way in which the same listener gets objects of Node's own. */
const WAYS: [string, Way, Way][] = [
  ['by serve', byServe, onNode],
  ['with serverOptions', byOptions, onNode],
  ['behind a middleware', behindMiddleware, (app, work) => behindMiddleware(wrapped(app), work)],
  ['on a Fetch platform', onFetch, (app, work) => onFetch(wrapped(app), work)],
  ['as the listener of a hosted server', onHostedServer, (app, work) => onHostedServer(wrapped(app), work)],
];
const EACH = VERSIONS.flatMap(([version, express]) =>
  WAYS.map(([name, way, plain]): [string, Express, Way, Way] => [`${version} ${name}`, express, way, plain]),
);

/** The same listener, which cannot be known for an Express app. */
function wrapped(app: NodeApp): NodeApp {
  return (request, response) => (app as http.RequestListener)(request, response);
}

/** Tells of each call of an app whether its request and response have the app's prototypes by then. */
function watch(app: ReturnType<Express>): [request: boolean, response: boolean][] {
  const seen: [boolean, boolean][] = [];
  const { handle } = app as unknown as { handle: (...given: unknown[]) => unknown };
  Object.assign(app, {
    handle(request: object, response: object, next: unknown) {
      seen.push([Object.getPrototypeOf(request) === app.request, Object.getPrototypeOf(response) === app.response]);
      return handle.call(app, request, response, next);
    },
  });
  return seen;
}

const chain = (object: object): object[] => {
  const all: object[] = [];
  for (let at = Object.getPrototypeOf(object); at !== null; at = Object.getPrototypeOf(at)) all.push(at);
  return all;
};

/** All that code can see of an object's make. */
const looks = (object: IncomingMessage | ServerResponse): unknown => ({
  keys: Object.keys(object),
  own: Reflect.ownKeys(object).map(String),
  described: Object.entries(Object.getOwnPropertyDescriptors(object)).map(([name, { enumerable, writable, get }]) => [
    name,
    enumerable,
    writable,
    get === undefined,
  ]),
  inherited: chain(object).map((each) => Reflect.ownKeys(each).map(String)),
  inspected: inspect(object, { depth: -1 }),
  shown: [...inspect(object, { depth: 0 }).matchAll(/^ {2}(?:\S+): (?:\[(.+)\])?/gm)].map(([line]) => line),
  name: [object.constructor.name, Object.prototype.toString.call(object)],
  instance: [object instanceof IncomingMessage, object instanceof ServerResponse],
});

// The flag stays: V8 compiles a function when it is first called.
v8.setFlagsFromString('--allow-natives-syntax');
const haveSameMap = vm.runInThisContext('(one, other) => %HaveSameMap(one, other)') as (
  a: object,
  b: object,
) => boolean;

describe.each(EACH)('%s', (_name, express, way, plain) => {
  const looking = (): [ReturnType<Express>, unknown[]] => {
    const app = express();
    const seen: unknown[] = [];
    app.use(express.json());
    app.use((req, res) => {
      seen.push([looks(req), looks(res)]);
      res.json([req.body ?? null, req.ip === undefined]);
      seen.push([looks(req), looks(res)]);
    });
    return [app, seen];
  };

  it('gives the app its own prototypes from the start', async () => {
    const app = express();
    app.get('/', (_req, res) => void res.send('x'));
    const seen = watch(app);
    await way(app, async (call) => {
      await (await call('/')).text();
      await (await call('/missing')).text();
    });
    expect(seen).toEqual([
      [true, true],
      [true, true],
    ]);
    seen.length = 0;
    await plain(app, async (call) => void (await (await call('/')).text()));
    expect(seen).toEqual([[false, false]]);
  });

  it('shows the app and its middleware the same objects', async () => {
    const [app, seen] = looking();
    const post = { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } };
    const run = async (each: Way): Promise<unknown[]> => {
      const answers: unknown[] = [];
      await each(app, async (call) => {
        for (const init of [{}, post]) answers.push(await (await call('/', init)).json());
      });
      return [...answers, ...seen.splice(0)];
    };
    const expected = await run(plain);
    expect(expected.length).toBe(6);
    expect(await run(way)).toEqual(expected);
  });

  it('lets requests that go the same way have the same hidden class', async () => {
    const app = express();
    const requests: IncomingMessage[] = [];
    const responses: ServerResponse[] = [];
    app.get('/', (req, res) => {
      requests.push(req);
      responses.push(res);
      res.send('x');
    });
    await way(app, async (call) => {
      for (let time = 0; time < 20; time++) await (await call('/')).text();
    });
    const [request, response] = [requests[18] as object, responses[18] as object];
    expect([haveSameMap(request, requests[19] as object), haveSameMap(response, responses[19] as object)]).toEqual([
      true,
      true,
    ]);
  });
});

describe('serverOptions', () => {
  it.each<[string, NodeApp]>([
    ['a bare listener', (_request, response) => response.end()],
    ['a Koa app', new Koa().callback()],
    ['a function with members of these names', Object.assign(() => {}, { handle() {}, request: {}, response: {} })],
    ['a server', http.createServer(() => {})],
    ['a server with another listener', http.createServer(express5()).on('request', () => {})],
  ])('has nothing for %s', (_name, listener) => {
    expect(serverOptions(fromNode(listener))).toEqual({});
  });

  it('has nothing for an application that is not the Express app itself', () => {
    const app = fromNode(express5());
    expect(serverOptions((environ, startResponse) => app(environ, startResponse))).toEqual({});
  });
});

test('a client of HTTP/1.1 on a server of HTTP/2 over TLS has them too', async () => {
  const app = express5();
  app.get('/', (req, res) => void res.send(req.httpVersion));
  const seen = watch(app);
  const folder = mkdtempSync(join(tmpdir(), 'waygate-'));
  const { port, close } = await serve(fromNode(app), {
    port: 0,
    host: '127.0.0.1',
    tls: certificate(folder),
    http2: true,
    signals: false,
  });
  const body = await new Promise((resolve, reject) => {
    requestTls({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (response) => {
      response.on('data', (chunk) => resolve(String(chunk)));
    })
      .on('error', reject)
      .end();
  });
  await close();
  rmSync(folder, { recursive: true });
  expect([body, seen]).toEqual(['1.1', [[true, true]]]);
});

describe.each(VERSIONS)('%s with other prototypes', (_name, express) => {
  const asked = (app: NodeApp): Promise<string> => {
    let text = '';
    return byOptions(app, async (call) => {
      text = await (await call('/a')).text();
    }).then(() => text);
  };

  it('takes those that the app has at the time of the request', async () => {
    const app = express();
    app.use((req, res) => void res.send((req as unknown as { kind: string }).kind));
    const seen = watch(app);
    const call = toFetch(fromNode(app));
    await call('/');
    app.request = Object.create(app.request, { kind: { value: 'new' } });
    expect(await (await call('/')).text()).toBe('new');
    expect(seen).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  it('leaves the objects to Node where a prototype hides a member that Node writes or calls', async () => {
    const app = express();
    app.use((req, res) => void res.send(req.url));
    const ends: string[] = [];
    Object.defineProperty(app.request, 'url', { get: () => 'mine', set() {} });
    const end = function (this: ServerResponse, ...given: [never, never]) {
      ends.push('end');
      return ServerResponse.prototype.end.apply(this, given);
    };
    Object.assign(app.response, { end });
    const seen = watch(app);
    expect(await asked(app)).toBe('/a');
    expect(seen).toEqual([[false, false]]);
    expect(ends).toEqual(['end']);
    let refused = '';
    await byOptions(app, async (_call, port) => {
      const client = net.connect(port, '127.0.0.1');
      client.end('GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\nConnection: close\r\n\r\n');
      for await (const chunk of client) refused += chunk;
    });
    expect(refused).toMatch(/^HTTP\/1\.1 417 /);
    expect(ends).toEqual(['end']);
  });

  it('leaves them to Node where Node cannot write a member, found out later', async () => {
    const app = express();
    app.use((req, res) => void res.send(req.method));
    const seen = watch(app);
    const call = toFetch(fromNode(app));
    expect(await (await call('/')).text()).toBe('GET');
    Object.defineProperty(app.request, 'method', { get: () => 'mine', configurable: true });
    expect(await (await call('/')).text()).toBe('GET');
    expect(seen).toEqual([
      [true, true],
      [false, true],
    ]);
  });

  it('takes an app that is mounted in another', async () => {
    const [app, sub] = [express(), express()];
    app.request = Object.create(app.request, { kind: { value: 'parent' } });
    sub.use((req, res) => void res.send((req as unknown as { kind: string }).kind));
    app.use('/sub', sub);
    const seen = watch(sub);
    expect(await (await toFetch(fromNode(sub))('/')).text()).toBe('parent');
    expect(await (await toFetch(fromNode(app))('/sub')).text()).toBe('parent');
    expect(seen[0]).toEqual([true, true]);
  });
});
