// Sessions of HTTP/2 that hold a server up: each ends in time, and their connections with them.

import http2 from 'node:http2';
import net, { type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { type RunningServer, type ServeOptions, serve } from 'waygate/node';

const running: RunningServer[] = [];
afterEach(async () => {
  for (const served of running.splice(0)) await served.close();
});

const slow: Application = async (environ, startResponse) => {
  if (environ.PATH_INFO === '/slow') await new Promise((resolve) => setTimeout(resolve, 600));
  if (environ.REQUEST_METHOD === 'POST') await environ['wsgi.input'].text();
  startResponse('200 OK', []);
  return [encode('hello')];
};

async function start(options: ServeOptions, app = slow): Promise<RunningServer> {
  const served = await serve(app, {
    port: 0,
    host: '127.0.0.1',
    signals: false,
    shutdownTimeout: 0,
    errors: () => {},
    http2: true,
    ...options,
  });
  running.push(served);
  return served;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** A frame of RFC 9113 §4.1. */
function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
const SETTINGS = frame(4, 0, 0);
/** `:method GET`, `:scheme http`, `:path /`, `:authority x`, as HPACK has them. */
const GET = Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x78]);
const HEADERS = 1;
const RST_STREAM = 3;
const END_STREAM = 1;
const END_HEADERS = 4;

/** A connection, and when it ended, in milliseconds from its beginning. */
function connect(port: number, bytes: Uint8Array): { socket: Socket; ended: Promise<number> } {
  const began = performance.now();
  const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
  socket.on('error', () => {});
  socket.resume();
  return { socket, ended: new Promise((resolve) => socket.once('close', () => resolve(performance.now() - began))) };
}

describe('a connection is ended', () => {
  test.each<[what: string, bytes: Uint8Array, options: ServeOptions]>([
    ['that sends nothing', new Uint8Array(), { headersTimeout: 200 }],
    ['that sends half a preface', PREFACE.subarray(0, 10), { headersTimeout: 200 }],
    ['that never asks', Buffer.concat([PREFACE, SETTINGS]), { headersTimeout: 200 }],
    [
      'whose first headers have no end',
      Buffer.concat([PREFACE, SETTINGS, frame(HEADERS, 0, 1, GET)]),
      { headersTimeout: 200 },
    ],
    [
      'that idles after a request',
      Buffer.concat([PREFACE, SETTINGS, frame(HEADERS, END_STREAM | END_HEADERS, 1, GET)]),
      { sessionTimeout: 200 },
    ],
    [
      'whose later headers have no end',
      Buffer.concat([PREFACE, SETTINGS, frame(HEADERS, END_STREAM | END_HEADERS, 1, GET), frame(HEADERS, 0, 3, GET)]),
      { sessionTimeout: 200 },
    ],
  ])('%s', async (_what, bytes, options) => {
    const { port } = await start(options);
    const { ended } = connect(port, bytes);
    const took = await ended;
    expect(took).toBeGreaterThan(100);
    expect(took).toBeLessThan(3000);
  });

  test('that asks and takes back, and no descriptor is left of it', async () => {
    const { port, server } = await start({ maxStreamResets: 50 });
    const flood = [PREFACE, SETTINGS];
    const cancel = Buffer.from([0, 0, 0, 8]);
    for (let at = 0; at < 600; at++) {
      const stream = at * 2 + 1;
      flood.push(frame(HEADERS, END_STREAM | END_HEADERS, stream, GET), frame(RST_STREAM, 0, stream, cancel));
    }
    const bytes = Buffer.concat(flood);
    const connections = Array.from({ length: 90 }, () => connect(port, bytes));
    // They end because of what they do, long before a timeout of the server would end them; a tracing agent makes it slow.
    for (const { ended } of connections) expect(await ended).toBeLessThan(50_000);
    const open = (): Promise<number> =>
      new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
    await expect.poll(open, { timeout: 5000 }).toBe(0);
    // It still serves.
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': '/' });
    const head = await new Promise<http2.IncomingHttpHeaders>((resolve) => stream.resume().once('response', resolve));
    expect(head[':status']).toBe(200);
    session.close();
  }, 60_000);
});

test('a slow body ends with its stream alone', async () => {
  const { port } = await start({ requestTimeout: 300, headersTimeout: 300 });
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':path': '/', ':method': 'POST' });
  stream.write('a');
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
  expect(session.destroyed).toBe(false);
  session.close();
});

test('a session whose response takes its time is not idle', async () => {
  const { port } = await start({ sessionTimeout: 100, headersTimeout: 100, requestTimeout: 100 });
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':path': '/slow' });
  let text = '';
  for await (const chunk of stream) text += chunk;
  expect(text).toBe('hello');
  session.close();
});

test('streams beyond maxConcurrentStreams wait at the client', async () => {
  const { port } = await start({ maxConcurrentStreams: 5 });
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const settings = await new Promise<http2.Settings>((resolve) => session.once('remoteSettings', resolve));
  expect(settings.maxConcurrentStreams).toBe(5);
  session.close();
});

test('without limits nothing ends a session', async () => {
  const { port } = await start({ sessionTimeout: 0, headersTimeout: 0, requestTimeout: 0, maxStreamResets: 0 });
  const { socket } = connect(port, Buffer.concat([PREFACE, SETTINGS]));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(socket.closed).toBe(false);
  socket.destroy();
});
