// The options of serve(): where it listens, what limits its clients have, and which upgrades it passes on.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { fromNode, type RunningServer, type ServeOptions, serve } from 'waygate/node';
import { WebSocket, WebSocketServer } from 'ws';
import { Conversation, raw } from './http-client.ts';

const scratch = mkdtempSync(join(tmpdir(), 'waygate-'));
const running: RunningServer[] = [];
afterEach(async () => {
  for (const served of running.splice(0)) await served.close();
});
afterAll(() => rmSync(scratch, { recursive: true }));

const hello: Application = (_environ, startResponse) => {
  startResponse('200 OK', []);
  return [encode('hello')];
};

async function start(options: ServeOptions = {}, app = hello): Promise<RunningServer> {
  const place = options.path === undefined && options.fd === undefined ? { port: 0, host: '127.0.0.1' } : {};
  const served = await serve(app, { signals: false, shutdownTimeout: 0, errors: () => {}, ...place, ...options });
  running.push(served);
  return served;
}

const get = (path = '/', more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

async function over(path: string): Promise<string> {
  return Buffer.from(await raw({ path }, Buffer.from(get('/', 'Connection: close\r\n')))).toString();
}

describe('a Unix socket', () => {
  test('has the permissions of socketMode', async () => {
    const path = join(scratch, 'mode');
    await start({ path, socketMode: 0o660 });
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect(await over(path)).toMatch(/hello$/);
  });

  test('that a killed process left is replaced', async () => {
    const path = join(scratch, 'stale');
    const child = spawn(
      process.execPath,
      ['-e', `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(true);
    await start({ path });
    expect(await over(path)).toMatch(/hello$/);
  });

  test('that somebody listens on is in use, and stays as it is', async () => {
    const path = join(scratch, 'used');
    await start({ path });
    await expect(start({ path })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await over(path)).toMatch(/hello$/);
  });

  test('does not replace a file', async () => {
    const path = join(scratch, 'file');
    writeFileSync(path, 'precious');
    await expect(start({ path })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(statSync(path).size).toBe(8);
  });
});

describe('where it listens', () => {
  test('is a URL to which a path can be added', async () => {
    const { url, port } = await start({ host: '127.0.0.1' });
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(await (await fetch(`${url}/x`)).text()).toBe('hello');
  });
});

describe('an option of the wrong kind', () => {
  test.each<[ServeOptions, RegExp]>([
    [{ headersTimeout: '1s' as never }, /"headersTimeout" is the string "1s"/],
    [{ keepAliveTimeout: -1 }, /"keepAliveTimeout" is the number -1/],
    [{ maxHeaderSize: 0 }, /"maxHeaderSize" is the number 0; expected a number of at least 1/],
    [{ maxConcurrentStreams: Number.NaN }, /"maxConcurrentStreams"/],
    [{ shutdownTimeout: null as never }, /"shutdownTimeout" is null/],
    [{ log: 'console' as never }, /"log" is the string "console"; expected a function/],
    [{ fd: 3, port: 8000 }, /"fd" and "port" exclude each other/],
  ])('is refused: %o', async (options, message) => {
    await expect(serve(hello, { signals: false, ...options })).rejects.toThrow(message);
  });
});

describe('a client of HTTP/1.1', () => {
  test('has headersTimeout for the head of a request', async () => {
    const { port } = await start({ headersTimeout: 200 });
    const client = new Conversation(port);
    client.send('GET / HTTP/1.1\r\nHost: ');
    await client.end();
    expect(client.received).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('has requestTimeout for all of it', async () => {
    const { port } = await start({ requestTimeout: 300 }, async (environ, startResponse) => {
      await environ['wsgi.input'].text();
      return hello(environ, startResponse);
    });
    const client = new Conversation(port);
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab');
    await client.end();
    expect(client.received).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('may idle for keepAliveTimeout', async () => {
    const { port } = await start({ keepAliveTimeout: 100 });
    const client = new Conversation(port);
    client.send(get());
    await client.until('hello');
    await client.end();
    expect(client.received).toMatch(/Connection: keep-alive/);
  });

  test('may send maxHeaderSize bytes and maxHeadersCount lines of a head', async () => {
    const { port } = await start({ maxHeaderSize: 2000, maxHeadersCount: 20 });
    for (const [more, status] of [
      [`X-A: ${'a'.repeat(1000)}\r\n`, 200],
      [`X-A: ${'a'.repeat(3000)}\r\n`, 431],
      ['X-A: a\r\n'.repeat(15), 200],
      ['X-A: a\r\n'.repeat(25), 431],
    ] as const) {
      const answer = await raw({ port, host: '127.0.0.1' }, Buffer.from(get('/', `Connection: close\r\n${more}`)));
      expect(Buffer.from(answer).toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    }
  });

  test('may make maxRequestsPerSocket requests', async () => {
    const { port } = await start({ maxRequestsPerSocket: 2 });
    const client = new Conversation(port);
    client.send(get());
    await client.until('hello');
    client.send(get());
    await client.end();
    expect(client.received.match(/Connection: (?:close|keep-alive)/g)).toEqual([
      'Connection: keep-alive',
      'Connection: close',
    ]);
  });

  test('is one of maxConnections', async () => {
    const { port } = await start({ maxConnections: 1 });
    const first = new Conversation(port);
    first.send(get());
    await first.until('hello');
    const second = new Conversation(port);
    await second.end();
    expect(second.received).toBe('');
    first.socket.destroy();
  });
});

describe('a hosted server', () => {
  const withSockets = (): { server: http.Server; sockets: WebSocketServer } => {
    const server = http.createServer((_request, response) => void response.end('page'));
    const sockets = new WebSocketServer({ server, path: '/live' });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
    return { server, sockets };
  };

  test('gets the upgrades to WebSockets, and the requests beside them', async () => {
    const { server } = withSockets();
    const { port } = await start({}, fromNode(server));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`);
    await once(socket, 'open');
    socket.send('hi');
    const [data] = await once(socket, 'message');
    expect(String(data)).toBe('echo hi');
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
    socket.terminate();
  });

  test('gets them also where it begins to listen for them later, and none when it has stopped', async () => {
    const server = http.createServer((_request, response) => void response.end('page'));
    const { port } = await start({}, fromNode(server));
    const ask = async (): Promise<string> => {
      const more = 'Connection: Upgrade, close\r\nUpgrade: test\r\n';
      return Buffer.from(await raw({ port, host: '127.0.0.1' }, Buffer.from(get('/', more)))).toString();
    };
    expect(await ask()).toMatch(/page$/);
    const onUpgrade = (_request: http.IncomingMessage, socket: Socket): void =>
      void socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nswitched');
    server.on('upgrade', onUpgrade as never);
    await Promise.resolve();
    expect(await ask()).toMatch(/switched$/);
    server.off('upgrade', onUpgrade as never);
    expect(await ask()).toMatch(/page$/);
  });

  test('gets no upgrade that would be refused as a request, nor one past a middleware', async () => {
    const { server, sockets } = withSockets();
    let calls = 0;
    sockets.on('connection', () => calls++);
    const more =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
    const { port } = await start({}, fromNode(server));
    const refused = `GET /live HTTP/1.1\r\nHost: good@evil\r\n${more}\r\n`;
    expect(Buffer.from(await raw({ port, host: '127.0.0.1' }, Buffer.from(refused))).toString()).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    const hosted = fromNode(server);
    const behind = await start({}, (environ, startResponse) => hosted(environ, startResponse));
    const client = new Conversation(behind.port);
    client.send(`GET /live HTTP/1.1\r\nHost: x\r\n${more}\r\n`);
    await client.until('HTTP/1.1 501');
    client.socket.destroy();
    expect(calls).toBe(0);
  });
});
