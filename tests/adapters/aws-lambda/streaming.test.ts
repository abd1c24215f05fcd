// toLambdaStream against a stand-in of the runtime's stream: what goes out, when, and how it ends.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Application, Environ } from 'waygate';
import { awslambda, toLambda, toLambdaStream, UnsupportedEventError } from 'waygate/aws-lambda';
import { eventWith, readEvent } from './cases.ts';
import { RuntimeStream } from './runtime-stream.ts';

const quiet = { errors: () => {} };
const url = (method = 'GET') => eventWith('function-url', method);
const rest = (method = 'GET') => eventWith('apigw-v1', method);
const text = (...chunks: string[]) => chunks.map((chunk) => Buffer.from(chunk));

function respond(status: string, headers: [string, string][], body: ReturnType<Application>): Application {
  return (_environ, startResponse) => {
    startResponse(status, headers);
    return body;
  };
}

async function invoke(app: Application, event = url(), stream = new RuntimeStream()): Promise<RuntimeStream> {
  await toLambdaStream(app, quiet)(event, stream, { awsRequestId: 'r' });
  return stream;
}

afterEach(() => vi.unstubAllGlobals());

describe('what goes out', () => {
  it('is the prelude, eight bytes of zero, and the body', async () => {
    const stream = await invoke(respond('201 Created', [['Content-Type', 'text/plain']], text('a', '', 'b')));
    expect(stream.contentType).toBe('application/vnd.awslambda.http-integration-response');
    expect(stream.prelude).toEqual({
      statusCode: 201,
      headers: { 'content-type': 'text/plain', 'content-length': '2' },
    });
    expect(stream.bodyText).toBe('ab');
    expect(stream.writableFinished).toBe(true);
  });

  it('has cookies in a list for a function URL, and in multiValueHeaders for a REST API', async () => {
    const headers: [string, string][] = [
      ['Set-Cookie', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
      ['set-cookie', 'b=2'],
      ['X-Name', 'Zo\u00c3\u00ab'],
    ];
    const app = () => respond('200 OK', headers, text('x'));
    expect((await invoke(app())).prelude).toEqual({
      statusCode: 200,
      headers: { 'x-name': 'Zoë', 'content-length': '1' },
      cookies: ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2'],
    });
    expect((await invoke(app(), rest())).prelude).toEqual({
      statusCode: 200,
      multiValueHeaders: {
        'set-cookie': ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2'],
        'x-name': ['Zoë'],
        'content-length': ['1'],
      },
    });
  });

  it.each([
    ['an empty body', 'GET', respond('200 OK', [], [])],
    ['204', 'GET', respond('204 No Content', [], text('no'))],
    ['304', 'GET', respond('304 Not Modified', [['ETag', '"a"']], [])],
    ['HEAD', 'HEAD', respond('200 OK', [['Content-Length', '5']], text('hello'))],
    ['an empty generator', 'GET', respond('200 OK', [], (function* () {})())],
  ])('is a whole response for %s: the prelude needs a write of its own', async (_name, method, app) => {
    const stream = await invoke(app, url(method));
    expect(stream.prelude.statusCode).toBeGreaterThanOrEqual(200);
    expect(stream.bodyText).toBe('');
    expect(stream.writableFinished).toBe(true);
  });

  it('has no transfer-encoding, and bytes of every kind as they are', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const stream = await invoke(
      respond(
        '200 OK',
        [['Content-Type', 'image/png']],
        (async function* () {
          yield bytes;
          yield new (class extends Uint8Array {})([1, 2, 3]);
        })(),
      ),
    );
    expect(stream.body).toEqual(Buffer.concat([bytes, Buffer.from([1, 2, 3])]));
    expect(Object.keys(stream.prelude.headers ?? {})).toEqual(['content-type']);
  });

  it('goes out as the application makes it', async () => {
    const stream = new RuntimeStream();
    let more = (): void => {};
    const gate = new Promise<void>((resolve) => {
      more = resolve;
    });
    const done = toLambdaStream(
      respond(
        '200 OK',
        [],
        (async function* () {
          yield Buffer.from('data: 1\n\n');
          await gate;
          yield Buffer.from('data: 2\n\n');
        })(),
      ),
    )(url(), stream, {});
    await vi.waitFor(() => expect(stream.bodyText).toBe('data: 1\n\n'));
    expect(stream.writableEnded).toBe(false);
    more();
    await done;
    expect(stream.bodyText).toBe('data: 1\n\ndata: 2\n\n');
  });

  it('copies what the application may overwrite', async () => {
    const shared = Buffer.alloc(1);
    const stream = await invoke(
      respond(
        '200 OK',
        [],
        (function* () {
          for (const byte of [65, 66, 67]) {
            shared[0] = byte;
            yield shared;
          }
        })(),
      ),
      url(),
      new RuntimeStream({ delayMs: 2, highWaterMark: 1000 }),
    );
    expect(stream.bodyText).toBe('ABC');
  });
});

describe('a head of more than the 16 KB that a stream may begin with', () => {
  const long = (units: number) =>
    respond(
      '200 OK',
      [['X-Long', 'v'.repeat(units)]],
      (function* (): Iterable<Uint8Array> {
        yield Buffer.from('body');
      })(),
    );
  // {"statusCode":200,"headers":{"x-long":""}} and the eight bytes of zero.
  const most = 16 * 1024 - 8 - 42;

  it('is a plain 500, and the log says how long it is', async () => {
    const fits = await invoke(long(most));
    expect([fits.prelude.statusCode, fits.bodyText]).toEqual([200, 'body']);
    const log: string[] = [];
    let closed = 0;
    const app = long(most + 1);
    const stream = new RuntimeStream();
    await toLambdaStream(
      (environ, startResponse) => Object.assign(app(environ, startResponse), { close: () => void closed++ }),
      { errors: { write: (text) => log.push(text), flush() {} } },
    )(url(), stream, {});
    expect([stream.prelude.statusCode, stream.bodyText]).toEqual([500, '500 Internal Server Error\n']);
    expect(log.join('')).toMatch(/at most 16376 bytes of JSON.* these are 16377 bytes/);
    expect(closed).toBe(1);
    expect(stream.writableFinished).toBe(true);
  });

  it('has no body for HEAD', async () => {
    const stream = await invoke(long(most + 1), rest('HEAD'));
    expect([stream.prelude.statusCode, stream.bodyText]).toEqual([500, '']);
  });
});

describe('a request that no application sees', () => {
  it.each([url, rest])('is answered with a plain page, without a body for HEAD', async (make) => {
    const refused = async (method: string) => {
      const event = make(method);
      event[event.rawPath === undefined ? 'path' : 'rawPath'] = '/a%00b';
      const stream = await invoke(() => [], event);
      return [stream.prelude.statusCode, stream.bodyText];
    };
    expect(await refused('GET')).toEqual([400, expect.stringMatching(/^400 Bad Request/)]);
    expect(await refused('HEAD')).toEqual([400, '']);
  });
});

describe('at the pace of the client', () => {
  it('the next chunk is made when there is room for it', async () => {
    const stream = new RuntimeStream({ delayMs: 1, highWaterMark: 10 });
    let ahead = 0;
    let made = 0;
    await toLambdaStream(
      respond(
        '200 OK',
        [],
        (function* () {
          for (; made < 50; made++) {
            ahead = Math.max(ahead, made * 10 - stream.bodyLength);
            yield Buffer.alloc(10);
          }
        })(),
      ),
    )(url(), stream, {});
    expect(made).toBe(50);
    expect(ahead).toBeLessThan(60);
    expect(stream.bodyLength).toBe(500);
  });

  it('a client that leaves ends the body, and the wait for room', async () => {
    const stream = new RuntimeStream({ stuck: true, highWaterMark: 1 });
    const closed = vi.fn();
    let signal: AbortSignal | undefined;
    const app: Application = (environ, startResponse) => {
      signal = environ['waygate.signal'];
      startResponse('200 OK', []);
      return (function* () {
        try {
          for (;;) yield Buffer.from('more');
        } finally {
          closed();
        }
      })();
    };
    const done = toLambdaStream(app, quiet)(url(), stream, {});
    await sleep(5);
    expect(signal?.aborted).toBe(false);
    stream.destroy();
    await done;
    expect(closed).toHaveBeenCalledTimes(1);
    expect(signal?.aborted).toBe(true);
  });

  it('returns only when the last byte has left', async () => {
    const stream = new RuntimeStream({ delayMs: 10, highWaterMark: 1000 });
    await toLambdaStream(respond('200 OK', [], text('x')))(url(), stream, {});
    expect(stream.writableFinished).toBe(true);
  });

  it('the signal of a finished response stays quiet', async () => {
    let signal: AbortSignal | undefined;
    await invoke((environ, startResponse) => {
      signal = environ['waygate.signal'];
      startResponse('200 OK', []);
      return [];
    });
    await sleep(1);
    expect(signal?.aborted).toBe(false);
  });
});

describe('failures', () => {
  it('before the head are a plain 500', async () => {
    const stream = await invoke(() => {
      throw new Error('secret');
    });
    expect(stream.prelude.statusCode).toBe(500);
    expect(stream.bodyText).toBe('500 Internal Server Error\n');
  });

  it('after it destroy the stream: no end, no text in the body, and the invocation fails', async () => {
    const stream = new RuntimeStream();
    const failure = new Error('halfway');
    const done = toLambdaStream(
      respond(
        '200 OK',
        [],
        (function* () {
          yield Buffer.from('some');
          throw failure;
        })(),
      ),
      quiet,
    )(url(), stream, {});
    await expect(done).rejects.toBe(failure);
    expect(stream.bodyText).toBe('some');
    expect(stream.destroyed).toBe(true);
    expect(stream.writableFinished).toBe(false);
  });

  it('a body shorter than its Content-Length breaks the stream', async () => {
    const stream = new RuntimeStream();
    const app = respond(
      '200 OK',
      [['Content-Length', '9']],
      (function* () {
        yield Buffer.from('some');
      })(),
    );
    await expect(toLambdaStream(app, quiet)(url(), stream, {})).rejects.toThrow('short');
    expect(stream.writableFinished).toBe(false);
  });

  it('a request that cannot be served is answered without the application', async () => {
    const app = vi.fn();
    const stream = new RuntimeStream();
    const event = { ...url('POST'), body: 'too long' };
    await toLambdaStream(app, { ...quiet, maxBodyBytes: 3 })(event, stream, {});
    expect(stream.prelude.statusCode).toBe(413);
    expect(app).not.toHaveBeenCalled();
  });

  it.each([
    ['events/not-http-go-sqs.json', 'aws:sqs'],
    ['events/apigw-v2-joined-headers.json', 'http-api, which does not stream'],
    ['events/alb-multi-go.json', 'alb, which does not stream'],
    ['events/edge-viewer-request-hono.json', 'edge, which does not stream'],
  ])('%s is refused with nothing written', async (file, message) => {
    const stream = new RuntimeStream();
    const done = Promise.resolve(toLambdaStream(() => [])(readEvent(file), stream, {}));
    await expect(done).rejects.toThrow(message);
    await expect(done).rejects.toThrow(UnsupportedEventError);
    expect(stream.sent.length).toBe(0);
  });

  it('A1: leave the stream of the runtime itself to the runtime, which ends it when the handler rejects', async () => {
    const sent: unknown[] = [];
    const destroy = vi.fn();
    const on = (): void => {};
    // As in AWS's client: an object with the methods of its request, and no Writable.
    const stream = {
      on,
      destroy,
      write: (chunk: unknown) => sent.push(chunk),
      setContentType: () => {},
      destroyed: false,
    };
    const failing = (failure: unknown) =>
      respond(
        '200 OK',
        [],
        (function* () {
          yield Buffer.from('some');
          throw failure;
        })(),
      );
    const usual = new Error('halfway');
    await expect(toLambdaStream(failing(usual), quiet)(url(), stream, {})).rejects.toBe(usual);
    for (const strange of [
      Object.assign(new Error('m'), { name: 'Gro\u00df\nFehler' }),
      Object.assign(new Error('m'), { name: undefined }),
      Object.assign(new Error('m'), { name: '' }),
      Object.defineProperty(new Error('m'), 'name', { get: () => assert.fail('never') }),
      new Error('\u0000'.repeat(100_000)),
      undefined,
      Symbol('s'),
    ]) {
      const failure = await toLambdaStream(failing(strange), quiet)(url(), stream, {}).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(failure.name).toMatch(/^[!-~]+$/);
      const { message, stack } = failure;
      expect(JSON.stringify({ message, stack }).length).toBeLessThan(8000);
    }
    expect(destroy).not.toHaveBeenCalled();
  });

  it('A1: destroy a stream that only looks like the runtime\u2019s, unless the runtime is there', async () => {
    const app = () =>
      respond(
        '200 OK',
        [],
        (function* () {
          yield Buffer.from('some');
          throw new Error('halfway');
        })(),
      );
    const off = new RuntimeStream();
    await expect(toLambdaStream(app(), quiet)(url(), off, {})).rejects.toThrow('halfway');
    expect(off.destroyed).toBe(true);
    vi.stubEnv('AWS_LAMBDA_RUNTIME_API', '127.0.0.1:9001');
    const on = new RuntimeStream();
    await expect(toLambdaStream(app(), quiet)(url(), on, {})).rejects.toThrow('halfway');
    expect(on.destroyed).toBe(false);
    const plain = new PassThrough();
    plain.on('error', () => {});
    await expect(toLambdaStream(app(), quiet)(url(), plain, {})).rejects.toThrow('halfway');
    expect(plain.destroyed).toBe(true);
    vi.unstubAllEnvs();
  });
});

describe('without a stream', () => {
  it.each([[[{ awsRequestId: 'r' }]], [[undefined, { awsRequestId: 'r' }]], [[{}, { awsRequestId: 'r' }]]])(
    'answers in one piece: handler(event, ...%j)',
    async (rest) => {
      const seen: unknown[] = [];
      const handler = toLambdaStream((environ, startResponse) => {
        seen.push(environ['aws.context']);
        startResponse('201 Created', [['Content-Type', 'text/plain']]);
        return (async function* () {
          yield* text('a', 'b');
        })();
      });
      expect(await handler(url(), ...(rest as [unknown]))).toEqual({
        statusCode: 201,
        headers: { 'content-type': 'text/plain' },
        body: 'ab',
        isBase64Encoded: false,
      });
      expect(seen).toEqual([{ awsRequestId: 'r' }]);
    },
  );

  it('answers every event source, as toLambda does', async () => {
    const handler = toLambdaStream(respond('200 OK', [], text('x')));
    for (const kind of ['apigw-v2', 'alb', 'lattice-v2', 'edge-viewer-request', 'apigw-v1']) {
      expect(await handler(eventWith(kind, 'GET'), {})).toMatchObject({ body: 'x' });
    }
    await expect(handler({ source: 'warm-up' }, {})).rejects.toThrow(UnsupportedEventError);
  });
});

describe('work after the response', () => {
  it('is waited for, after the client has everything', async () => {
    const order: string[] = [];
    const stream = new RuntimeStream();
    stream.on('finish', () => order.push('finish'));
    await toLambdaStream((environ: Environ, startResponse) => {
      environ['waygate.wait_until'](
        sleep(10).then(() => {
          order.push('work');
          environ['waygate.wait_until'](sleep(1).then(() => order.push('more work')));
        }),
      );
      startResponse('200 OK', []);
      return [];
    })(url(), stream, {});
    order.push('returned');
    expect(order).toEqual(['finish', 'work', 'more work', 'returned']);
  });
});

describe('the runtime', () => {
  it('finds the mark of a streaming handler, with its global or without', () => {
    const mark = Symbol.for('aws.lambda.runtime.handler.streaming');
    expect((toLambdaStream(() => []) as never)[mark]).toBe('response');
    expect((toLambda(() => []) as never)[mark]).toBeUndefined();
    const streamifyResponse = vi.fn((handler) => handler);
    vi.stubGlobal('awslambda', { ...awslambda, streamifyResponse });
    toLambdaStream(() => []);
    expect(streamifyResponse).toHaveBeenCalledTimes(1);
  });

  it('A2: gets the request not to wait for what the function has open', async () => {
    const context = { callbackWaitsForEmptyEventLoop: true };
    await toLambdaStream(respond('200 OK', [], []))(url(), new RuntimeStream(), context);
    expect(context.callbackWaitsForEmptyEventLoop).toBe(false);
    for (const odd of [undefined, null, 'context', Object.freeze({ callbackWaitsForEmptyEventLoop: true }), {}]) {
      const stream = new RuntimeStream();
      await toLambdaStream(respond('200 OK', [], text('x')))(url(), stream, odd);
      expect(stream.bodyText).toBe('x');
    }
    expect(Object.keys({ ...context })).toEqual(['callbackWaitsForEmptyEventLoop']);
  });

  it.each([
    ['empty, as the AWS SDK makes it', {}],
    ['null', null],
    ['another', { InvokeStore: {}, streamifyResponse: true, HttpResponseStream: {} }],
    ['a stub that has one member', { streamifyResponse: (handler: unknown) => handler }],
    ['a stub that has the other', { HttpResponseStream: awslambda.HttpResponseStream }],
  ])('A3: has a global of its name that is %s', async (_title, stub) => {
    vi.stubGlobal('awslambda', stub);
    const handler = toLambdaStream(respond('200 OK', [['X-A', 'b']], text('x')));
    expect((handler as never)[Symbol.for('aws.lambda.runtime.handler.streaming')]).toBe('response');
    const stream = new RuntimeStream();
    await handler(url(), stream, {});
    expect([stream.prelude.headers, stream.bodyText]).toEqual([{ 'x-a': 'b', 'content-length': '1' }, 'x']);
  });

  it('sends the prelude through its own HttpResponseStream', async () => {
    const from = vi.fn(awslambda.HttpResponseStream.from);
    vi.stubGlobal('awslambda', { ...awslambda, HttpResponseStream: { from } });
    const stream = await invoke(respond('200 OK', [], text('x')));
    expect(from).toHaveBeenCalledWith(stream, { statusCode: 200, headers: { 'content-length': '1' } });
    expect(stream.bodyText).toBe('x');
  });
});
