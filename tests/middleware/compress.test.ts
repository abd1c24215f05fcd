// compress: which responses it codes and how, on every platform, and what it leaves alone. (RFC 9110 §8.4, §12.5; RFC 9111)

import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Application, type ContentEncoders, encode, run, setupTestingDefaults } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { type CompressOptions, compress, isCompressible, validator, webEncoders } from 'waygate/middleware';
import { nodeEncoders, serve } from 'waygate/node';
import { chooser } from '../../middleware/accept-encoding.ts';
import { type Answer, answering, on, PLATFORMS, type Question, sandwiched } from './platforms.ts';

/** Every type that is known, and whether it gets smaller. */
const mimeDb = createRequire(import.meta.url)('mime-db') as Record<string, { compressible?: boolean }>;
const zstd = zlib as unknown as {
  zstdDecompressSync(bytes: Uint8Array): Buffer;
  createZstdDecompress: typeof zlib.createGunzip;
};

const text = 'The quick brown fox jumps over the lazy dog.\n'.repeat(100);
const HTML: [string, string][] = [['Content-Type', 'text/html; charset=utf-8']];
const GZIP = { headers: { 'accept-encoding': 'gzip' } };

function decodedBytes({ bytes, headers }: Answer): Buffer {
  const coding = headers['content-encoding'];
  if (coding === undefined) return Buffer.from(bytes);
  if (coding === 'br') return zlib.brotliDecompressSync(bytes);
  if (coding === 'zstd') return zstd.zstdDecompressSync(bytes);
  if (coding === 'gzip') return zlib.gunzipSync(bytes);
  if (coding === 'deflate') return zlib.inflateSync(bytes);
  throw new Error(`coded as ${coding}`);
}
const decoded = (answer: Answer): string => decodedBytes(answer).toString();

async function ask(app: Application, question: Question, platform = 'fetch'): Promise<Answer> {
  let answer: Answer | undefined;
  const log = await on(platform, app, async (send) => {
    answer = await send('/', question);
  });
  expect(log).toEqual([]);
  return answer as Answer;
}

const ENCODERS: [string, ContentEncoders][] = [
  ['CompressionStream', webEncoders()],
  ['node:zlib', nodeEncoders],
];

/** Bodies of the same text, by how they come. */
const BODIES: [string, Application][] = [
  ['an array', answering(HTML, text)],
  [
    'chunks of a declared length',
    (_e, start) => {
      start('200 OK', [...HTML, ['Content-Length', String(text.length)]]);
      return [encode(text.slice(0, 1000)), encode(text.slice(1000))].values();
    },
  ],
  [
    'one chunk of the declared length, late',
    (_e, start) =>
      (async function* () {
        start('200 OK', [...HTML, ['Content-Length', String(text.length)]]);
        yield encode(text);
      })(),
  ],
];
const STREAM: [string, Application] = [
  'chunks without a length',
  (_e, start) => {
    start('200 OK', HTML);
    return (function* () {
      for (let at = 0; at < text.length; at += 500) yield encode(text.slice(at, at + 500));
    })();
  },
];

describe.each(ENCODERS)('with the encoders of %s', (name, encoders) => {
  const wrap = sandwiched((app) => compress(app, { encoders }));
  const bodies = name === 'node:zlib' ? [...BODIES, STREAM] : BODIES;

  test.each(Object.keys(encoders))('%s of every body', async (coding) => {
    for (const [body, app] of bodies) {
      const answer = await ask(wrap(app), { headers: { 'accept-encoding': coding } });
      expect(answer.headers['content-encoding'], body).toBe(coding);
      expect(answer.headers.vary).toBe('Accept-Encoding');
      expect(decoded(answer) === text, body).toBe(true);
      expect(answer.bytes.byteLength).toBeLessThan(text.length / 2);
    }
  });

  test.each(PLATFORMS)('the same on %s', async (platform) => {
    for (const [body, app] of bodies) {
      const answer = await ask(wrap(app), GZIP, platform);
      expect(answer.headers['content-encoding'], body).toBe('gzip');
      expect(decoded(answer) === text, body).toBe(true);
      const length = answer.headers['content-length'];
      if (length !== undefined) expect(length).toBe(String(answer.bytes.byteLength));
      const plain = await ask(wrap(app), { headers: { 'accept-encoding': 'identity' } }, platform);
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(plain.headers.vary).toBe('Accept-Encoding');
      expect(decoded(plain) === text).toBe(true);
    }
  });

  test('a body in memory has the length of its coded bytes', async () => {
    const answer = await ask(wrap(answering([...HTML, ['content-length', String(text.length)]], text)), GZIP);
    expect(answer.headers['content-length']).toBe(String(answer.bytes.byteLength));
  });

  test('a large body in memory, and one in many pieces', async () => {
    const large = text.repeat(200);
    const pieces: Application = (_e, start) => {
      start('200 OK', HTML);
      return Array.from({ length: 200 }, () => encode(text));
    };
    for (const app of [answering(HTML, large), pieces]) {
      expect(decoded(await ask(wrap(app), GZIP)) === large).toBe(true);
    }
  });

  test('any chunks, empty ones too, come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.constantFrom(...Object.keys(encoders)),
        fc.boolean(),
        async (chunks, coding, whole) => {
          const app: Application = (_e, start) => {
            start('200 OK', HTML);
            return whole ? chunks : chunks.values();
          };
          const wrapped = compress(app, { encoders, minBytes: 0, holdsChunks: true });
          const answer = await ask(wrapped, { headers: { 'accept-encoding': coding } });
          expect(decodedBytes(answer).equals(Buffer.concat(chunks))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a body in memory, with the encoders of node:zlib', () => {
  const asked = (length: number, coding: string) => {
    const bytes = new Uint8Array(length).fill(0x61);
    const app: Application = (_e, start) => {
      start('200 OK', HTML);
      return [bytes];
    };
    const environ = setupTestingDefaults({ HTTP_ACCEPT_ENCODING: coding });
    return { bytes, answer: run(compress(app, { encoders: nodeEncoders }), environ) };
  };

  test.each(Object.keys(nodeEncoders))('is coded at once up to 16 KiB: %s', (coding) => {
    expect(asked(16 * 1024, coding).answer).not.toBeInstanceOf(Promise);
  });

  test.each(Object.keys(nodeEncoders))(
    'above that it holds nobody up, and its buffer may be used again: %s',
    async (coding) => {
      const { bytes, answer } = asked(128 * 1024, coding);
      expect(answer).toBeInstanceOf(Promise);
      bytes.fill(0x62);
      const { body } = (await answer) as { body: Uint8Array[] };
      const coded = Buffer.concat(body);
      const answered: Answer = {
        status: 200,
        headers: { 'content-encoding': coding },
        bytes: coded,
      } as unknown as Answer;
      expect(decoded(answered)).toBe('a'.repeat(128 * 1024));
    },
  );
});

describe('what is left as it is', () => {
  const range = `bytes 0-${text.length - 1}/9999`;
  const cases: [string, Application, CompressOptions?][] = [
    ['a body under 1024 bytes', answering(HTML, text.slice(0, 1023))],
    ['a body under minBytes', answering(HTML, text), { minBytes: text.length + 1 }],
    ['an empty body', answering(HTML), { minBytes: 0 }],
    ['an image', answering([['Content-Type', 'image/png']], text)],
    ['a body without a type', answering([], text)],
    ['what the option says', answering(HTML, text), { compressible: () => false }],
    [
      'an event stream',
      answering([['Content-Type', 'text/event-stream;charset=utf-8']], text),
      { compressible: () => true },
    ],
    ['no-transform', answering([...HTML, ['Cache-Control', 'max-age=1, No-Transform']], text)],
    ['a body with a coding', answering([...HTML, ['Content-Encoding', 'x-own']], text)],
    ['a range', answering([...HTML, ['Content-Range', range]], text, '206 Partial Content')],
    ['a part of another kind', answering(HTML, text, '206 Partial Content')],
    ['several ranges', answering([['Content-Type', 'multipart/byteranges; boundary=x']], text, '206 Partial Content')],
    ['a body with a digest', answering([...HTML, ['Content-Digest', 'sha-256=:AAAA:']], text)],
    ['a body with an older digest', answering([...HTML, ['Digest', 'sha-256=AAAA']], text)],
  ];
  test.each(cases)('%s', async (_name, app, options = {}) => {
    for (const encoders of [webEncoders(), nodeEncoders]) {
      const coded = await ask(compress(app, { encoders, ...options }), GZIP);
      const bare = await ask(app, {});
      expect(coded.bytes).toEqual(bare.bytes);
      expect({ ...coded.headers, vary: undefined }).toEqual({ ...bare.headers, vary: undefined });
    }
  });

  test('chunks without a length, where the encoder cannot flush, unless it may hold them back', async () => {
    const plain = await ask(sandwiched(compress)(STREAM[1]), GZIP);
    expect(plain.headers).toEqual({ 'content-type': HTML[0]?.[1], vary: 'Accept-Encoding' });
    const held = await ask(sandwiched((app) => compress(app, { holdsChunks: true }))(STREAM[1]), GZIP);
    expect(held.headers['content-encoding']).toBe('gzip');
    expect(decoded(held) === text).toBe(true);
  });

  test('everything, where there is no encoder', async () => {
    const answer = await ask(compress(answering(HTML, text), { encoders: {} }), GZIP);
    expect(answer.headers['content-encoding']).toBeUndefined();
  });
});

describe('headers', () => {
  const headersOf = async (
    headers: [string, string][],
    accept = 'gzip',
    status = '200 OK',
  ): Promise<Answer['headers']> =>
    (await ask(compress(answering([...HTML, ...headers], text, status)), { headers: { 'accept-encoding': accept } }))
      .headers;

  test('Vary is added to what is there, in its field', async () => {
    expect((await headersOf([['Vary', 'Origin']])).vary).toBe('Origin, Accept-Encoding');
    expect((await headersOf([['Vary', 'origin, accept-encoding']])).vary).toBe('origin, accept-encoding');
    expect((await headersOf([['Vary', '*']])).vary).toBe('*');
    expect((await headersOf([['vary', '']])).vary).toBe('Accept-Encoding');
  });

  test('a type that is not compressed does not vary', async () => {
    const answer = await ask(compress(answering([['Content-Type', 'image/png']], text)), {});
    expect(answer.headers.vary).toBeUndefined();
  });

  test('a strong ETag becomes a weak one, and only where the body changed', async () => {
    expect((await headersOf([['ETag', '"a"']])).etag).toBe('W/"a"');
    expect((await headersOf([['ETag', 'W/"a"']])).etag).toBe('W/"a"');
    expect((await headersOf([['ETag', '"a"']], 'identity')).etag).toBe('"a"');
  });

  test('ranges of the uncoded body are no longer offered', async () => {
    expect((await headersOf([['Accept-Ranges', 'bytes']]))['accept-ranges']).toBeUndefined();
    expect((await headersOf([['Accept-Ranges', 'bytes']], 'identity'))['accept-ranges']).toBe('bytes');
  });

  test('identity as the coding of the application is not a coding', async () => {
    expect((await headersOf([['Content-Encoding', 'identity']]))['content-encoding']).toBe('gzip');
  });

  test('errors are compressed too', async () => {
    expect((await headersOf([], 'gzip', '404 Not Found'))['content-encoding']).toBe('gzip');
  });

  test('a 304 says what the 200 would: Vary, and the tag of the coded body', async () => {
    const app = answering([['ETag', '"a"']], '', '304 Not Modified');
    const { headers } = await ask(sandwiched(compress)(app), GZIP);
    expect(headers).toEqual({ etag: 'W/"a"', vary: 'Accept-Encoding' });
    const plain = await ask(compress(app), {});
    expect(plain.headers).toEqual({ etag: '"a"', vary: 'Accept-Encoding' });
  });

  test.each(['204 No Content', '205 Reset Content'])('a %s has nothing to code', async (status) => {
    const { headers } = await ask(compress(answering([['ETag', '"a"']], '', status)), GZIP);
    expect(headers.vary).toBeUndefined();
    expect(headers.etag).toBe('"a"');
  });

  test('HEAD has the headers of GET, but for a length that is not known; nothing is coded for it', async () => {
    for (const [name, app] of [...BODIES, STREAM]) {
      const answer = await ask(validator(compress(app, { encoders: nodeEncoders })), {
        method: 'HEAD',
        headers: { 'accept-encoding': 'br' },
      });
      expect(answer.headers, name).toEqual({
        'content-type': HTML[0]?.[1],
        'content-encoding': 'br',
        vary: 'Accept-Encoding',
      });
      expect(answer.bytes.byteLength).toBe(0);
    }
    const small = await ask(compress(answering([...HTML, ['Content-Length', '5']], '')), { method: 'HEAD', ...GZIP });
    expect(small.headers['content-encoding']).toBeUndefined();
    expect(small.headers['content-length']).toBe('5');
  });
});

describe('negotiation (RFC 9110 §12.5.3)', () => {
  const four = chooser(['br', 'zstd', 'gzip', 'deflate']);
  test.each<[string | undefined, string | null]>([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['gzip;q=0.5, identity', 'identity'],
    ['gzip;q=0', 'identity'],
    ['*', 'br'],
    ['*;q=0', null],
    ['*;q=0, gzip', 'gzip'],
    ['gzip;q=0, *', 'br'],
    ['identity;q=0', null],
    ['identity;q=0, *;q=0.1', 'br'],
    ['compress', 'identity'],
    ['compress, identity;q=0', null],
    ['identity;q=0.5, *;q=0', 'identity'],
    [' gzip ;q=0.8 , br ; q=0.9', 'br'],
    ['gzip;q=', 'gzip'],
    [';;;,,,gzip', 'gzip'],
    ['gzip;level=9', 'gzip'],
    ['"gzip"', 'identity'],
    ['gzip;q=abc, deflate', 'deflate'],
    ['\u00ff\u00fe', 'identity'],
    [`${'a,'.repeat(5000)}gzip`, 'identity'],
  ])('%j gives %j', (header, coding) => {
    expect(four(header).coding).toBe(coding);
    expect(four(header).coding, 'asked again').toBe(coding);
  });

  test('against a plain reference', () => {
    const quality = fc.constantFrom('', ';q=0', ';q=0.1', ';q=0.5', ';q=0.9', ';q=1', ';q=1.000');
    const name = fc.constantFrom<string>('br', 'gzip', 'deflate', 'identity', '*', 'compress');
    const headers = fc.uniqueArray(fc.tuple(name, quality), { selector: ([each]) => each, maxLength: 6 });
    const available = ['br', 'gzip', 'deflate'];
    fc.assert(
      fc.property(headers, (elements) => {
        const said = new Map(elements.map(([each, q]) => [each, q === '' ? 1 : Number(q.slice(3))]));
        const q = (coding: string): number => said.get(coding) ?? said.get('*') ?? 0;
        const best = Math.max(...available.map(q));
        // Unless it is named, the body as it is comes last.
        const lowest = Math.min(1, ...[...said.values()].filter((each) => each > 0));
        const identity = said.get('identity') ?? said.get('*') ?? lowest;
        const coded = best > 0 && best >= identity ? available.find((each) => q(each) === best) : undefined;
        const expected = said.size === 0 ? 'identity' : (coded ?? (identity > 0 ? 'identity' : null));
        const header = elements.map((each) => each.join('')).join(', ');
        expect(chooser(available)(header)).toEqual({ coding: expected, takesIdentity: identity > 0 });
      }),
    );
  });

  test('a client that takes no identity gets small and incompressible bodies coded', async () => {
    for (const app of [answering(HTML, 'small'), answering([['Content-Type', 'image/png']], 'small')]) {
      const answer = await ask(compress(app), { headers: { 'accept-encoding': 'gzip, identity;q=0' } });
      expect(answer.headers['content-encoding']).toBe('gzip');
      expect(decoded(answer)).toBe('small');
    }
  });

  test('a client that takes nothing at all gets a 406 for a GET or HEAD that went well, and else the answer as it is', async () => {
    const nothing = { headers: { 'accept-encoding': '*;q=0' } };
    const wrap = sandwiched(compress);
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(wrap(answering(HTML, text)), { method, ...nothing });
      expect([answer.status, answer.headers.vary]).toEqual([406, 'Accept-Encoding']);
      const page = '406 Not Acceptable\nAvailable: gzip, deflate, identity.\n';
      expect(decoded(answer)).toBe(method === 'HEAD' ? '' : page);
    }
    expect((await ask(wrap(answering(HTML, text)), { method: 'POST', ...nothing })).status).toBe(200);
    expect((await ask(wrap(answering(HTML, text, '404 Not Found')), nothing)).status).toBe(404);
    const fixed = answering([...HTML, ['Cache-Control', 'no-transform']], text);
    expect((await ask(wrap(fixed), nothing)).status).toBe(200);
  });

  test('the 406 closes the body that it replaces', async () => {
    let closed = 0;
    const app: Application = (_e, start) => {
      start('200 OK', HTML);
      return Object.assign([encode(text)].values(), { close: () => void closed++ });
    };
    await ask(sandwiched(compress)(app), { headers: { 'accept-encoding': '*;q=0' } });
    expect(closed).toBe(1);
  });
});

test('with encoders that need not wait, an application that does not wait is answered at once', () => {
  const environ = setupTestingDefaults({ HTTP_ACCEPT_ENCODING: 'br' });
  const response = run(compress(answering(HTML, text), { encoders: nodeEncoders }), environ);
  if (response instanceof Promise) throw new Error('it waited');
  expect(response.headers).toContainEqual(['Content-Encoding', 'br']);
  expect(Array.isArray(response.body)).toBe(true);
});

const QUIET = { port: 0, host: '127.0.0.1', signals: false } as const;

describe('each chunk goes out at once', () => {
  const DECODERS: Record<string, () => zlib.Gunzip | zlib.BrotliDecompress> = {
    br: () => zlib.createBrotliDecompress(),
    gzip: () => zlib.createGunzip(),
    deflate: () => zlib.createInflate(),
    zstd: () => zstd.createZstdDecompress(),
  };

  test.each(Object.keys(nodeEncoders))('with %s, over a socket', async (coding) => {
    let go = (): void => {};
    const app: Application = (_e, start) => {
      start('200 OK', HTML);
      return (async function* () {
        for (const word of ['one ', 'two ', 'three']) {
          yield encode(word);
          await new Promise<void>((resolve) => {
            go = resolve;
          });
        }
      })();
    };
    const server = await serve(compress(app, { encoders: nodeEncoders }), QUIET);
    try {
      const request = http.get(server.url, { headers: { 'accept-encoding': coding }, agent: false });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const decoder = DECODERS[coding]?.() as zlib.Gunzip;
      response.pipe(decoder);
      const seen: string[] = [];
      decoder.on('data', (chunk: Buffer) => {
        seen.push(String(chunk));
        go();
      });
      await once(decoder, 'end');
      expect(seen).toEqual(['one ', 'two ', 'three']);
    } finally {
      await server.close();
    }
  });
});

/** The same encoders, which say when what they started is destroyed. */
function watched(encoders: ContentEncoders, destroyed: string[]): ContentEncoders {
  const watch = ([coding, encoder]: [string, ContentEncoders[string]]): [string, ContentEncoders[string]] => {
    const start: typeof encoder.start = () => {
      const coder = encoder.start();
      const destroy = (): void => {
        destroyed.push(coding);
        coder.destroy();
      };
      return { write: (chunk) => coder.write(chunk), end: () => coder.end(), destroy };
    };
    return [coding, { ...encoder, start }];
  };
  return Object.fromEntries(Object.entries(encoders).map(watch));
}

test.each(ENCODERS)(
  'a client that leaves in the middle of a body coded by %s: it is closed, the encoder destroyed, nothing logged',
  async (_name, made) => {
    const destroyed: string[] = [];
    const encoders = watched(made, destroyed);
    for (const coding of Object.keys(encoders)) {
      let closed = 0;
      let stop = (): void => {};
      const over = new Promise<void>((resolve) => {
        stop = resolve;
      });
      const app: Application = (_e, start) => {
        start('200 OK', HTML);
        const body = (async function* () {
          for (;;) {
            // Random, so that what is sent does not vanish in the coding.
            yield crypto.getRandomValues(new Uint8Array(16384));
            await turn();
          }
        })();
        const close = (): void => {
          closed++;
          stop();
        };
        return Object.assign(body, { close });
      };
      const log: string[] = [];
      const wrapped = sandwiched((each) => compress(each, { encoders, holdsChunks: true }))(app);
      const server = await serve(wrapped, { ...QUIET, errors: (line) => void log.push(line) });
      const request = http.get(server.url, { headers: { 'accept-encoding': coding }, agent: false });
      request.on('error', () => {});
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.on('error', () => {});
      await once(response, 'data');
      request.destroy();
      await over;
      await sleep(20);
      await server.close();
      expect(closed).toBe(1);
      expect(log).toEqual([]);
    }
    expect(destroyed).toEqual(Object.keys(encoders));
  },
);

test('an application that fails after its first chunk breaks the response: what came is not taken for the whole', async () => {
  for (const encoders of [webEncoders(), nodeEncoders]) {
    const log: string[] = [];
    const app: Application = (_e, start) => {
      start('200 OK', HTML);
      return (function* () {
        yield encode(text);
        throw new Error('halfway');
      })();
    };
    const server = await serve(compress(app, { encoders, holdsChunks: true }), {
      ...QUIET,
      errors: (line) => void log.push(line),
    });
    const answer = fetch(server.url, GZIP).then((response) => response.text());
    // What holds its chunks back has sent nothing yet, and can still say so.
    if (encoders === nodeEncoders) await expect(answer).rejects.toThrow();
    else expect(await answer).toBe('500 Internal Server Error\n');
    await server.close();
    expect(log.join('')).toContain('halfway');
  }
});

test('a hosted app is compressed like any other', async () => {
  const hosted = fromFetch(() => new Response(text, { headers: { 'content-type': 'text/plain', etag: '"x"' } }));
  const answer = await ask(sandwiched((app) => compress(app, { encoders: nodeEncoders }))(hosted), GZIP);
  expect(answer.headers.etag).toBe('W/"x"');
  expect(decoded(answer) === text).toBe(true);
});

describe('types', () => {
  test('the rule agrees with the database of types, with one exception', () => {
    const differs: string[] = [];
    for (const [type, { compressible }] of Object.entries(mimeDb)) {
      if (compressible !== undefined && compressible !== isCompressible(type)) differs.push(type);
    }
    // Bytes of which nothing is known are mostly archives and images.
    expect(differs).toEqual(['application/octet-stream']);
  });

  test.each([
    ['text/html; charset=utf-8', true],
    ['TEXT/HTML', true],
    ['application/json', true],
    ['application/problem+json;charset=utf-8', true],
    ['image/svg+xml', true],
    ['application/wasm', true],
    ['image/png', false],
    ['application/zip', false],
    ['application/octet-stream', false],
    ['video/mp4', false],
    ['font/woff2', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (type, expected) => {
    expect(isCompressible(type)).toBe(expected);
  });
});

test('options of another kind are refused', () => {
  const app = answering(HTML, text);
  expect(() => compress('x' as never)).toThrow(/L-21/);
  expect(() => compress(app, { minBytes: -1 })).toThrow(/"minBytes".*-1/);
  expect(() => compress(app, { minBytes: '1kB' as never })).toThrow(TypeError);
  expect(() => compress(app, { compressible: /text/ as never })).toThrow(/"compressible"/);
  expect(() => compress(app, { encoders: null as never })).toThrow(TypeError);
});
