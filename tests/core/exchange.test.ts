// What of the gateway cannot be seen through an adapter; all else is in the conformance suite.

import { describe, expect, it } from 'vitest';
import {
  type Application,
  type ApplicationBody,
  decodeWsgi,
  encode,
  type GatewayResponse,
  type ResponseBody,
  run,
  setupTestingDefaults,
} from 'waygate';
import { FLUSH } from '../../core/body.ts';
import { Exchange } from '../../core/exchange.ts';
import { nativeFromBytes } from '../../core/strings.ts';

describe('the response of an async application', () => {
  it('is there as soon as the application has written, also before its first await (WRITE-01)', async () => {
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const app: Application = async (_environ, startResponse) => {
      startResponse('200 OK', [])(encode('early'));
      await left;
      return [];
    };
    const response = await run(app, setupTestingDefaults());
    expect(response.status).toBe('200 OK');
    leave();
  });
});

describe('a receiver of the response (CALL-04)', () => {
  /** Notes what a receiver gets, and when. */
  const receiver = () => {
    const got: string[] = [];
    return { got, answer: (response: GatewayResponse) => void got.push(response.status) };
  };
  const ok: Application = (_environ, startResponse) => {
    startResponse('200 OK', []);
    return [];
  };

  it('of a synchronous application has it at once', () => {
    const { got, answer } = receiver();
    new Exchange(setupTestingDefaults()).runTo(ok, { answer });
    expect(got).toEqual(['200 OK']);
  });

  it.each<[string, Application, string]>([
    ['an application that throws', () => expect.fail('on purpose'), '500 Internal Server Error'],
    ['an application that rejects', () => Promise.reject(new Error('on purpose')), '500 Internal Server Error'],
    ['an asynchronous application', async (environ, startResponse) => ok(environ, startResponse), '200 OK'],
    [
      'an application with an asynchronous body',
      async function* (_environ, startResponse) {
        startResponse('201 Created', []);
        await null;
        yield encode('a');
      },
      '201 Created',
    ],
    [
      'a thenable that answers twice',
      ((environ, startResponse) => ({
        // biome-ignore lint/suspicious/noThenProperty: this is what the test is about.
        then(taken: (body: ApplicationBody) => void) {
          const body = ok(environ, startResponse) as ApplicationBody;
          taken(body);
          taken(body);
        },
      })) as Application,
      '200 OK',
    ],
    [
      'an application that writes before and after its first await',
      async (_environ, startResponse) => {
        const write = startResponse('202 Accepted', []);
        await Promise.race([write(encode('a')), null]);
        await Promise.race([write(encode('b')), null]);
        return [];
      },
      '202 Accepted',
    ],
    [
      'an application that fails after it has written',
      async (_environ, startResponse) => {
        await null;
        await Promise.race([startResponse('202 Accepted', [])(encode('a')), null]);
        throw new Error('on purpose');
      },
      '202 Accepted',
    ],
  ])('of %s has it once', async (_what, app, status) => {
    const { got, answer } = receiver();
    new Exchange(setupTestingDefaults({ 'wsgi.errors': { write() {}, writelines() {}, flush() {} } })).runTo(app, {
      answer,
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(got).toEqual([status]);
  });

  it('is not called from inside a write: the application comes to rest first', async () => {
    const { got, answer } = receiver();
    const seen: unknown[] = [];
    new Exchange(setupTestingDefaults()).runTo(
      async (_environ, startResponse) => {
        await null;
        startResponse('200 OK', [])(encode('a'));
        seen.push(got.length);
        return [];
      },
      { answer },
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect({ seen, got }).toEqual({ seen: [0], got: ['200 OK'] });
  });

  it('of an exchange that is closed meanwhile has it once, and the application may go on', async () => {
    const { got, answer } = receiver();
    const exchange = new Exchange(setupTestingDefaults());
    exchange.runTo(
      async (environ, startResponse) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return ok(environ, startResponse);
      },
      { answer },
    );
    await exchange.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(got).toEqual(['499 Client Closed Request']);
  });
});

describe('a client that left while the application was working (ERR-05)', () => {
  const gone = () => {
    const log: string[] = [];
    const errors = { write: (text: string) => void log.push(text), writelines: () => {}, flush: () => {} };
    return { log, environ: setupTestingDefaults({ 'wsgi.errors': errors }) };
  };

  it('is not a fault of an application that starts its response later', async () => {
    const { log, environ } = gone();
    const exchange = new Exchange(environ);
    let closed = 0;
    const response = exchange.run(async (_environ, startResponse) => {
      await null;
      const write = startResponse('200 OK', []);
      await write(encode('nobody reads this')).catch(() => {});
      return Object.assign([encode('nor this')], { close: () => void closed++ });
    });
    await exchange.close();
    await response;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect({ log, closed }).toEqual({ log: [], closed: 1 });
  });

  it('is not a fault of an application whose body starts the response later', async () => {
    const { log, environ } = gone();
    const exchange = new Exchange(environ);
    const response = exchange.run(async function* (_environ, startResponse) {
      await null;
      startResponse('200 OK', []);
      yield encode('nobody reads this');
    });
    await exchange.close();
    await response;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(log).toEqual([]);
  });

  it('is not a fault of a body that was given up for it before it had started the response', async () => {
    const { log, environ } = gone();
    const exchange = new Exchange(environ);
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    // biome-ignore lint/correctness/useYield: it ends ahead of its first chunk
    const response = exchange.run(async function* () {
      await left;
    });
    exchange.close();
    leave();
    expect((await response).statusCode).toBe(499);
    expect(log).toEqual([]);
  });

  it('does not hide what the application does wrong by itself', async () => {
    const { log, environ } = gone();
    const exchange = new Exchange(environ);
    const response = exchange.run(async (_environ, startResponse) => {
      await null;
      startResponse('bad', []);
      return [];
    });
    await exchange.close();
    await response;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(log.join('')).toContain('SR-02');
  });
});

describe('what lingers after close()', () => {
  const gate = (): { opened: Promise<void>; open(): void } => {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { opened, open };
  };

  it('is the step that a generator is in, up to the end of its finally (CLOSE-03)', async () => {
    const { opened, open } = gate();
    const done: string[] = [];
    const app: Application = async function* (_environ, startResponse) {
      startResponse('200 OK', []);
      try {
        yield encode('first');
        await opened;
        yield encode('second');
      } finally {
        await null;
        done.push('closed');
      }
    };
    const work: Promise<unknown>[] = [];
    const response = await run(app, setupTestingDefaults(), { context: { waitUntil: (each) => void work.push(each) } });
    const body = response.body as ResponseBody;
    body.next();
    const second = body.next();
    await body.close();
    expect(work).toHaveLength(1);
    expect(done).toEqual([]);
    open();
    await Promise.all([second, ...work]);
    expect(done).toEqual(['closed']);
  });

  it('is an application that has not answered yet, and the close() of its body (ERR-05)', async () => {
    const { opened, open } = gate();
    const done: string[] = [];
    const app: Application = async () => {
      await opened;
      done.push('answered');
      return Object.assign([encode('late')], {
        async close() {
          await null;
          done.push('closed');
        },
      });
    };
    const work: Promise<unknown>[] = [];
    const exchange = new Exchange(setupTestingDefaults(), { context: { waitUntil: (each) => void work.push(each) } });
    const response = exchange.run(app);
    exchange.close();
    expect((await response).statusCode).toBe(499);
    expect(work).toHaveLength(1);
    open();
    await Promise.all(work);
    expect(done).toEqual(['answered', 'closed']);
  });
});

describe('a synchronous application', () => {
  const bodies: [string, () => ApplicationBody][] = [
    ['an array', () => [encode('a'), encode('b')]],
    [
      'a generator',
      function* () {
        yield encode('a');
        yield encode('b');
      },
    ],
  ];
  it.each(bodies)('with %s as body takes no microtask from the call to the last chunk', (_what, make) => {
    const response = run((_environ, startResponse) => {
      startResponse('200 OK', []);
      return make();
    }, setupTestingDefaults());
    expect(response).not.toBeInstanceOf(Promise);
    const { body } = response as GatewayResponse;
    let text = '';
    if (Array.isArray(body)) text = body.map((chunk) => decodeWsgi(nativeFromBytes(chunk))).join('');
    else {
      for (let chunk = body.next(); chunk !== null; chunk = body.next()) {
        expect(chunk).not.toBeInstanceOf(Promise);
        text += decodeWsgi(nativeFromBytes(chunk as Uint8Array));
      }
      expect(body.close()).toBe(undefined);
    }
    expect(text).toBe('ab');
  });
});

describe('the body of a response', () => {
  const answer = async (make: () => ApplicationBody, options = {}): Promise<GatewayResponse> =>
    run(
      (_environ, startResponse) => {
        startResponse('200 OK', []);
        return make();
      },
      setupTestingDefaults(),
      options,
    );

  it('can be iterated, and leaving the loop closes it once', async () => {
    let closed = 0;
    const make = (): ApplicationBody => {
      const chunks = (function* () {
        yield encode('a');
        yield encode('b');
      })();
      return Object.assign(chunks, { close: () => void closed++ });
    };
    const whole = (await answer(make)).body as ResponseBody;
    let count = 0;
    for await (const chunk of whole) count += chunk.byteLength;
    expect([count, closed]).toEqual([2, 1]);
    const left = (await answer(make)).body as ResponseBody;
    for await (const _chunk of left) break;
    await left.close();
    expect(closed).toBe(2);
    const failing = (): ApplicationBody => ({
      *[Symbol.iterator]() {
        yield encode('a');
        throw new Error('planned');
      },
      close: () => void closed++,
    });
    const errors = { write() {}, writelines() {}, flush() {} };
    const environ = setupTestingDefaults({ 'wsgi.errors': errors });
    const broken = await run((_environ, startResponse) => {
      startResponse('200 OK', []);
      return failing();
    }, environ);
    const drain = async (): Promise<void> => {
      for await (const _chunk of broken.body as ResponseBody);
    };
    await expect(drain()).rejects.toThrow('planned');
    expect(closed).toBe(3);
  });

  it('is a native stream untouched, where the platform takes streams and nothing has to be watched', async () => {
    const stream = new Blob(['a']).stream();
    expect(((await answer(() => stream, { takesStreams: true })).body as ResponseBody).stream).toBe(stream);
    expect(((await answer(() => new Blob(['a']).stream())).body as ResponseBody).stream).toBe(null);
  });

  it('is compared with the class only where it may be one: in Node the first look at that loads all web streams', async () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'ReadableStream') as PropertyDescriptor;
    const { ReadableStream } = globalThis;
    let looks = 0;
    const get = (): typeof ReadableStream => {
      looks += 1;
      return ReadableStream;
    };
    Object.defineProperty(globalThis, 'ReadableStream', { configurable: true, get });
    try {
      const bodies = [
        () => [encode('a'), encode('b')],
        function* () {
          yield encode('a');
        },
        async function* () {
          yield encode('a');
        },
      ];
      for (const make of bodies) {
        const { body } = await answer(make as () => ApplicationBody);
        if (Array.isArray(body)) continue;
        for await (const _chunk of body);
        await body.close();
      }
      expect(looks).toBe(0);
      const { body } = await answer(() => new Blob(['a']).stream());
      for await (const _chunk of body as ResponseBody);
      expect(looks).toBeGreaterThan(0);
    } finally {
      Object.defineProperty(globalThis, 'ReadableStream', own);
    }
  });

  it('is read as a stream, whatever iterator somebody has given it', async () => {
    class Own extends ReadableStream<Uint8Array> {
      override async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
        yield encode('its own');
        return undefined;
      }
    }
    const native: UnderlyingDefaultSource<Uint8Array> = {
      start(controller) {
        controller.enqueue(encode('native'));
        controller.close();
      },
    };
    const named = Object.assign(new ReadableStream(native), {
      [Symbol.asyncIterator]: Own.prototype[Symbol.asyncIterator],
    });
    for (const stream of [new Own(native), named]) {
      const { body } = await answer(() => stream);
      const chunks: Uint8Array[] = [];
      for await (const chunk of body as ResponseBody) chunks.push(chunk);
      expect(chunks.map(nativeFromBytes)).toEqual(['native']);
    }
  });

  it('may be pulled all the same where an adapter that takes streams has no use for this one', async () => {
    const { body } = await answer(() => new Blob(['ab']).stream(), { takesStreams: true });
    const chunks: Uint8Array[] = [];
    for await (const chunk of body as ResponseBody) chunks.push(chunk);
    expect(chunks.map(nativeFromBytes).join('')).toBe('ab');
    expect((body as ResponseBody).stream).toBe(null);
  });

  it('goes to the adapter unread where that answers natively, and startResponse was not called', async () => {
    const branded = { [Symbol.iterator]: () => expect.fail('it was iterated') };
    const native = { of: 'the platform' };
    const asked: unknown[] = [];
    const response = await run(() => branded as never, setupTestingDefaults(), {
      passthrough: (body, startResponse) => {
        asked.push(body, typeof startResponse);
        return native;
      },
    });
    expect(response.passthrough).toBe(native);
    // Not toEqual, which iterates.
    expect([asked[0] === branded, asked[1]]).toEqual([true, 'function']);
    const started = await answer(() => [encode('a')], { native: () => expect.fail('it was asked') });
    expect(started.status).toBe('200 OK');
  });
});

describe('a body of a hosted app that asks for its head', () => {
  /** A body of these chunks and a promise that never settles. */
  const hanging = (chunk: Uint8Array): Application => {
    return async function* (_environ: unknown, startResponse: (status: string, headers: []) => unknown) {
      startResponse('200 OK', []);
      yield chunk;
      await new Promise(() => {});
    } as unknown as Application;
  };

  it('has it at once, without a length and with nothing of the body', async () => {
    const response = await run(hanging(FLUSH), setupTestingDefaults());
    expect(response).toMatchObject({ status: '200 OK', headers: [], body: { wantsHead: true } });
    (response.body as ResponseBody).close();
  });

  it('is not any other empty chunk: that commits nothing (BODY-07)', async () => {
    const answer = Promise.resolve(run(hanging(new Uint8Array(0)), setupTestingDefaults()));
    const pending = new Promise((resolve) => setTimeout(resolve, 5, 'pending'));
    expect(await Promise.race([answer, pending])).toBe('pending');
  });

  it('goes on to its chunks, and a later one of the kind is skipped', async () => {
    const app = async function* (_environ: unknown, startResponse: (status: string, headers: []) => unknown) {
      startResponse('200 OK', []);
      yield FLUSH;
      yield FLUSH;
      yield encode('a');
      yield FLUSH;
    } as unknown as Application;
    const { body } = (await run(app, setupTestingDefaults())) as { body: ResponseBody };
    expect([await body.next(), await body.next()]).toEqual([encode('a'), null]);
    const head = await run(app, setupTestingDefaults({ REQUEST_METHOD: 'HEAD' }));
    expect(await (head.body as ResponseBody).next()).toBeNull();
  });
});
