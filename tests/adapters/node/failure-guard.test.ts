// No failure ends the process or leaves a connection open, whatever fails while a failure is handled. (ERR-03 … ERR-06)

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificate } from './certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'waygate-'));
let child: ChildProcess;
let places: Record<string, number | string>;
let exited: unknown[] | null = null;
let stderr = '';

beforeAll(async () => {
  certificate(folder);
  const script = fileURLToPath(new URL('./failure-guard-child.mjs', import.meta.url));
  child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.once('exit', (...how) => {
    exited = how;
  });
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  places = await new Promise((resolve, reject) => {
    child.stdout?.once('data', (text) => resolve(JSON.parse(text)));
    child.once('exit', () => reject(new Error(`the servers did not start: ${stderr}`)));
  });
});
afterAll(() => {
  child.kill();
  rmSync(folder, { recursive: true });
});

const KINDS = ['app', 'hosted'];
const SOCKETS = ['tcp', 'unix', 'tls', 'tlsUnix'];

/** Sends bytes and returns all that comes until the connection has ended, and how it did. */
function talk(place: string, bytes: string): Promise<{ text: string; error: string }> {
  const at = places[place] as number | string;
  const where = typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' };
  const socket = place.startsWith('tls') ? connectTls({ ...where, rejectUnauthorized: false }) : net.connect(where);
  return new Promise((resolve, reject) => {
    let text = '';
    let error = '';
    const timer = setTimeout(() => reject(new Error(`${place} stays open after ${JSON.stringify(text)}`)), 8000);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (failure: NodeJS.ErrnoException) => {
      error = failure.code ?? failure.message;
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ text, error });
    });
    socket.write(bytes, 'latin1');
  });
}

/** The process lives and answers on every socket. */
async function expectAlive(): Promise<void> {
  expect([exited, stderr]).toEqual([null, '']);
  for (const socket of SOCKETS) {
    for (const kind of KINDS) {
      const { text } = await talk(
        `${socket}-${kind}`,
        `GET /${kind}/well/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expect(text, `${socket}-${kind}`).toMatch(/^HTTP\/1\.1 200 .*begun/s);
    }
  }
}

const STEPS = [
  'nothing',
  'destroy',
  'setHeader',
  'removeHeader',
  'getHeaderNames',
  'writeHead',
  'write',
  'end',
  'once',
  'resetAndDestroy',
  'destroySoon',
  'read',
  'off',
  'resume',
  'rawHeaders',
  'everything',
];

describe.each(SOCKETS)('over %s', (socket) => {
  test.each(KINDS)('whatever step is broken, the process lives and the connection ends: %s', async (kind) => {
    const all: Promise<unknown>[] = [];
    for (const step of STEPS) {
      for (const how of ['early', 'late', 'sync', 'write', 'short', 'well']) {
        for (const version of ['1.1', '1.0']) {
          const request = `POST /${kind}/${how}/${step} HTTP/${version}\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc`;
          all.push(talk(`${socket}-${kind}`, request));
        }
      }
    }
    await Promise.all(all);
    await expectAlive();
  });

  test.each(KINDS)('what breaks off after write() ends the connection, with or without content: %s', async (kind) => {
    for (const version of ['1.1', '1.0']) {
      for (const [method, status] of [
        ['GET', 200],
        ['HEAD', 200],
        ['GET', 204],
        ['GET', 205],
        ['GET', 304],
      ] as const) {
        // A body that is not sent is closed and never gets to fail.
        const isSent = kind === 'hosted' || (method === 'GET' && status === 200);
        for (const how of isSent ? ['write', 'writeLater', 'late', 'sync'] : ['write', 'writeLater']) {
          // Not asked to close: the failure alone ends it.
          const { text } = await talk(
            `${socket}-${kind}`,
            `${method} /${kind}/${how}/nothing/${status} HTTP/${version}\r\nHost: x\r\nConnection: keep-alive\r\n\r\n`,
          );
          const isWhole = text.endsWith('\r\n0\r\n\r\n');
          expect(isWhole, `${method} ${status} ${how} HTTP/${version}: ${text}`).toBe(false);
        }
      }
    }
    await expectAlive();
  });
});

describe.each(SOCKETS)('with requests behind it on its connection, over %s', (socket) => {
  test.each(KINDS)('a response that breaks off ends the connection and nothing more: %s', async (kind) => {
    const place = `${socket}-${kind}`;
    // Between two bodies of one read Node runs what waits for the next tick: no connection may lose its parser there.
    const behind = `POST /${kind}/well/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello`.repeat(50);
    const all: Promise<unknown>[] = [];
    for (let round = 0; round < 10; round++) {
      for (const how of ['early', 'late', 'sync', 'write', 'writeLater', 'short']) {
        for (const version of ['1.1', '1.0']) {
          const failing = `POST /${kind}/${how}/nothing HTTP/${version}\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc`;
          // The last of them asks for an end: after `early` the connection goes on.
          const last = `GET /${kind}/well/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
          all.push(talk(place, failing + behind + last), talk(place, behind + failing + behind + last));
        }
      }
    }
    await Promise.all(all);
    await expectAlive();
  });
});

describe('where the end of the connection is the end of the body', () => {
  test.each(KINDS)('the client sees a reset, over TCP and over TLS: %s', async (kind) => {
    for (const socket of ['tcp', 'tls']) {
      const { error } = await talk(`${socket}-${kind}`, `GET /${kind}/late/nothing HTTP/1.0\r\n\r\n`);
      expect(error, socket).toBe('ECONNRESET');
    }
    await expectAlive();
  });
});

describe('over HTTP/2', () => {
  test.each(KINDS)('whatever step is broken, the process lives and the stream ends: %s', async (kind) => {
    for (const step of STEPS) {
      for (const how of ['early', 'late', 'sync', 'write', 'short']) {
        const session = http2.connect(`http://127.0.0.1:${places[`http2-${kind}`]}`);
        session.on('error', () => {});
        const stream = session.request({ ':path': `/${kind}/${how}/${step}`, ':method': 'POST' });
        stream.on('error', () => {});
        stream.resume().end('abc');
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(`${how} ${step} stays open`)), 8000);
          stream.once('close', () => {
            clearTimeout(timer);
            resolve();
          });
        });
        session.destroy();
      }
    }
    await expectAlive();
  });
});
