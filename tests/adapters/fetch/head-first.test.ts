// When the head of a hosted Fetch response goes out, and what is known of its length by then. (D23, CL-04, E4, E9)

import { once } from 'node:events';
import http from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Application, Middleware } from 'waygate';
import { fromLambda, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { type FetchApp, fromFetch, toFetch } from 'waygate/fetch';
import { listening } from './hosting.ts';

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A stream whose chunks come when they are told to. */
function told(): {
  stream: ReadableStream<Uint8Array>;
  send(text: string): void;
  end(): void;
  fail(error: Error): void;
  cancelled: Promise<unknown>;
} {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let cancel: (reason: unknown) => void;
  const cancelled = new Promise<unknown>((resolve) => {
    cancel = resolve;
  });
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: (reason) => cancel(reason),
  });
  return {
    stream,
    cancelled,
    send: (text) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
    fail: (error) => controller.error(error),
  };
}

const passes: Middleware = (app) => async (environ, startResponse) => {
  const body = await app({ ...environ }, (status, headers, error) => startResponse(status, headers, error));
  return (async function* () {
    yield* body;
  })();
};

type Hosted = (
  app: Application,
) => Promise<{ call(path: string, init?: RequestInit): Promise<Response>; close(): void }>;
const streamed: Hosted = async (app) => ({
  call: toFetch(fromLambda(toLambdaStream(app, { errors: () => {} }), { source: 'function-url' }), {
    errors: () => {},
  }),
  close() {},
});

const WAYS: [name: string, hosted: Hosted][] = [
  ['on node', (app) => listening(app, { errors: () => {} })],
  ['on node, behind a middleware that passes chunks on', (app) => listening(passes(app), { errors: () => {} })],
  ['behind a streamed function URL', streamed],
  [
    'on node, through the emulator of a streamed function URL',
    async (app) =>
      listening(fromLambda(toLambdaStream(app, { errors: () => {} }), { source: 'function-url' }), {
        errors: () => {},
      }),
  ],
];

async function on(
  hosted: Hosted,
  handler: FetchApp,
  work: (call: (path: string, init?: RequestInit) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const server = await hosted(fromFetch(handler));
  try {
    await work(server.call);
  } finally {
    server.close();
  }
}

describe.each(WAYS)('a stream whose first chunk is still to come, %s', (_name, hosted) => {
  test('has its head out before, and its chunks when they come', async () => {
    const body = told();
    const handler = () => new Response(body.stream, { status: 202, headers: { 'content-type': 'text/event-stream' } });
    await on(hosted, handler, async (call) => {
      const response = await call('/');
      expect([response.status, response.headers.get('content-type')]).toEqual([202, 'text/event-stream']);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      for (const text of ['one', 'two']) {
        body.send(text);
        expect(new TextDecoder().decode((await reader.read()).value)).toBe(text);
      }
      body.end();
      expect((await reader.read()).done).toBe(true);
    });
  });

  test('is a 500 where it fails at once, a microtask or a moment later', async () => {
    const failures: (() => ReadableStream<Uint8Array>)[] = [
      () => new ReadableStream({ start: (controller) => controller.error(new Error('at once')) }),
      () => new ReadableStream({ pull: () => Promise.reject(new Error('a microtask later')) }),
      () =>
        new ReadableStream({
          async pull() {
            await pause(0);
            throw new Error('a moment later');
          },
        }),
    ];
    for (const failing of failures) {
      await on(
        hosted,
        () => new Response(failing()),
        async (call) => expect((await call('/')).status).toBe(500),
      );
    }
  });

  test('is broken off where it fails later', async () => {
    const body = told();
    await on(
      hosted,
      () => new Response(body.stream),
      async (call) => {
        const response = await call('/');
        expect(response.status).toBe(200);
        body.fail(new Error('later'));
        await expect(response.text()).rejects.toThrow();
      },
    );
  });
});

test('HEAD has its answer though the stream never gives a chunk, which is cancelled', async () => {
  const body = told();
  await on(
    (app) => listening(app),
    () => new Response(body.stream),
    async (call) => {
      expect((await call('/', { method: 'HEAD' })).status).toBe(200);
      await body.cancelled;
    },
  );
});

test('a client that leaves while only the head is out has the stream cancelled', async () => {
  const body = told();
  const server = await listening(fromFetch(() => new Response(body.stream)));
  const request = http.get({ port: server.port, host: '127.0.0.1' });
  request.on('error', () => {});
  await once(request, 'response');
  request.destroy();
  await body.cancelled;
  server.close();
});

test('a stream is not read ahead but for what is ready within a moment', async () => {
  let pulled = 0;
  const handler = () =>
    new Response(
      new ReadableStream(
        {
          pull(controller) {
            pulled += 1;
            controller.enqueue(new Uint8Array(1024));
          },
        },
        { highWaterMark: 0 },
      ),
    );
  const response = await toLambdaLike(handler);
  expect(pulled).toBeLessThan(40);
  await response.body?.cancel();
});

/** On a platform that asks for one chunk at a time. */
async function toLambdaLike(handler: FetchApp): Promise<Response> {
  const app = fromFetch(handler);
  // Without the platform's own request it is as on node.
  return toFetch((environ, startResponse) => app({ ...environ, 'fetch.request': undefined }, startResponse))('/');
}

test('chunks of a stream that fills one buffer anew arrive as they were', async () => {
  const buffer = new Uint8Array(3);
  let count = 0;
  const handler = () =>
    new Response(
      new ReadableStream(
        {
          pull(controller) {
            if (count === 4) return controller.close();
            buffer.fill(0x61 + count);
            count += 1;
            controller.enqueue(buffer);
          },
        },
        { highWaterMark: 0 },
      ),
    );
  expect(await (await toLambdaLike(handler)).text()).toBe('aaabbbcccddd');
});

describe('a body in memory goes out with its length', () => {
  const form = new FormData();
  form.set('field', 'value');
  form.set('file', new Blob(['contents']), 'name.txt');
  const BODIES: [what: string, body: () => BodyInit][] = [
    ['a text', () => 'h\u00e9llo'],
    ['bytes', () => new Uint8Array(5)],
    ['a Blob', () => new Blob(['abc', 'def'])],
    ['a Blob beyond what is gathered', () => new Blob([new Uint8Array(200_000)])],
    ['a form', () => form],
    ['search parameters', () => new URLSearchParams({ a: 'b' })],
    ['the stream of a Blob', () => new Blob(['streamed']).stream()],
  ];

  test.each(BODIES)('%s', async (_what, body) => {
    const wanted = (await new Response(body()).arrayBuffer()).byteLength;
    await on(
      (app) => listening(app),
      () => new Response(body()),
      async (call) => {
        const response = await call('/');
        expect(response.headers.get('content-length')).toBe(String(wanted));
        expect((await response.arrayBuffer()).byteLength).toBe(wanted);
      },
    );
    await on(
      (app) => listening(app),
      async () => {
        const response = new Response(body());
        await response.clone().arrayBuffer();
        return response;
      },
      async (call) => expect((await (await call('/')).arrayBuffer()).byteLength).toBe(wanted),
    );
  });

  test('and in one piece through a buffered Lambda', async () => {
    const call = toFetch(
      fromLambda(toLambda(fromFetch(() => new Response(new Blob(['abc'])))), { source: 'function-url' }),
    );
    expect(await (await call('/')).text()).toBe('abc');
  });
});
