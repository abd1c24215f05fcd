// timeout: a response that takes too long is answered for or broken off, the application learns of it, and no timer is left.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Application, type ApplicationBody, encode, type Middleware } from 'waygate';
import { fromLambda, toLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { timeout, validator } from 'waygate/middleware';
import { serve } from 'waygate/node';
import { ask, hello } from './answers.ts';
import { checked, closeAll, everywhere } from './everywhere.ts';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const HEAD: [string, string][] = [['Content-Type', 'text/plain']];
const short: Middleware = (app) => timeout(app, { ms: 30 });

/** The timers that were set and neither fired nor cleared. */
let timers = new Map<unknown, number>();

beforeEach(() => {
  timers = new Map();
  const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void, ms?: number) => {
    const timer = set(() => {
      timers.delete(timer);
      callback();
    }, ms);
    timers.set(timer, ms ?? 0);
    return timer;
  }) as never);
  vi.spyOn(globalThis, 'clearTimeout').mockImplementation(((timer: unknown) => {
    timers.delete(timer);
    clear(timer as never);
  }) as never);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});

describe('where no byte went out, the client gets a 503', () => {
  const late: [string, Application][] = [
    ['an application that never answers', () => new Promise<ApplicationBody>(() => {})],
    [
      'an application that has called startResponse and never answers',
      (_environ, startResponse) => {
        startResponse('200 OK', HEAD);
        return new Promise<ApplicationBody>(() => {});
      },
    ],
    [
      'a body that gives nothing',
      (_environ, startResponse) => {
        startResponse('200 OK', HEAD);
        return (async function* () {
          await new Promise(() => {});
          yield encode('');
        })();
      },
    ],
    [
      'a stream that gives nothing',
      (_environ, startResponse) => {
        startResponse('200 OK', HEAD);
        return new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) }) as ApplicationBody;
      },
    ],
    [
      'an application that waits for its signal',
      (environ) =>
        new Promise<ApplicationBody>((_resolve, reject) => {
          const signal = environ['waygate.signal'];
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    ],
  ];
  test.each(late)('%s', async (_title, app) => {
    const { status, text, headers, log } = await ask(checked(short, app));
    expect([status, text]).toEqual(['503 Service Unavailable', '503 Service Unavailable\n']);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(log).toBe('timeout: "GET" "/" got a 503. The response was not complete after 30 ms.\n');
    expect(timers.size).toBe(0);
  });

  test('or a 504', async () => {
    const app = timeout(() => new Promise<ApplicationBody>(() => {}), { ms: 5, status: 504 });
    expect((await ask(app)).status).toBe('504 Gateway Timeout');
  });

  test('on every platform', async () => {
    const app = timeout(async () => new Promise<ApplicationBody>(() => {}), { ms: 30 });
    for (const [platform, call] of await everywhere(app, { errors: () => {} }))
      expect((await call('/')).status, platform).toBe(503);
    // Servers and clients have timers of their own.
    await vi.waitFor(() => expect([...timers.values()].filter((ms) => ms <= 30)).toEqual([]));
  });
});

describe('where bytes went out, the response is broken off', () => {
  const begun: [string, Application][] = [
    [
      'a body that stops giving',
      (_environ, startResponse) => {
        startResponse('200 OK', HEAD);
        return (async function* () {
          yield encode('begun');
          await new Promise(() => {});
        })();
      },
    ],
    [
      'an application that wrote and never answers',
      (_environ, startResponse) => {
        startResponse('200 OK', HEAD)(encode('begun'));
        return new Promise<ApplicationBody>(() => {});
      },
    ],
    [
      'a synchronous body whose chunks are asked for too late',
      (_environ, startResponse) => {
        startResponse('200 OK', HEAD);
        return (function* () {
          yield encode('begun');
          const end = performance.now() + 60;
          while (performance.now() < end);
          yield encode('more');
          yield encode('never');
        })();
      },
    ],
  ];
  test.each(begun)('%s', async (title, app) => {
    const lines: string[] = [];
    const { url, close } = await serve(checked(short, app), {
      port: 0,
      signals: false,
      errors: (line) => void lines.push(line),
    });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    if (!title.startsWith('a synchronous')) {
      await expect(response.text()).rejects.toThrow();
      const own = lines.filter((line) => !line.includes('[WRITE-02]'));
      expect(own).toEqual(['RequestError: The response was not complete after 30 ms.']);
    } else await response.text().catch(() => {});
    await vi.waitFor(() => expect(timers.size).toBe(0));
    await close();
  });
});

describe('the signal', () => {
  test('aborts with a TimeoutError, also where it is first read after that', async () => {
    for (const first of [0, 50]) {
      let reason: unknown;
      let done = false;
      const app = timeout(
        async (environ) => {
          await wait(first);
          const signal = environ['waygate.signal'];
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
          reason = signal.reason;
          done = true;
          throw reason;
        },
        { ms: 20 },
      );
      const { log } = await ask(app);
      await vi.waitFor(() => expect(done).toBe(true));
      expect((reason as DOMException).name).toBe('TimeoutError');
      expect(log.trim().split('\n')).toHaveLength(1);
    }
  });

  test('aborts when the client leaves, as without a timeout, and the timer goes with it', async () => {
    let signal: AbortSignal | undefined;
    let release: (() => void) | undefined;
    const app = timeout(
      async (environ, startResponse) => {
        signal = environ['waygate.signal'];
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        startResponse('200 OK', HEAD);
        return [];
      },
      { ms: 60_000 },
    );
    const { url, close } = await serve(app, { port: 0, signals: false });
    const controller = new AbortController();
    const response = fetch(url, { signal: controller.signal }).catch(() => {});
    await vi.waitFor(() => expect(release).toBeDefined());
    expect(signal?.aborted).toBe(false);
    controller.abort();
    await response;
    await vi.waitFor(() => expect(signal?.aborted).toBe(true));
    expect(signal?.reason).not.toMatchObject({ name: 'TimeoutError' });
    const long = vi
      .mocked(setTimeout)
      .mock.results.filter((_, at) => (vi.mocked(setTimeout).mock.calls[at]?.[1] as number) > 50_000);
    for (const { value } of long) expect(timers.has(value)).toBe(false);
    release?.();
    await close();
  });

  test('does not abort when the response was in time', async () => {
    let signal: AbortSignal | undefined;
    const app = timeout(
      async (environ, startResponse) => {
        signal = environ['waygate.signal'];
        return hello(environ, startResponse);
      },
      { ms: 20 },
    );
    expect((await ask(app)).text).toBe('hello');
    expect(timers.size).toBe(0);
    await wait(40);
    expect(signal?.aborted).toBe(false);
  });
});

test('what a late application still does has no effect, and its body is closed once', async () => {
  let closed = 0;
  let refused: unknown;
  const app = timeout(
    async (_environ, startResponse) => {
      await wait(40);
      try {
        startResponse('200 OK', HEAD);
      } catch (error) {
        refused = error;
      }
      return Object.assign([encode('late')], { close: () => void closed++ });
    },
    { ms: 10 },
  );
  expect((await ask(app)).status).toBe('503 Service Unavailable');
  await vi.waitFor(() => expect(closed).toBe(1));
  expect(refused).toMatchObject({ status: 503 });
});

test('a late failure is logged, once, unless it is that of the signal', async () => {
  const lines: string[] = [];
  const app = timeout(
    async () => {
      await wait(30);
      throw new Error('late');
    },
    { ms: 10 },
  );
  const call = toFetch(app, { errors: (line) => void lines.push(line) });
  expect((await call('http://localhost/')).status).toBe(503);
  await vi.waitFor(() => expect(lines).toHaveLength(2));
  expect(lines[1]).toMatch(/^Error: late\n/);
});

test('an array sets no timer, a body that ends clears its own', async () => {
  const before = vi.mocked(setTimeout).mock.calls.length;
  await ask(timeout(hello, { ms: 1000 }));
  expect(vi.mocked(setTimeout).mock.calls.length).toBe(before);
  const streamed: Application = (_environ, startResponse) => {
    startResponse('200 OK', HEAD);
    return (async function* () {
      yield encode('a');
    })();
  };
  expect((await ask(timeout(streamed, { ms: 1000 }))).text).toBe('a');
  expect(vi.mocked(setTimeout).mock.calls.length).toBe(before + 1);
  expect(timers.size).toBe(0);
  const fails: Application = async () => {
    throw new Error('no');
  };
  expect((await ask(timeout(fails, { ms: 1000 }))).status).toBe('500 Internal Server Error');
  expect(timers.size).toBe(0);
});

test('without a time and off Lambda nothing happens: the body is the very same', async () => {
  const body: ApplicationBody = [];
  expect(timeout(() => body)({} as never, (() => {}) as never)).toBe(body);
});

test('on Lambda the deadline of the invocation counts, less the margin', async () => {
  const app = validator(timeout(async () => new Promise<ApplicationBody>(() => {}), { marginMs: 100 }));
  const handler = toLambda(app, { errors: () => {} });
  const short = (event: never, context: object) =>
    handler(event, { ...context, getRemainingTimeInMillis: () => 150 } as never);
  const call = toFetch(fromLambda(short as never, { source: 'http-api' }), { errors: () => {} });
  const begun = performance.now();
  expect((await call('http://localhost/')).status).toBe(503);
  expect(performance.now() - begun).toBeLessThan(3000);
  const none = timeout(async (environ, startResponse) => hello(environ, startResponse), { marginMs: 10_000_000 });
  expect((await ask(none, { 'aws.context': { getRemainingTimeInMillis: () => 'no' } })).text).toBe('hello');
});

test.each([{ ms: -1 }, { ms: '5' }, { ms: Number.NaN }, { marginMs: -1 }, { status: 500 }] as never[])(
  'the options %j are refused',
  (options) => {
    expect(() => timeout(hello, options)).toThrow(TypeError);
  },
);
