// Streams through `wrangler dev` with a real client: large bodies in bounded memory, and clients that leave.

import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, wranglerDev } from './runtimes/process.ts';

const MEBIBYTE = 1_048_576;
/** What Cloudflare gives a Worker, in bytes. */
const LIMIT = 128 * MEBIBYTE;
const SIZE = 200;

let dev: Running;

async function logOf(name: string): Promise<string[]> {
  return (await (await fetch(`${dev.url}/log?${name}`)).json()) as string[];
}

/** Waits until a scenario has left all of this in its log. */
async function logged(name: string, ...wanted: string[]): Promise<string[]> {
  for (let turn = 0; ; turn++) {
    const log = await logOf(name);
    if (turn === 100 || wanted.every((each) => log.includes(each))) return log;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sends a GET and leaves without a word: after the first bytes, or at once. */
async function leave(path: string, after: 'the first bytes' | 'the request'): Promise<void> {
  const { port } = new URL(dev.url);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
      if (after === 'the request') setTimeout(() => socket.resetAndDestroy(), 100);
    });
    if (after === 'the first bytes') socket.once('data', () => socket.resetAndDestroy());
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

/** The peak of the resident memory of any workerd of `wrangler dev`, in bytes; what is there at the start included. */
function peakMemory(): number {
  const peaks = readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .map((entry) => {
      try {
        const [, group] =
          /^[0-9]+ \(workerd\) . [0-9]+ ([0-9]+) /.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
        if (Number(group) !== dev.pid) return 0;
        return Number(/VmHWM:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1]) * 1024;
      } catch {
        return 0; // ended meanwhile
      }
    });
  return Math.max(...peaks);
}

describe.each([
  ['with enable_request_signal', ['--compatibility-flags', 'enable_request_signal']],
  ['without any flag', []],
])('a client that leaves, %s', (_title, flags) => {
  beforeAll(async () => {
    dev = await wranglerDev('tests/e2e/workers/scenarios.toml', ...flags);
  });
  afterAll(() => dev?.stop());

  test('in mid-stream: waygate.signal aborts, the body is closed, wait_until work finishes', async () => {
    await leave('/endless?stream', 'the first bytes');
    expect(await logged('stream', 'signal', 'closed', 'waited')).toEqual(['signal', 'closed', 'waited']);
  });

  test('before the application has answered: it goes on, and its body is closed', async () => {
    await leave('/slow?early', 'the request');
    const log = await logged('early', 'signal', 'closed', 'waited');
    expect(log).toEqual(expect.arrayContaining(['answered', 'signal', 'closed', 'waited']));
  });

  test('work after the response finishes', async () => {
    expect(await (await fetch(`${dev.url}/work?later`)).text()).toBe('done');
    expect(await logged('later', 'worked')).toEqual(['worked']);
  });
});

describe(`${SIZE} MB through a Worker`, () => {
  beforeAll(async () => {
    dev = await wranglerDev('tests/e2e/workers/scenarios.toml');
  });
  afterAll(() => dev?.stop());

  test('as a response and as an upload, in less than 128 MB beyond what workerd takes at the start', async () => {
    expect((await fetch(`${dev.url}/download?1`)).ok).toBe(true);
    const before = peakMemory();
    expect(before).toBeGreaterThan(0);

    let received = 0;
    const response = await fetch(`${dev.url}/download?${SIZE}`);
    for await (const chunk of response.body as ReadableStream<Uint8Array>) received += chunk.byteLength;
    expect(received).toBe(SIZE * MEBIBYTE);
    const afterDownload = peakMemory();

    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(MEBIBYTE));
        sent += 1;
        if (sent === SIZE) controller.close();
      },
    });
    const answer = await fetch(`${dev.url}/upload`, { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(await answer.text()).toBe(String(SIZE * MEBIBYTE));
    const afterUpload = peakMemory();

    const figures = [before, afterDownload, afterUpload].map((bytes) => Math.round(bytes / MEBIBYTE));
    console.log(
      `workerd's peak memory in MB: ${figures[0]} at first, ${figures[1]} after ${SIZE} MB down, ${figures[2]} after ${SIZE} MB up`,
    );
    expect(afterUpload - before).toBeLessThan(LIMIT);
  });

  test('lines are answered before the next ones are sent', async () => {
    const { port } = new URL(dev.url);
    // Node's fetch answers only when the upload is through: a socket shows both directions at once.
    const heard = await new Promise<string[]>((resolve, reject) => {
      const parts: string[] = [];
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write('POST /dialogue HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n');
      });
      let all = '';
      socket.on('data', (chunk) => {
        all += chunk;
        if (all.includes('one') && parts.length === 0) {
          parts.push('one');
          socket.write('4\r\ntwo\n\r\n');
        }
        if (all.includes('two') && parts.length === 1) {
          parts.push('two');
          socket.destroy();
          resolve(parts);
        }
      });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error(`the connection closed after ${JSON.stringify(all)}`)));
    });
    expect(heard).toEqual(['one', 'two']);
  });
});
