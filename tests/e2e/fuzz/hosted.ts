// Node listeners and Fetch handlers that fail in every way, by the path that asks for them.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostile, type Outcome, pause, plan } from './bodies.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
type Handler = (request: Request) => Response | Promise<Response>;

const environOf = (request: IncomingMessage): unknown => (request as unknown as { environ: unknown }).environ;

export const FAILING_LISTENERS: Record<string, [Outcome, Listener]> = {
  throws: [
    500,
    () => {
      throw plan();
    },
  ],
  rejects: [500, () => Promise.reject(plan())],
  'rejects-nothing': [500, () => Promise.reject(undefined)],
  'rejects-hostile': [500, () => Promise.reject(hostile)],
  'rejects-later': [500, () => pause(3).then(() => Promise.reject(plan()))],
  'rejects-after-the-head': [
    'cut',
    (_request, response) => {
      response.writeHead(200);
      response.write('some');
      return Promise.reject(plan());
    },
  ],
  'rejects-short-of-its-length': [
    'cut',
    (_request, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('some');
      return Promise.reject(plan());
    },
  ],
  'rejects-after-the-end': [
    200,
    (_request, response) => {
      response.end('all');
      return Promise.reject(plan());
    },
  ],
  'looks-at-environ-later': [
    'any',
    async (request, response) => {
      await pause(1);
      try {
        environOf(request);
      } finally {
        response.end('looked');
      }
    },
  ],
  'looks-at-environ-and-fails': [
    'any',
    (request) => {
      environOf(request);
      throw plan();
    },
  ],
  destroys: [
    'cut',
    (_request, response) => {
      response.write('some');
      response.destroy();
    },
  ],
  'destroys-with-an-error': [
    'cut',
    (_request, response) => {
      response.write('some');
      response.destroy(plan());
    },
  ],
  'destroys-the-request': ['any', (request) => request.destroy()],
  'destroys-the-socket': ['any', (request) => request.socket.destroy()],
  'destroys-and-rejects': [
    'any',
    (_request, response) => {
      response.destroy(plan());
      return Promise.reject(plan());
    },
  ],
  'ends-the-socket': ['any', (request) => request.socket.end()],
  'a-bad-header': [500, (_request, response) => response.setHeader('a b', '1')],
  'a-bad-head': [500, (_request, response) => response.writeHead(200, { a: '1\r\nb: 2' })],
  'a-bad-status': [500, (_request, response) => response.writeHead(99)],
  'a-head-twice': [
    'any',
    (_request, response) => {
      response.writeHead(200).writeHead(201);
    },
  ],
  'a-late-header': [
    'cut',
    (_request, response) => {
      response.write('some');
      response.setHeader('a', '1');
    },
  ],
  'a-bad-chunk': [500, (_request, response) => response.write(5 as never)],
  'an-error-event': [
    'any',
    (_request, response) => {
      response.on('error', () => {});
      response.emit('error', plan());
      response.end();
    },
  ],
  'an-early-hint': [
    500,
    (_request, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      throw plan();
    },
  ],
  'a-bad-hint': [500, (_request, response) => response.writeEarlyHints({ link: 'not a link' })],
  continues: [
    200,
    (request, response) => {
      response.writeContinue();
      request.resume().on('end', () => response.end('read'));
      request.on('close', () => response.end());
    },
  ],
  echoes: [200, (request, response) => request.pipe(response)],
  'reads-then-rejects': [
    500,
    async (request) => {
      for await (const _ of request);
      throw plan();
    },
  ],
  'reads-one-and-destroys': [
    'any',
    async (request, response) => {
      for await (const _ of request) break;
      response.end('one');
    },
  ],
  'times-out': [
    'any',
    (_request, response) => {
      response.setTimeout(20, () => response.destroy());
    },
  ],
  large: [
    200,
    (_request, response) => {
      for (let left = 20; left > 0; left--) response.write(Buffer.alloc(16_384));
      response.end();
    },
  ],
};

export const listener: Listener = (request, response) => {
  const name = nameOf(request.url ?? '');
  const failing = Object.hasOwn(FAILING_LISTENERS, name) ? FAILING_LISTENERS[name]?.[1] : undefined;
  if (failing !== undefined) return failing(request, response);
  response.end('fine\n');
};

/** A stream that gives these, then does something with its controller. */
function stream(
  parts: unknown[],
  then: (controller: ReadableStreamDefaultController) => unknown,
  more: UnderlyingDefaultSource = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    ...more,
    async pull(controller) {
      if (parts.length > 0) controller.enqueue(parts.shift());
      else await then(controller);
    },
  });
}

const part = (): Uint8Array => new TextEncoder().encode('some of it\n');
const close = (controller: ReadableStreamDefaultController): void => controller.close();

export const FAILING_HANDLERS: Record<string, [Outcome, Handler]> = {
  throws: [
    500,
    () => {
      throw plan();
    },
  ],
  rejects: [500, () => Promise.reject(plan())],
  'rejects-hostile': [500, () => Promise.reject(hostile)],
  'not-a-response': [500, () => 5 as never],
  nothing: [500, () => undefined as never],
  'a-hostile-response': [500, () => hostile as never],
  'an-error-response': [500, () => Response.error()],
  'a-used-response': [
    500,
    async () => {
      const response = new Response('used');
      await response.text();
      return response;
    },
  ],
  'a-locked-response': [
    500,
    () => {
      const response = new Response('locked');
      response.body?.getReader();
      return response;
    },
  ],
  'a-stream-that-errors-at-once': ['failed', () => new Response(stream([], (controller) => controller.error(plan())))],
  'a-stream-that-errors': ['failed', () => new Response(stream([part()], (controller) => controller.error(plan())))],
  'a-stream-that-errors-later': [
    'failed',
    () => new Response(stream([part()], (controller) => pause(5).then(() => controller.error(hostile)))),
  ],
  'a-stream-that-rejects': ['failed', () => new Response(stream([part(), part()], () => Promise.reject(plan())))],
  'a-stream-of-text': ['failed', () => new Response(stream(['text'], close))],
  'a-stream-of-nonsense': ['failed', () => new Response(stream([part(), hostile], close))],
  'a-short-stream': ['cut', () => new Response(stream([part()], close), { headers: { 'content-length': '1000' } })],
  'a-long-stream': [200, () => new Response(stream([part()], close), { headers: { 'content-length': '3' } })],
  'a-stream-that-will-not-cancel': [
    200,
    () =>
      new Response(
        stream(
          Array.from({ length: 20 }, () => new Uint8Array(16_384)),
          close,
          { cancel: () => Promise.reject(plan()) },
        ),
      ),
  ],
  'a-bad-length': ['any', () => new Response('x', { headers: { 'content-length': 'many' } })],
  'reads-then-throws': [
    500,
    async (request) => {
      await request.text();
      throw plan();
    },
  ],
  'cancels-the-request': [
    200,
    async (request) => {
      await request.body?.cancel();
      return new Response('cancelled');
    },
  ],
  'echoes-the-request': [200, (request) => new Response(request.body)],
  'clones-and-reads-one': [200, async (request) => new Response(await request.clone().text())],
};

export const handler: Handler = (request) => {
  const name = nameOf(new URL(request.url).pathname);
  const failing = Object.hasOwn(FAILING_HANDLERS, name) ? FAILING_HANDLERS[name]?.[1] : undefined;
  return failing === undefined ? new Response('fine\n') : failing(request);
};

function nameOf(path: string): string {
  return path.replace(/\?.*/s, '').replace(/^.*\//s, '');
}
