// Several requests on one connection: they are answered in order, nothing of one is taken for the next, and what breaks
// one connection leaves the server as it was.

import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { type Application, encode } from 'waygate';
import type { NodeOptions } from 'waygate/node';
import { exchange, type ProbeServer, startProbe } from './http-cases-probe.ts';

let site: ProbeServer;
afterEach(() => site.close());

const serve = async (app: Application, options?: NodeOptions) => {
  site = await startProbe(app, options);
};
const bytes = (...requests: string[]) => Buffer.from(requests.join(''), 'latin1');
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Answers with the path, and reads no body. */
const path: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  return [encode(environ.PATH_INFO)];
};

/** Answers with path and body, after as many milliseconds as the query says. */
const echo: Application = async (environ, startResponse) => {
  await new Promise((resolve) => setTimeout(resolve, Number(environ.QUERY_STRING)));
  const body = await environ['wsgi.input'].text();
  startResponse('200 OK', []);
  return [encode(`${environ.PATH_INFO}=${body}`)];
};

test('pipelined requests are answered in their order, whichever is ready first', async () => {
  await serve(echo);
  const responses = await exchange(site.port, bytes(get('/a?30'), post('/b?10', 'B'), get('/c'), post('/d', 'D')), 4);
  expect(responses.map(({ body }) => body)).toEqual(['/a=', '/b=B', '/c=', '/d=D']);
});

test('a body that the application does not read is not taken for a request', async () => {
  await serve(path);
  const responses = await exchange(site.port, bytes(post('/a', get('/smuggled')), get('/b')), 2);
  expect(responses.map(({ body }) => body)).toEqual(['/a', '/b']);
});

test('nor is a large one that arrives after the response', async () => {
  await serve(path);
  const body = get('/smuggled').repeat(20_000);
  const responses = await exchange(site.port, bytes(post('/a', body), get('/b')), 2);
  expect(responses.map((each) => each.body)).toEqual(['/a', '/b']);
});

test.each([
  ['a NUL in its path', '/%00', undefined, 400],
  ['a body beyond the limit', '/a', 10, 413],
])('the body of a request refused for %s is not taken for a request', async (_why, target, maxBodyBytes, status) => {
  await serve(path, { maxBodyBytes });
  const responses = await exchange(site.port, bytes(post(target, get('/smuggled')), get('/b')), 2);
  expect(responses.map((each) => [each.status, each.body.split('\n')[0]])).toEqual([
    [status, expect.stringMatching(`^${status} `)],
    [200, '/b'],
  ]);
});

test('a connection outlives the time that an unread body has, once its body was read', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    await serve(async (environ, startResponse) => {
      const body = await environ['wsgi.input'].text();
      startResponse('200 OK', []);
      return [encode(body)];
    });
    const socket = net.connect(site.port, '127.0.0.1');
    const answer = async () => String((await once(socket, 'data'))[0]);
    socket.write(post('/a', 'first'));
    expect(await answer()).toMatch(/first$/);
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(60_000);
    socket.write(post('/b', 'second'));
    expect(await answer()).toMatch(/second$/);
    socket.destroy();
  } finally {
    vi.useRealTimers();
  }
});

test('a body that was read in part holds up no request behind it', async () => {
  await serve(async (environ, startResponse) => {
    const part = await environ['wsgi.input'].read(10);
    // By now the rest has arrived, and Node has stopped reading until somebody takes it.
    await new Promise((resolve) => setTimeout(resolve, 50));
    startResponse('200 OK', []);
    return [encode(`${environ.PATH_INFO}=${part.byteLength}`)];
  });
  const socket = net.connect(site.port, '127.0.0.1');
  const received: string[] = [];
  socket.on('data', (chunk) => received.push(String(chunk)));
  const body = 'x'.repeat(150_000);
  socket.write(post('/a', body).slice(0, -140_000));
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.write(body.slice(0, 140_000));
  await expect.poll(() => received.join('')).toMatch(/\/a=10$/);
  socket.write(post('/b', 'x'.repeat(20)));
  await expect.poll(() => received.join('')).toMatch(/\/b=10$/);
  socket.destroy();
});

test('bytes behind a body that are not a request break the connection', async () => {
  await serve(path);
  const responses = await exchange(site.port, bytes(post('/a', 'A'), 'rubbish\r\n\r\n'), 2);
  expect(responses.at(-1)?.status).toBe(400);
  expect(responses.length).toBeLessThanOrEqual(2);
  expect(site.log).toEqual([]);
});

test('a chunk of malformed size is an error of the input, and the next connection is served', async () => {
  let failure: unknown;
  await serve(async (environ, startResponse) => {
    if (environ.REQUEST_METHOD === 'POST') {
      failure = await environ['wsgi.input'].bytes().catch((error) => error);
    }
    return path(environ, startResponse);
  });
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const broken = await exchange(site.port, bytes(head, '2\r\nhi\r\nzz\r\n'));
  expect(broken.map(({ status }) => status)).toEqual([400]);
  const [response] = await exchange(site.port, bytes(get('/next')));
  expect(response?.body).toBe('/next');
  expect(failure).toMatchObject({ name: 'ClientDisconnectedError' });
});

test('a client that leaves within its body is an error of the input, and of nobody else', async () => {
  let failed: (error: unknown) => void;
  const failure = new Promise((resolve) => {
    failed = resolve;
  });
  await serve(async (environ, startResponse) => {
    await environ['wsgi.input'].bytes().catch((error) => failed(error));
    return path(environ, startResponse);
  });
  await exchange(site.port, bytes(post('/a', '12345').slice(0, -2)), 1, true);
  expect(await failure).toMatchObject({ name: 'ClientDisconnectedError' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(site.log).toEqual([]);
});

test('HTTP/1.0 closes the connection unless it asked for more', async () => {
  await serve(path);
  const [plain] = await exchange(site.port, bytes('GET /a HTTP/1.0\r\n\r\n'));
  expect(plain?.headers).toContainEqual(['Connection', 'close']);
  const kept = 'GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
  expect(await exchange(site.port, bytes(kept, kept), 2)).toHaveLength(2);
});
