// What is a body and what is a chunk, and how they are handed on. (BODY, STR-04, STR-06)

import type { Application } from '../../core/types.ts';
import { equal, ok } from '../assert.ts';
import { eventually, Gate, quiet, within } from '../test-context.ts';
import { ALL_BYTES, answering, asyncChunks, chunks, LoggedBody, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

/** A function: workerd lets no module make a Response while it loads. */
const noBodies = (): Record<string, unknown> => ({
  undefined: undefined,
  null: null,
  false: false,
  'a number': 7,
  'a string': 'text',
  'an empty string': '',
  'a Uint8Array': u8('bytes'),
  'an ArrayBuffer': new ArrayBuffer(3),
  'a DataView': new DataView(new ArrayBuffer(3)),
  'a Blob': new Blob(['text']),
  'a Response': new Response('text'),
  'a plain object': { text: 'text' },
  'a function': () => [u8('x')],
});

const NO_CHUNKS: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  'a string': 'text',
  'an empty string': '',
  'a number': 7,
  'an ArrayBuffer': new ArrayBuffer(3),
  'a DataView': new DataView(new ArrayBuffer(3)),
  'a Uint16Array': new Uint16Array(3),
  'a Uint8ClampedArray': new Uint8ClampedArray(3),
  'an Int8Array': new Int8Array(3),
  'an array of numbers': [1, 2, 3],
  'a Blob': new Blob(['text']),
  'an object that calls itself a Uint8Array': { [Symbol.toStringTag]: 'Uint8Array', byteLength: 3 },
};

export function bodySuite(suite: Suite): void {
  wrongBodies(suite);
  wrongChunks(suite);
  rightBodies(suite);
  handing(suite);
  ownership(suite);
}

function wrongBodies({ test }: Suite): void {
  for (const [what, body] of Object.entries(noBodies())) {
    test(`BODY-01: ${what} is not a body`, async (t) => {
      const site = await t.serve(answering(() => body));
      equal((await site.get('/')).status, 500, 'the status');
      ok(site.errors.includes('BODY-01'), `wsgi.errors names the rule: ${site.errors}`);
    });
  }
}

function wrongChunks({ test }: Suite): void {
  for (const [what, chunk] of Object.entries(NO_CHUNKS)) {
    test(`STR-04, BODY-01: ${what} is not a chunk`, async (t) => {
      const makers: Record<string, () => unknown> = {
        '/array': () => [u8('first'), chunk],
        *'/generator'() {
          yield chunk;
        },
        async *'/async'() {
          yield chunk;
        },
      };
      const site = await t.serve((environ, startResponse) => {
        const make = makers[environ.PATH_INFO] as () => unknown;
        return answering(make)(environ, startResponse);
      });
      for (const path of Object.keys(makers)) {
        site.errors = '';
        equal((await site.get(path)).status, 500, `the status for ${path}`);
        ok(site.errors.includes('STR-04'), `wsgi.errors names the rule: ${site.errors}`);
      }
    });
  }

  test('STR-04: a promise is not a chunk of a sync body', async (t) => {
    const site = await t.serve(answering(() => [Promise.resolve(u8('late'))]));
    equal((await site.get('/')).status, 500, 'the status');
    ok(site.errors.includes('Promise'), `wsgi.errors says what it was: ${site.errors}`);
  });

  test('§3.4: a hole in an array is not a chunk', async (t) => {
    equal(
      (await (await t.serve(answering(() => Object.assign(new Array(3), { 0: u8('a'), 2: u8('b') })))).get('/')).status,
      500,
      'the status',
    );
  });

  test('STR-04, ERR-04: a wrong chunk after the head breaks the response off', async (t) => {
    const site = await t.serve(
      answering(function* () {
        yield u8('first');
        yield 'second';
      }),
    );
    await site.breaks('/');
    await eventually(() => site.errors.includes('STR-04'), 'the error on wsgi.errors');
  });
}

function rightBodies(suite: Suite): void {
  const { test } = suite;
  const iterator = { next: () => ({ done: true, value: undefined }) };
  const BODIES: Record<string, () => unknown> = {
    'an array': () => [u8('a'), u8('b')],
    'a generator': () => chunks('a', 'b'),
    'an async generator': () => asyncChunks('a', 'b'),
    'a Set': () => new Set([u8('a'), u8('b')]),
    'an iterator of a Map': () =>
      new Map([
        [1, u8('a')],
        [2, u8('b')],
      ] as const).values(),
    'a ReadableStream': () => streamOf('a', 'b'),
    'a stream of bytes': () => streamOf('a', 'b', 'bytes'),
    'an async iterable without return': () => {
      const texts = ['a', 'b'];
      const next = async () => ({ done: texts.length === 0, value: u8(texts.shift() ?? '') });
      return { [Symbol.asyncIterator]: () => ({ next }) };
    },
    'an object that is both, read as async': () => ({
      [Symbol.iterator]: () => iterator,
      [Symbol.asyncIterator]: () => asyncChunks('a', 'b'),
    }),
    'a promise of a body': () => Promise.resolve([u8('a'), u8('b')]),
    'a thenable that is not a Promise': () => ({
      // biome-ignore lint/suspicious/noThenProperty: what await takes, an application may return
      then: (resolve: (body: unknown) => void) => resolve(chunks('a', 'b')),
    }),
    'a thenable that answers with a promise, and twice': () => ({
      // biome-ignore lint/suspicious/noThenProperty: as above
      then: (resolve: (body: unknown) => void, reject: (error: unknown) => void) => {
        resolve(Promise.resolve(chunks('a', 'b')));
        resolve(chunks('c'));
        reject(new Error('too late'));
      },
    }),
    'an async iterable whose steps are thenables': () => {
      const texts = ['a', 'b'];
      const step = () => ({ done: texts.length === 0, value: u8(texts.shift() ?? '') });
      // biome-ignore lint/suspicious/noThenProperty: as above
      const next = () => ({ then: (resolve: (step: unknown) => void) => void resolve(step()) });
      return { [Symbol.asyncIterator]: () => ({ next }) };
    },
    'chunks of a class derived from Uint8Array': () => {
      class Bytes extends Uint8Array {}
      return [Bytes.from(u8('a')), Bytes.from(u8('b'))];
    },
    'chunks that are views into one buffer': () => {
      const buffer = u8('xabx');
      return [buffer.subarray(1, 2), buffer.subarray(2, 3)];
    },
  };
  for (const [what, make] of Object.entries(BODIES)) {
    test(`BODY-01, CALL-01: ${what} is a body`, async (t) => {
      const site = await t.serve(answering(make));
      equal((await site.get('/')).text, 'ab', 'the body');
      equal(site.errors, '', 'wsgi.errors');
    });
  }

  const { otherRealm } = suite;
  if (otherRealm !== undefined) {
    test('STR-04, BODY-01: chunks, arrays and promises of another realm are as good', async (t) => {
      const expressions = {
        '/chunk': '[Uint8Array.of(97), Uint8Array.of(98)]',
        '/array': 'Object.assign([], [Uint8Array.of(97, 98)])',
        '/promise': 'Promise.resolve([Uint8Array.of(97, 98)])',
        '/generator': '(function* () { yield Uint8Array.of(97); yield Uint8Array.of(98) })()',
      };
      const site = await t.serve((environ, startResponse) =>
        answering(() => otherRealm(expressions[environ.PATH_INFO as '/chunk']))(environ, startResponse),
      );
      for (const path of Object.keys(expressions)) equal((await site.get(path)).text, 'ab', `the body for ${path}`);
    });
  }

  test('BODY-06: only the iterator, close and then of a body are looked at', async (t) => {
    const seen: PropertyKey[] = [];
    const body = new Proxy(chunks('a', 'b'), {
      get(target, key) {
        seen.push(key);
        const value = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const site = await t.serve(answering(() => body));
    equal((await site.get('/')).text, 'ab', 'the body');
    const allowed = new Set<PropertyKey>([Symbol.iterator, Symbol.asyncIterator, 'close', 'then', 'constructor']);
    equal(seen.filter((key) => !allowed.has(key)).map(String), [], 'other properties that were read');
  });
}

function streamOf(...parts: string[]): ReadableStream<Uint8Array> {
  const type = parts.at(-1) === 'bytes' ? { type: 'bytes' as const } : {};
  const texts = parts.filter((part) => part !== 'bytes');
  return new ReadableStream({
    ...type,
    pull(controller: { enqueue(chunk: Uint8Array): void; close(): void }) {
      const text = texts.shift();
      if (text === undefined) controller.close();
      else controller.enqueue(u8(text));
    },
  } as UnderlyingDefaultSource<Uint8Array>);
}

function handing(suite: Suite): void {
  const { test, requires, proves } = suite;

  proves('streaming', 'BODY-02: a chunk reaches the client before the next one is made', async (t) => {
    const seen = new Gate();
    const site = await t.serve(
      answering(async function* () {
        yield u8('first');
        await within(seen.opened, 'the first chunk at the client');
        yield u8(',second');
      }),
    );
    const response = await site.fetch('/');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = await within(reader.read(), 'the first chunk');
    equal(first.value, u8('first'), 'the first chunk');
    seen.open();
    equal((await within(reader.read(), 'the second chunk')).value, u8(',second'), 'the second chunk');
    equal((await within(reader.read(), 'the end')).done, true, 'the end');
  });

  requires(['streaming'], 'BODY-02: the head goes out with the first chunk, not at the end', async (t) => {
    const seen = new Gate();
    const site = await t.serve(async function* (_environ, startResponse) {
      startResponse('202 Accepted', [['X-Early', 'yes']]);
      yield u8('first');
      await within(seen.opened, 'the head at the client');
    });
    const response = await site.fetch('/');
    equal([response.status, response.headers.get('x-early')], [202, 'yes'], 'the head');
    seen.open();
    await within(response.text(), 'the end of the response');
  });

  test('BODY-03, STR-06: all 256 bytes and every kind of line end reach the client', async (t) => {
    const bodies: Record<string, () => unknown> = {
      '/array': () => [ALL_BYTES],
      *'/single'() {
        for (const byte of ALL_BYTES) yield Uint8Array.of(byte);
      },
    };
    const site = await t.serve((environ, startResponse) =>
      answering(bodies[environ.PATH_INFO] as () => unknown)(environ, startResponse),
    );
    equal((await site.get('/array')).bytes, ALL_BYTES, 'the bytes in one chunk');
    equal((await site.get('/single')).bytes, ALL_BYTES, 'the bytes in a chunk each');
    const lines = await t.serve(answering(() => [u8('a\r\nb\nc\rd\r\n')]));
    equal((await lines.get('/')).text, 'a\r\nb\nc\rd\r\n', 'the lines');
  });

  test('BODY-07: empty chunks mean nothing, wherever they are', async (t) => {
    const texts = ['', 'a', '', 'b', ''];
    for (const make of [() => texts.map(u8), () => chunks(...texts), () => asyncChunks(...texts)]) {
      equal((await (await t.serve(answering(make))).get('/')).text, 'ab', 'the body');
    }
  });

  for (const asynchronous of [false, true]) {
    const kind = asynchronous ? 'async' : 'sync';
    test(`BODY-09, CLOSE-02: one iteration, one step at a time, then close on the body itself (${kind})`, async (t) => {
      const body = new LoggedBody(['a', '', 'b', 'c'], asynchronous);
      const site = await t.serve(answering(() => body));
      equal((await site.get('/')).text, 'abc', 'the body');
      await eventually(() => body.log.includes('close'), 'close()');
      await quiet();
      equal(body.log, ['iterate', 'next', 'next', 'next', 'next', 'next', 'close'], 'what happened to the body');
    });
  }

  test('BODY-02: a body of many chunks arrives whole', async (t) => {
    const part = Uint8Array.from({ length: 1024 }, (_, at) => (at * 7) & 0xff);
    const site = await t.serve(
      answering(async function* () {
        for (let count = 0; count < 32; count++) yield part;
      }),
    );
    const { bytes } = await site.get('/');
    equal(bytes.byteLength, 32 * 1024, 'the length');
    for (let at = 0; at < bytes.byteLength; at += 1024) equal(bytes.subarray(at, at + 1024), part, `the part at ${at}`);
  });
}

function ownership({ test }: Suite): void {
  for (const asynchronous of [false, true]) {
    test(`BODY-08: one scratch buffer may be filled anew for each chunk (${asynchronous ? 'async' : 'sync'})`, async (t) => {
      const scratch = new Uint8Array(3);
      const fill = (text: string): Uint8Array => {
        scratch.set(u8(text));
        return scratch;
      };
      const texts = ['one', 'two', 'six', 'ten'];
      function* refill(): Generator<Uint8Array> {
        for (const text of texts) yield fill(text);
      }
      async function* refillLater(): AsyncGenerator<Uint8Array> {
        yield* refill();
      }
      const site = await t.serve(answering(asynchronous ? refillLater : refill));
      equal((await site.get('/')).text, 'onetwosixten', 'the body');
    });
  }

  test('BODY-08, §3.4: a constant chunk is the same for every request', async (t) => {
    const chunk = u8('constant');
    const bodies: Record<string, () => unknown> = {
      '/array': () => [chunk],
      *'/generator'() {
        yield chunk;
      },
      '/written': () => [],
    };
    const app: Application = (environ, startResponse) => {
      const write = startResponse('200 OK', []);
      if (environ.PATH_INFO === '/written') write(chunk);
      return bodies[environ.PATH_INFO]?.() as never;
    };
    const site = await t.serve(app);
    for (const path of ['/array', '/generator', '/written', '/array', '/generator', '/written']) {
      equal((await site.get(path)).text, 'constant', `the body for ${path}`);
    }
    equal(chunk, u8('constant'), 'the chunk of the application');
  });
}
