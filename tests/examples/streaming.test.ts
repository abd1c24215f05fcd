// examples/streaming: events stop when the client leaves, an upload comes back while it is still arriving.

import { getEventListeners } from 'node:events';
import http from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ResponseBody, run } from 'waygate';
import { type RunningServer, serve } from 'waygate/node';
import { testEnviron } from 'waygate/testing';
import streaming from '../../examples/streaming/app.ts';

let served: RunningServer;
beforeAll(async () => {
  served = await serve(streaming, { port: 0, host: '127.0.0.1', signals: false, shutdownTimeout: 0 });
});
afterAll(() => served.close());

async function listening(): Promise<string | undefined> {
  return /Listening: (\d+)/.exec(await (await fetch(served.url)).text())?.[1];
}

test('events come one by one, and the generator ends when the client leaves', async () => {
  const response = await fetch(`${served.url}/events?every=20`);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  while (!text.includes('id: 3\n')) text += Buffer.from((await reader.read()).value ?? []).toString();
  expect(text).toMatch(/^id: 1\ndata: \d{4}-\S+Z\n\nid: 2\n/);
  expect(await listening()).toBe('1');
  await reader.cancel();
  await expect.poll(listening).toBe('0');
});

test('a client that stays for long leaves nothing behind with each event', async () => {
  const { signal } = new AbortController();
  const request = testEnviron({ PATH_INFO: '/events', QUERY_STRING: 'every=1', 'waygate.signal': signal });
  const { body } = await run(streaming, request);
  const events = (body as ResponseBody)[Symbol.asyncIterator]();
  for (let count = 0; count < 5; count++) await events.next();
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  await events.return?.();
});

test('an upload is echoed before it has ended', async () => {
  const request = http.request(`${served.url}/echo`, { method: 'POST', headers: { 'Content-Type': 'text/x-parts' } });
  const arrived: string[] = [];
  request.write('one');
  const response = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve));
  expect(response.headers['content-type']).toBe('text/x-parts');
  for await (const chunk of response) {
    arrived.push(String(chunk));
    if (arrived.length === 1) request.write('two');
    else request.end();
  }
  expect(arrived).toEqual(['one', 'two']);
});

test('anything else gets a list of what there is', async () => {
  const response = await fetch(`${served.url}/nothing`);
  expect(response.status).toBe(404);
  expect(await response.text()).toContain('POST /echo');
});
