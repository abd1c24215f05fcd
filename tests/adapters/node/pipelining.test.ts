// Requests that a client sends ahead of the answers: how many run at once, and what a response does before its turn.

import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import connect from 'connect';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Application, type ApplicationBody, encode } from 'waygate';
import {
  type ConnectMiddleware,
  fromConnect,
  fromNode,
  type RunningServer,
  type ServeOptions,
  serve,
  toConnect,
  toNode,
} from 'waygate/node';
import { Conversation, raw } from './http-client.ts';

const running: RunningServer[] = [];
afterEach(async () => {
  for (const served of running.splice(0)) await served.close();
});

async function start(app: Application, options: ServeOptions = {}): Promise<number> {
  const served = await serve(app, {
    port: 0,
    host: '127.0.0.1',
    signals: false,
    shutdownTimeout: 0,
    errors: () => {},
    ...options,
  });
  running.push(served);
  return served.port;
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('of the requests on one connection', () => {
  let now = 0;
  let most = 0;
  const counting = async (): Promise<void> => {
    now++;
    most = Math.max(most, now);
    await wait(2);
    now--;
  };
  const app: Application = async (environ, startResponse) => {
    await counting();
    startResponse('200 OK', []);
    return [encode(`<${environ.PATH_INFO}>`)];
  };
  const hosted = fromNode(async (request: http.IncomingMessage, response: http.ServerResponse) => {
    await counting();
    response.end(`<${request.url}>`);
  });

  test.each<[string, Application, ServeOptions, number]>([
    ['16, by default', app, {}, 16],
    ['16 of a hosted listener', hosted, {}, 16],
    ['as many as maxPipelined says', app, { maxPipelined: 3 }, 3],
    ['one alone, if it says so', app, { maxPipelined: 1 }, 1],
  ])('%s run at once, and all are answered in their order', async (_what, what, options, limit) => {
    [now, most] = [0, 0];
    const port = await start(what, options);
    const client = new Conversation(port);
    const count = limit === 1 ? 200 : 2000;
    for (let at = 0; at < count; at++) client.send(get(`/${at}`));
    await client.until(`</${count - 1}>`);
    const order = [...client.received.matchAll(/<\/([0-9]+)>/g)].map(([, at]) => Number(at));
    expect(order).toEqual([...Array(count).keys()]);
    expect(most).toBeLessThanOrEqual(limit);
    expect(most).toBeGreaterThan(limit / 2);
    // The connection goes on as any other.
    client.send(get('/more'));
    await client.until('</more>');
    client.socket.destroy();
  });

  test('those of a client that has gone are never called', async () => {
    let calls = 0;
    const port = await start(
      async (_environ, startResponse) => {
        calls++;
        await wait(100);
        startResponse('200 OK', []);
        return [];
      },
      { maxPipelined: 2 },
    );
    const client = new Conversation(port);
    client.send(get('/').repeat(50));
    await wait(50);
    client.socket.destroy();
    await wait(300);
    expect(calls).toBeLessThanOrEqual(4);
  });

  test('a limit that is none is refused', async () => {
    for (const wrong of [0, Number.NaN, '5', -1]) {
      await expect(serve(app, { maxPipelined: wrong as number })).rejects.toThrow(/maxPipelined/);
    }
  });
});

describe('before its turn', () => {
  const passes: ConnectMiddleware = (_request, _response, next) => next();

  /** `/slow` answers in two pieces; whatever else comes behind it. */
  const slow =
    (behind: Application): Application =>
    (environ, startResponse) => {
      if (environ.PATH_INFO !== '/slow') return behind(environ, startResponse);
      startResponse('200 OK', [['Content-Length', '8']]);
      return (async function* () {
        yield encode('slow');
        await wait(100);
        yield encode('done');
      })();
    };

  test.each<[string, Application]>([
    [
      'an application’s',
      (_environ, startResponse) => {
        startResponse('200 OK', [['Content-Length', '50']]);
        return (function* () {
          yield encode('short');
        })();
      },
    ],
    [
      'a listener’s',
      fromNode((_request: http.IncomingMessage, response: http.ServerResponse) => {
        response.writeHead(200, { 'Content-Length': 50 });
        response.write('short');
        throw new Error('short');
      }),
    ],
  ])('a response that fails waits, and then ends the connection: %s (ERR-04)', async (_what, behind) => {
    const port = await start(slow(behind));
    const answer = Buffer.from(
      await raw({ port, host: '127.0.0.1' }, Buffer.from(get('/slow') + get('/short'))),
    ).toString();
    expect(answer).toMatch(/slowdone/);
    expect(answer).toMatch(/slowdoneHTTP\/1\.1 200 OK\r\n.*short$/s);
  });

  test.each<[string, Application]>([
    ['a listener’s', fromNode((_request: http.IncomingMessage, response: http.ServerResponse) => response.destroy())],
    [
      'a listener’s that has begun',
      fromNode((_request: http.IncomingMessage, response: http.ServerResponse) => {
        response.write('short');
        response.destroy(new Error('planned'));
      }),
    ],
    [
      'an application’s',
      (environ, startResponse) => {
        (environ['node.response'] as http.ServerResponse).destroy();
        startResponse('200 OK', []);
        return [encode('never sent')];
      },
    ],
  ])('a response that is destroyed ends the connection in its turn: %s (ERR-04)', async (_what, behind) => {
    const port = await start(slow(behind));
    const client = new Conversation(port);
    const closed = new Promise<string>((resolve) => client.socket.once('close', () => resolve('closed')));
    // The client keeps its side open: it is the server's to end.
    client.send(get('/slow') + get('/destroyed') + get('/behind'));
    expect(await Promise.race([closed, wait(3000)])).toBe('closed');
    expect(client.received).toMatch(/slowdone/);
    expect(client.received).not.toMatch(/never sent|0\r\n\r\n$/);
  });

  test.each<[string, (app: Application) => http.RequestListener]>([
    ['an application', (app) => toNode(app)],
    ['an application among connect functions', (app) => toNode(fromConnect(passes)(app))],
    ['a middleware among the handlers of a framework', (app) => connect().use(toConnect(() => app))],
  ])('%s is closed when its client leaves', async (_what, make) => {
    let closed = 0;
    let asked = 0;
    const waits: Application = async (environ, startResponse) => {
      asked++;
      await wait(environ.PATH_INFO === '/early' ? 0 : 50);
      startResponse('200 OK', []);
      const body = (async function* () {
        for (;;) {
          yield new Uint8Array(100_000);
          await wait(1);
        }
      })();
      return Object.assign(body, { close: () => closed++ }) as unknown as ApplicationBody;
    };
    const server = http.createServer(make(waits)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const client = new Conversation((server.address() as net.AddressInfo).port);
      for (const path of ['/first', '/early', '/late']) client.send(get(path));
      await vi.waitFor(() => expect(asked).toBe(3));
      await wait(10);
      client.socket.resetAndDestroy();
      await vi.waitFor(() => expect(closed).toBe(3));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('neither a 100 nor a 103 lands in the middle of another response', async () => {
    const port = await start(
      slow(async (environ, startResponse) => {
        environ['waygate.early_hints']?.([['Link', '</a>; rel=preload']]);
        const body = await environ['wsgi.input'].text();
        startResponse('200 OK', []);
        return [encode(`<${body}>`)];
      }),
    );
    const client = new Conversation(port);
    client.send(get('/slow'));
    await client.until('slow');
    client.send('POST /behind HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
    await client.until('HTTP/1.1 100 Continue');
    client.send('body');
    await client.until('<body>');
    client.socket.destroy();
    expect(client.received).toMatch(/slowdoneHTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test('a body that is not waited for is not asked for either', async () => {
    const port = await start(
      slow((environ, startResponse) => {
        environ['wsgi.input'].text().catch(() => {});
        startResponse('403 Forbidden', []);
        return [encode('no')];
      }),
    );
    const client = new Conversation(port);
    client.send(`${get('/slow')}POST /behind HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
    await client.until('403 Forbidden');
    expect(client.received).toMatch(/slowdoneHTTP\/1\.1 403/);
    client.socket.destroy();
  });
});

test('a plain server of Node is spared a connection that pipelines without end', async () => {
  const { toNode } = await import('waygate/node');
  let most = 0;
  let now = 0;
  const server = http.createServer(
    toNode(async (_environ, startResponse) => {
      most = Math.max(most, ++now);
      await wait(1);
      now--;
      startResponse('200 OK', []);
      return [];
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new Conversation((server.address() as net.AddressInfo).port);
  client.send(get('/').repeat(10_000) + get('/', 'Connection: close\r\n'));
  await client.end();
  expect(client.received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(10_001);
  expect(most).toBeLessThanOrEqual(16);
  server.close();
});
