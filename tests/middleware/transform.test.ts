// What all middleware that changes bodies is built on: applications of every shape through changes of every kind, between
// two validators.

import { describe, expect, test } from 'vitest';
import {
  type Application,
  type ApplicationBody,
  encode,
  FileWrapper,
  type Middleware,
  run,
  setupTestingDefaults,
} from 'waygate';
import { fromFetch, toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { FLUSH } from '../../core/body.ts';
import type { ChunkCoder } from '../../core/coding.ts';
import type { Decide } from '../../middleware/outcome.ts';
import { transform } from '../../middleware/transform.ts';
import { sandwiched } from './platforms.ts';

const TYPE: [string, string][] = [['Content-Type', 'text/plain']];
const upper = (chunk: Uint8Array): Uint8Array => encode(new TextDecoder().decode(chunk).toUpperCase());
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Says what became of it. */
interface Coder extends ChunkCoder {
  destroyed: number;
}

const coders: Coder[] = [];
function coder(steps: Pick<ChunkCoder, 'write' | 'end'>): Coder {
  const made: Coder = { ...steps, destroyed: 0, destroy: () => void made.destroyed++ };
  coders.push(made);
  return made;
}

const around =
  (decide: Decide, waits = true): Middleware =>
  (app) =>
  (environ, startResponse) =>
    transform(app, environ, startResponse, decide, waits);

const without = (headers: [string, string][]): [string, string][] =>
  headers.filter(([name]) => name.toLowerCase() !== 'content-length');

const CHANGES: Record<string, [Middleware, (text: string) => string]> = {
  nothing: [around(({ status, headers }) => ({ status, headers }), false), (text) => text],
  'each chunk, at once': [
    around(({ status, headers }) => ({
      status,
      headers: without(headers),
      coder: () => coder({ write: (chunk) => [upper(chunk)], end: () => [encode('.')] }),
    })),
    (text) => `${text.toUpperCase()}.`,
  ],
  'each chunk, later': [
    around(({ status, headers }) => ({
      status,
      headers: without(headers),
      coder: () =>
        coder({
          write: async (chunk) => {
            await later();
            return [upper(chunk), encode('')];
          },
          end: async () => [],
        }),
    })),
    (text) => text.toUpperCase(),
  ],
  'held back to the end': [
    around(({ status, headers }) => {
      const held: Uint8Array[] = [];
      return {
        status,
        headers: without(headers),
        coder: () =>
          coder({
            write: (chunk) => {
              held.push(upper(chunk));
              return [];
            },
            end: () => held,
          }),
      };
    }),
    (text) => text.toUpperCase(),
  ],
  'another body': [
    around(({ status, headers }) => ({ status, headers: without(headers), chunks: [encode('another')] }), false),
    () => 'another',
  ],
  'another body, later': [
    around(({ status, headers }) => ({
      status,
      headers: without(headers),
      chunks: later().then(() => [encode('ano'), encode('ther')]),
    })),
    () => 'another',
  ],
};

let closed = 0;
const closing = <T extends object>(body: T): T => Object.assign(body, { close: () => void closed++ });
const file = (text: string): FileWrapper => {
  let rest = encode(text);
  return new FileWrapper({
    read(size) {
      const block = rest.subarray(0, size);
      rest = rest.subarray(size);
      return block;
    },
    close: () => void closed++,
    remaining: () => rest.byteLength,
  });
};
const parts = ['a', '', 'bc', 'd'];
const text = 'abcd';

/** Applications that all answer the same; with `true` if they have something to close. */
const SHAPES: [name: string, app: Application, closes: boolean][] = [
  [
    'an array',
    (_e, start) => {
      start('200 OK', TYPE);
      return parts.map(encode);
    },
    false,
  ],
  [
    'an array with close',
    (_e, start) => {
      start('200 OK', TYPE);
      return closing(parts.map(encode));
    },
    true,
  ],
  [
    'a promise of an array',
    async (_e, start) => {
      await later();
      start('200 OK', TYPE);
      return parts.map(encode);
    },
    false,
  ],
  [
    'a generator',
    (_e, start) => {
      start('200 OK', TYPE);
      return closing(parts.map(encode).values());
    },
    true,
  ],
  [
    'a generator that starts the response in its first step',
    (_e, start) =>
      closing(
        (function* () {
          start('200 OK', TYPE);
          for (const part of parts) yield encode(part);
        })(),
      ),
    true,
  ],
  [
    'an async generator that starts the response late',
    (_e, start) =>
      closing(
        (async function* () {
          await later();
          yield encode('');
          start('200 OK', TYPE);
          for (const part of parts) yield encode(part);
        })(),
      ),
    true,
  ],
  [
    'a generator that replaces its head before the first byte',
    (_e, start) => {
      start('500 Oh', TYPE);
      return closing(
        (function* () {
          yield encode('');
          start('200 OK', TYPE, new Error('never mind'));
          for (const part of parts) yield encode(part);
        })(),
      );
    },
    true,
  ],
  [
    'a late head with its length, in one chunk',
    (_e, start) =>
      closing(
        (function* () {
          start('200 OK', [...TYPE, ['Content-Length', '4']]);
          yield encode(text);
        })(),
      ),
    true,
  ],
  [
    'a stream',
    (_e, start) => {
      start('200 OK', TYPE);
      return new ReadableStream({
        start(controller) {
          for (const part of parts) controller.enqueue(encode(part));
          controller.close();
        },
      });
    },
    false,
  ],
  [
    'a file',
    (_e, start) => {
      start('200 OK', TYPE);
      return file(text);
    },
    true,
  ],
  [
    'a declared length and chunks',
    (_e, start) => {
      start('200 OK', [...TYPE, ['Content-Length', '4']]);
      return closing(parts.map(encode).values());
    },
    true,
  ],
  [
    'write, then a body',
    (_e, start) => {
      const write = start('200 OK', TYPE);
      write(encode('a'));
      write(encode(''));
      write(encode('b'));
      return closing([encode('c'), encode('d')].values());
    },
    true,
  ],
  [
    'write while it runs, then a body',
    async (_e, start) => {
      const write = start('200 OK', TYPE);
      await write(encode('a'));
      await later();
      await write(encode('bc'));
      return closing([encode('d')].values());
    },
    true,
  ],
];

async function answer(app: Application, log: string[] = []): Promise<Response> {
  return toFetch(app, { errors: (line) => void log.push(line) })('/');
}

describe.each(Object.entries(CHANGES))('%s is changed', (_change, [middleware, expected]) => {
  test.each(SHAPES)('in %s', async (shape, app, closes) => {
    for (const wrap of [middleware, sandwiched(middleware)]) {
      closed = 0;
      coders.length = 0;
      const log: string[] = [];
      const response = await answer(wrap(app), log);
      // Where the body is not read, nobody learns what it would have done.
      const replaced = expected(text) === 'another' && shape.includes('replaces its head');
      expect(response.status).toBe(replaced ? 500 : 200);
      expect(await response.text()).toBe(expected(text));
      await new Promise((resolve) => setTimeout(resolve, 10));
      // Applications that push are told to yield instead; else there is nothing to say.
      expect(log.filter((line) => !/WRITE-02|L-51/.test(line))).toEqual([]);
      expect(closed).toBe(closes ? 1 : 0);
      expect(coders.map(({ destroyed }) => destroyed)).toEqual(coders.map(() => 1));
    }
  });

  test('in a hosted app whose head comes first', async () => {
    const hosted = fromFetch(
      () => new Response(new Blob([text]).stream(), { headers: { 'Content-Type': 'text/plain' } }),
    );
    const log: string[] = [];
    expect(await (await answer(sandwiched(middleware)(hosted), log)).text()).toBe(expected(text));
    expect(log).toEqual([]);
  });
});

test.each(Object.entries(CHANGES))(
  'where %s is changed, an application that does not wait is answered at once',
  (name, [middleware]) => {
    const environ = setupTestingDefaults();
    for (const [shape, app] of SHAPES.slice(0, 2)) {
      const response = run(middleware(app), { ...environ });
      expect(`${shape}: ${response instanceof Promise}`).toBe(
        `${shape}: ${/later/.test(name) && response instanceof Promise}`,
      );
    }
    if (!/later/.test(name))
      expect(run(middleware(SHAPES[4]?.[1] as Application), { ...environ })).not.toBeInstanceOf(Promise);
  },
);

test('what is not changed is handed on as it is: the same stream, the same file, with its length', async () => {
  const [middleware] = CHANGES.nothing as [Middleware, unknown];
  const stream = new ReadableStream();
  const body = middleware((_e, start) => {
    start('200 OK', TYPE);
    return stream;
  })(setupTestingDefaults(), () => async () => {});
  expect(body).toBe(stream);
  const response = await answer(
    middleware((_e, start) => {
      start('200 OK', TYPE);
      return file(text);
    }),
  );
  expect(response.headers.get('content-length')).toBe('4');
});

test('the error that a head was replaced with is handed on (MW-04)', () => {
  for (const name of ['nothing', 'another body', 'each chunk, at once']) {
    const failure = new Error('never mind');
    const given: unknown[] = [];
    const app: Application = (_e, start) => {
      start('500 Oh', TYPE);
      start('200 OK', TYPE, failure);
      return [encode(text)];
    };
    (CHANGES[name] as [Middleware, unknown])[0](app)(setupTestingDefaults(), (status, _headers, error) => {
      given.push([status, error]);
      return async () => {};
    });
    expect(given, name).toEqual([['200 OK', failure]]);
  }
});

test('the chunk that asks for the head stays what it is', async () => {
  for (const [middleware] of [CHANGES.nothing, CHANGES['each chunk, later']] as [Middleware, unknown][]) {
    let go = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    const response = await answer(
      middleware((_e, start) =>
        (async function* () {
          start('200 OK', TYPE);
          yield FLUSH;
          await waiting;
          yield encode('abc');
        })(),
      ),
    );
    expect(response.status).toBe(200);
    go();
    expect((await response.text()).toLowerCase()).toBe('abc');
  }
});

describe('faults of the application', () => {
  const [middleware] = CHANGES['each chunk, later'] as [Middleware, unknown];
  const [nothing] = CHANGES.nothing as [Middleware, unknown];
  const failing: [string, Application, string][] = [
    [
      'a body that is none',
      (_e, start) => {
        start('200 OK', TYPE);
        return 'text' as never;
      },
      'BODY-01',
    ],
    ['a body without a head', () => [encode('x')], 'SR-15'],
    ['chunks without a head', () => [encode('x')].values(), 'SR-15'],
    [
      'a second head',
      (_e, start) => {
        start('200 OK', TYPE);
        start('200 OK', TYPE);
        return [];
      },
      'SR-13',
    ],
    [
      'a status that is none',
      (_e, start) => {
        start('fine', TYPE);
        return [];
      },
      'SR-02',
    ],
    [
      'a hop-by-hop header, and going on',
      (_e, start) => {
        try {
          start('200 OK', [['Connection', 'close']]);
        } catch {}
        return [encode('x')];
      },
      'SR-13',
    ],
    [
      'a chunk that is none',
      (_e, start) => {
        start('200 OK', TYPE);
        return [42 as never];
      },
      'STR-04',
    ],
    [
      'a later chunk that is none, before any byte',
      (_e, start) => {
        start('200 OK', TYPE);
        return ['x' as never].values();
      },
      'STR-04',
    ],
    [
      'a failure of its own',
      () => {
        throw new Error('its own');
      },
      'its own',
    ],
    ['a late failure of its own', () => Promise.reject(new Error('its own')), 'its own'],
  ];

  test.each(failing)('%s is a 500 and a line in the log', async (_name, app, line) => {
    for (const wrap of [middleware, nothing]) {
      const log: string[] = [];
      const response = await answer(wrap(app), log);
      expect(response.status).toBe(500);
      expect(log.join('\n')).toContain(line);
    }
  });

  test('a head that was refused may be replaced, with the error', async () => {
    for (const wrap of [sandwiched(middleware), sandwiched(nothing)]) {
      const response = await answer(
        wrap((_e, start) => {
          try {
            start('200 OK', [['Connection', 'close']]);
          } catch (error) {
            start('200 OK', TYPE, error);
          }
          return [encode('mended')];
        }),
      );
      expect((await response.text()).toLowerCase()).toBe('mended');
    }
  });

  test('a body that ends short of its length, or fails, breaks the response', async () => {
    const bodies: [Application, string][] = [
      [
        (_e, start) => {
          start('200 OK', [...TYPE, ['Content-Length', '10']]);
          return [encode('short')].values();
        },
        'CL-02',
      ],
      [
        (_e, start) => {
          start('200 OK', TYPE);
          return (function* () {
            yield encode('some');
            throw new Error('broken');
          })();
        },
        'broken',
      ],
      [
        (_e, start) =>
          (function* () {
            start('200 OK', TYPE);
            yield encode('some');
            // Too late: the application gets its own error back, and may swallow it.
            try {
              start('500 Oh', TYPE, new Error('too late'));
            } catch {}
            yield encode('more');
          })(),
        'too late',
      ],
      [
        async (_e, start) => {
          const write = start('200 OK', TYPE);
          await write(encode('some'));
          throw new Error('after write');
        },
        'after write',
      ],
    ];
    for (const [app, line] of bodies) {
      const log: string[] = [];
      const response = await answer(middleware(app), log);
      await expect(response.text(), line).rejects.toThrow();
      expect(log.join('\n')).toContain(line);
      expect(log).toHaveLength(1);
    }
  });

  test('a body that is longer than its length is cut, which is logged', async () => {
    const log: string[] = [];
    const app: Application = (_e, start) => {
      start('200 OK', [...TYPE, ['Content-Length', '3']]);
      return [encode('ab'), encode('cd'), encode('never')].values();
    };
    expect(await (await answer(middleware(app), log)).text()).toBe('ABC');
    expect(log.join('\n')).toContain('CL-01');
  });

  test('write after the body was returned is refused', async () => {
    const log: string[] = [];
    const app: Application = (_e, start) => {
      const write = start('200 OK', TYPE);
      return (function* () {
        yield encode('a');
        write(encode('b'));
      })();
    };
    await expect((await answer(middleware(app), log)).text()).rejects.toThrow();
    expect(log.join('\n')).toContain('WRITE-03');
  });
});

describe('a client that leaves', () => {
  // An application that writes fails then, and has no body yet.
  test.each(SHAPES.filter(([name, , closes]) => closes && !name.includes('while it runs')))(
    'after the first chunk of %s',
    async (_shape, app) => {
      for (const [name, [middleware]] of Object.entries(CHANGES)) {
        closed = 0;
        coders.length = 0;
        const log: string[] = [];
        const reader = (await answer(sandwiched(middleware)(app), log)).body?.getReader();
        await reader?.read();
        await reader?.cancel();
        await new Promise((resolve) => setTimeout(resolve, 10));
        expect(
          log.filter((line) => !/WRITE-02|L-51/.test(line)),
          name,
        ).toEqual([]);
        expect(closed, name).toBe(1);
        expect(coders.every(({ destroyed }) => destroyed === 1)).toBe(true);
      }
    },
  );

  test('while a chunk is being changed, or asked for: nothing is logged, and the body is closed', async () => {
    let ended = 0;
    const slow = around(({ status, headers }) => ({
      status,
      headers,
      coder: () => coder({ write: () => new Promise(() => {}), end: () => [] }),
    }));
    const body = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield encode('a');
      } finally {
        ended++;
      }
    };
    const log: string[] = [];
    const environ = setupTestingDefaults({ 'wsgi.errors': { write: (line: string) => log.push(line), flush() {} } });
    const pending = slow((_e, start) => {
      start('200 OK', TYPE);
      return body();
    })(environ, () => async () => {}) as ApplicationBody & AsyncIterable<Uint8Array>;
    const iterator = pending[Symbol.asyncIterator]();
    iterator.next();
    await later();
    await pending.close?.();
    expect(ended).toBe(1);
    expect(log).toEqual([]);
  });

  test('while an application that writes is still running: its body is closed once it is there', async () => {
    closed = 0;
    let go = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    const lost: string[] = [];
    const app: Application = async (_e, start) => {
      const write = start('200 OK', TYPE);
      await write(encode('a'));
      await waiting;
      await write(encode('b')).catch((error) => void lost.push(error.name));
      return closing([encode('c')].values());
    };
    for (const wrap of [CHANGES['each chunk, later']?.[0] as Middleware, validator]) {
      const reader = (await answer(wrap(app))).body?.getReader();
      await reader?.read();
      await reader?.cancel();
      go();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(lost).toEqual(['ClientDisconnectedError', 'ClientDisconnectedError']);
    expect(closed).toBe(2);
  });
});

test('HEAD, 204 and 304: what is not read is closed', async () => {
  for (const [name, [middleware]] of Object.entries(CHANGES)) {
    for (const [method, status] of [
      ['HEAD', '200 OK'],
      ['GET', '204 No Content'],
      ['GET', '304 Not Modified'],
    ] as const) {
      closed = 0;
      const log: string[] = [];
      const app: Application = (_e, start) => {
        start(status, method === 'HEAD' ? TYPE : []);
        return closing([].values() as IterableIterator<Uint8Array>);
      };
      const wrapped = name === 'nothing' ? sandwiched(middleware)(app) : middleware(app);
      const response = await toFetch(wrapped, { errors: (line) => void log.push(line) })('/', { method });
      expect(response.status).toBe(Number(status.slice(0, 3)));
      expect(await response.text()).toBe('');
      await later();
      expect(closed, `${name} ${method} ${status}`).toBe(1);
    }
  }
});
