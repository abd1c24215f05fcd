// A client that leaves is nobody's failure, and one that never stops sending loses what it sends on. (ERR-05, INPUT-12)

import type { IncomingMessage, ServerResponse } from 'node:http';
import http2 from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import type { Application } from 'waygate';
import { fromNode, type RunningServer, type ServeOptions, serve } from 'waygate/node';
import { Conversation } from './http-client.ts';

const running: RunningServer[] = [];
let log: string[] = [];
let errors: unknown[] = [];
afterEach(async () => {
  for (const served of running.splice(0)) await served.close();
  log = [];
  errors = [];
});

async function start(app: Application, options: ServeOptions = {}): Promise<RunningServer> {
  const served = await serve(app, {
    port: 0,
    host: '127.0.0.1',
    signals: false,
    shutdownTimeout: 0,
    errors: (text) => void log.push(text),
    onError: (error) => void errors.push(error),
    ...options,
  });
  running.push(served);
  return served;
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('a hosted listener that fails', () => {
  let failed: () => void = () => {};
  const failure = (): Promise<void> =>
    new Promise((resolve) => {
      failed = resolve;
    });
  /** Waits until its connection is over, then fails for that reason. */
  const failing =
    (begin: (request: IncomingMessage, response: ServerResponse) => void) =>
    async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      begin(request, response);
      if (!response.destroyed) await new Promise((resolve) => response.once('close', resolve));
      setTimeout(failed, 20);
      throw new Error('the client is gone');
    };

  test.each<[string, (client: Conversation) => void]>([
    ['ends', (client) => client.socket.destroy()],
    ['resets', (client) => client.socket.resetAndDestroy()],
  ])('because its client has gone is not reported, when the client %s its connection', async (_how, leave) => {
    for (const begins of [false, true]) {
      const { port } = await start(fromNode(failing((_request, response) => void (begins && response.write('begun')))));
      const over = failure();
      const client = new Conversation(port);
      client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      if (begins) await client.until('begun');
      else await wait(50);
      leave(client);
      await over;
    }
    expect([log, errors]).toEqual([[], []]);
  });

  test('because a shutdown cut its connection is not reported', async () => {
    const served = await start(fromNode(failing((_request, response) => void response.write('begun'))), {
      shutdownTimeout: 20,
    });
    const over = failure();
    const client = new Conversation(served.port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('begun');
    await served.close();
    await over;
    expect(errors).toEqual([]);
  });

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['its response', (_request, response) => void response.destroy()],
    ['its response, with an error', (_request, response) => void response.destroy(new Error('mine'))],
    ['its request', (request) => void request.destroy()],
    ['its socket', (request) => void request.socket.destroy()],
  ])('after it has destroyed %s is reported', async (_what, destroy) => {
    const { port } = await start(fromNode(failing(destroy)));
    const over = failure();
    const client = new Conversation(port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await over;
    expect(errors).toEqual([expect.objectContaining({ message: 'the client is gone' })]);
    expect(log).toHaveLength(1);
  });
});

test('an upload over HTTP/2 that nobody reads is cut off, and the others of its session go on', {
  timeout: 30_000,
}, async () => {
  const served = await start(
    (_environ, startResponse) => {
      startResponse('200 OK', []);
      return [];
    },
    { http2: true },
  );
  const session = http2.connect(`http://127.0.0.1:${served.port}`);
  const stream = session.request({ ':path': '/', ':method': 'POST' });
  const began = performance.now();
  const writing = setInterval(() => stream.destroyed || stream.write(new Uint8Array(1000)), 50);
  stream.on('error', () => {});
  await new Promise((resolve) => stream.resume().once('close', resolve));
  clearInterval(writing);
  expect(stream.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
  expect(performance.now() - began).toBeGreaterThan(4000);
  const other = session.request({ ':path': '/' });
  const head = await new Promise<http2.IncomingHttpHeaders>((resolve) => other.resume().once('response', resolve));
  expect(head[':status']).toBe(200);
  session.close();
});
