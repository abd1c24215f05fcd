// What shows only after a while, against a server process of its own: memory that does not grow, streams larger than
// memory, and clients that leave. WAYGATE_SOAK_SECONDS sets how long the first test goes on; default 20.

import http from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Running, start } from './runtimes/process.ts';
import { hammer, leaving } from './soak/client.ts';

const SECONDS = Number(process.env.WAYGATE_SOAK_SECONDS ?? 20);
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

let server: Running;
let port: number;

/** What `/stats` of the server tells; memory in bytes, measured after a garbage collection, `peakRss` since the last time. */
interface Stats {
  opened: number;
  closed: number;
  closedAgain: number;
  uploadsFailed: number;
  failures: number;
  heapUsed: number;
  arrayBuffers: number;
  rss: number;
  peakRss: number;
}

// One for each test: what one has left behind must not make room for the next.
beforeEach(async () => {
  server = await start(process.execPath, ['--expose-gc', 'tests/e2e/soak/server.mjs']);
  port = Number(new URL(server.url).port);
});
afterEach(() => server.stop());

const stats = async (): Promise<Stats> => (await fetch(`${server.url}/stats`)).json();
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

test('many requests of every kind leave the heap as it was', { timeout: (SECONDS + 120) * 1000 }, async () => {
  const body = JSON.stringify({ name: 'Ada', list: [1, 2, 3] });
  const batch = [
    ...Array(8).fill(get('/hello')),
    ...Array(4).fill(`POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    ...Array(2).fill(get('/signal')),
    get('/%00'),
    get('/fail'),
  ];
  const bytes = Buffer.from(batch.join(''));
  await hammer(port, 8, bytes, batch.length, Date.now() + 3000);
  const before = await stats();
  const tally = await hammer(port, 8, bytes, batch.length, Date.now() + SECONDS * 1000);
  const after = await stats();

  const rounds = tally.responses / batch.length;
  expect(Object.fromEntries(tally.statuses)).toEqual({ 200: rounds * 14, 400: rounds, 500: rounds });
  expect(after.closed).toBe(after.opened);
  expect(after.closedAgain).toBe(0);
  const growth = after.heapUsed - before.heapUsed;
  console.log(
    `${tally.responses} requests in ${SECONDS} s: heap ${mib(before.heapUsed)} → ${mib(after.heapUsed)} MiB, rss ${mib(before.rss)} → ${mib(after.rss)} MiB`,
  );
  // Two bytes lost per request would show.
  expect(growth).toBeLessThan(Math.max(MIB, tally.responses * 2));
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(MIB);
});

test('a response of 1 GiB takes less than 64 MiB', { timeout: 180_000 }, async () => {
  const before = await stats();
  const received = await new Promise<number>((resolve, reject) => {
    http.get(`${server.url}/bytes?${GIB}`, (response) => {
      let total = 0;
      response.on('data', (chunk) => {
        total += chunk.length;
      });
      response.on('end', () => resolve(total));
      response.on('error', reject);
    });
  });
  const after = await stats();
  expect(received).toBe(GIB);
  console.log(`1 GiB down: rss ${mib(before.rss)} → ${mib(after.peakRss)} MiB at most`);
  expect(after.peakRss - before.rss).toBeLessThan(64 * MIB);
});

test('a slow reader holds the application back', async () => {
  const before = await stats();
  const request = http.get(`${server.url}/bytes?${GIB}`);
  const response = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve));
  response.pause();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = await stats();
  request.destroy();
  expect(after.peakRss - before.rss).toBeLessThan(32 * MIB);
});

test('an upload of 1 GiB takes less than 64 MiB', { timeout: 180_000 }, async () => {
  const before = await stats();
  const chunk = Buffer.alloc(64 * 1024, 'a');
  const headers = { 'Content-Length': GIB };
  const answer = await new Promise<string>((resolve, reject) => {
    const request = http.request(`${server.url}/upload`, { method: 'POST', headers }, async (response) => {
      let text = '';
      for await (const part of response) text += part;
      resolve(text);
    });
    request.on('error', reject);
    let left = GIB / chunk.length;
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        if (!request.write(chunk)) {
          request.once('drain', more);
          return;
        }
      }
      request.end();
    };
    more();
  });
  const after = await stats();
  expect(answer).toBe(String(GIB));
  console.log(`1 GiB up: rss ${mib(before.rss)} → ${mib(after.peakRss)} MiB at most`);
  expect(after.peakRss - before.rss).toBeLessThan(64 * MIB);
});

/** Waits until every body is closed, then tells how things stand. */
async function settled(): Promise<Stats> {
  await expect.poll(async () => (await stats()).closed, { timeout: 10_000 }).toBe((await stats()).opened);
  return stats();
}

test('1,000 clients leave in the middle of a response: every body is closed once', async () => {
  const leave = async (batches: number): Promise<void> => {
    for (let batch = 0; batch < batches; batch++) {
      await Promise.all(Array.from({ length: 50 }, () => leaving(port, get(`/bytes?${GIB}`), true)));
    }
  };
  // What the engine makes once, code above all, is made before it is measured.
  await leave(10);
  const before = await settled();
  await leave(20);
  const after = await settled();
  expect(after.opened - before.opened).toBe(1000);
  expect(after.closedAgain).toBe(0);
  // Nobody is to blame when a client leaves.
  expect(after.failures).toBe(before.failures);
  console.log(`1,000 clients that left: ${mib(after.heapUsed - before.heapUsed)} MiB more`);
  expect(after.heapUsed - before.heapUsed).toBeLessThan(MIB);
});

test('200 clients leave before the first chunk: every body is closed once', async () => {
  const before = await settled();
  let leave = (): void => {};
  const time = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const clients = Array.from({ length: 200 }, () => leaving(port, get('/nothing'), false, time));
  await expect.poll(async () => (await stats()).opened - before.opened).toBe(200);
  expect((await stats()).closed).toBe(before.closed);
  leave();
  await Promise.all(clients);
  const after = await settled();
  expect(after.opened - before.opened).toBe(200);
  expect(after.closedAgain).toBe(0);
  expect(after.failures).toBe(before.failures);
});

test('200 clients leave in the middle of an upload: the application learns it every time', async () => {
  const before = await settled();
  const head = 'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n';
  const request = Buffer.concat([Buffer.from(head), Buffer.alloc(10_000)]);
  const soon = new Promise((resolve) => setTimeout(resolve, 300));
  await Promise.all(Array.from({ length: 200 }, () => leaving(port, request, false, soon)));
  await expect.poll(async () => (await stats()).uploadsFailed - before.uploadsFailed).toBe(200);
  expect((await stats()).failures).toBe(before.failures);
});

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
