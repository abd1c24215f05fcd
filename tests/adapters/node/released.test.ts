// What a connection in memory keeps of its request once the response is over: nothing but what it shows. And what becomes of it
// then.

import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Environ, type GatewayResponse, run, setupTestingDefaults } from 'waygate';
import { fromNode } from 'waygate/node';
import { heap } from '../../guards/heap.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

interface Kept {
  socket: Socket;
  environ: WeakRef<Environ>;
  request: WeakRef<IncomingMessage>;
}

async function answered(listener: Listener): Promise<Kept> {
  let kept: Kept | undefined;
  const app = fromNode((request, response) => {
    const { environ } = request as IncomingMessage & { environ: Environ };
    kept = { socket: request.socket, environ: new WeakRef(environ), request: new WeakRef(request) };
    listener(request, response as ServerResponse);
  });
  const environ = setupTestingDefaults({ REMOTE_ADDR: '203.0.113.7', REMOTE_PORT: '4711', 'wsgi.url_scheme': 'https' });
  const { body } = (await run(app, environ)) as GatewayResponse;
  if (!Array.isArray(body)) {
    for await (const _chunk of body);
    await body.close();
  }
  return kept as Kept;
}

it.each<[how: string, listener: Listener]>([
  ['at once', (_request, response) => void response.end('done')],
  ['later', (_request, response) => void setTimeout(() => response.end('done'), 1)],
  [
    'in pieces',
    (_request, response) => {
      response.write('one');
      setTimeout(() => response.end('two'), 1);
    },
  ],
])('is let go of when the listener has answered %s', async (_, listener) => {
  const { socket, environ, request } = await answered(listener);
  await heap();
  expect([environ.deref(), request.deref()]).toEqual([undefined, undefined]);
  expect([socket.remoteAddress, socket.remotePort, socket.remoteFamily]).toEqual(['203.0.113.7', 4711, 'IPv4']);
  expect([socket.localAddress, socket.localPort]).toEqual(['127.0.0.1', 443]);
});

it('is closed by a timeout that the listener sets after its answer, as by a server', async () => {
  const { socket } = await answered((_request, response) => void response.end('done'));
  socket.setTimeout(1);
  await sleep(20);
  expect(socket.destroyed).toBe(true);
});

it.runIf('signal' in http.IncomingMessage.prototype)('leaves the signal of the request alone', async () => {
  let complete: AbortSignal | undefined;
  let broken: AbortSignal | undefined;
  await answered((request, response) => {
    ({ signal: complete } = request as unknown as { signal: AbortSignal });
    request.socket.on('close', () => {});
    response.end('done');
  });
  const closed = new Promise((close) => {
    answered((request) => {
      ({ signal: broken } = request as unknown as { signal: AbortSignal });
      request.socket.on('close', close).destroy();
    }).catch(() => {});
  });
  await closed;
  await sleep(5);
  expect([complete?.aborted, broken?.aborted]).toEqual([false, true]);
});
