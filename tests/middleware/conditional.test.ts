// conditional: entity tags, 304 and 412. (RFC 9110 §8.8, §13, §15.4.5; RFC 9111 §4.3)

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import fresh from 'fresh';
import { describe, expect, test } from 'vitest';
import { type Application, encode, run, setupTestingDefaults } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { type ConditionalOptions, compress, conditional, validator } from 'waygate/middleware';
import { nodeEncoders } from 'waygate/node';
import { contentHash } from '../../middleware/content-hash.ts';
import { evaluate, parseDate, rangeApplies } from '../../middleware/preconditions.ts';
import { type Answer, answering, on, PLATFORMS, type Question, sandwiched } from './platforms.ts';

const TYPE: [string, string][] = [['Content-Type', 'text/plain']];
const OLD = 'Sun, 06 Nov 1994 08:49:36 GMT';
const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';
const NEW = 'Sun, 06 Nov 1994 08:49:38 GMT';

async function ask(app: Application, question: Question = {}, platform = 'fetch'): Promise<Answer> {
  let answer: Answer | undefined;
  const log = await on(platform, app, async (send) => {
    answer = await send('/', question);
  });
  expect(log).toEqual([]);
  return answer as Answer;
}

const withTag = (etag: string, date?: string): Application =>
  answering(
    [...TYPE, ['ETag', etag], ...(date === undefined ? [] : [['Last-Modified', date] as [string, string]])],
    'body',
  );

describe('the table of RFC 9110 §13.2.2', () => {
  test.each<[headers: Record<string, string>, etag: string, date: string | undefined, status: number]>([
    [{}, '"a"', DATE, 200],
    // If-None-Match: weak comparison, a list, any
    [{ 'if-none-match': '"a"' }, '"a"', undefined, 304],
    [{ 'if-none-match': 'W/"a"' }, '"a"', undefined, 304],
    [{ 'if-none-match': '"a"' }, 'W/"a"', undefined, 304],
    [{ 'if-none-match': '"b"' }, '"a"', undefined, 200],
    [{ 'if-none-match': '"b", W/"a" , "c"' }, '"a"', undefined, 304],
    [{ 'if-none-match': '"a,b"' }, '"a,b"', undefined, 304],
    [{ 'if-none-match': '*' }, '"a"', undefined, 304],
    [{ 'if-none-match': 'a' }, '"a"', undefined, 200],
    [{ 'if-none-match': '"A"' }, '"a"', undefined, 200],
    [{ 'if-none-match': '"' }, '"a"', undefined, 200],
    [{ 'if-none-match': '' }, '"a"', undefined, 200],
    [{ 'if-none-match': '"\u00e9"' }, '"\u00e9"', undefined, 304],
    // If-Modified-Since: only without If-None-Match, only with a date
    [{ 'if-modified-since': DATE }, '"a"', DATE, 304],
    [{ 'if-modified-since': NEW }, '"a"', DATE, 304],
    [{ 'if-modified-since': OLD }, '"a"', DATE, 200],
    [{ 'if-modified-since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, '"a"', DATE, 304],
    [{ 'if-modified-since': 'Sun Nov  6 08:49:37 1994' }, '"a"', DATE, 304],
    [{ 'if-modified-since': '2100' }, '"a"', DATE, 200],
    [{ 'if-modified-since': 'never' }, '"a"', DATE, 200],
    [{ 'if-modified-since': DATE }, '"a"', undefined, 200],
    [{ 'if-modified-since': NEW, 'if-none-match': '"b"' }, '"a"', DATE, 200],
    // If-Match: strong comparison
    [{ 'if-match': '"a"' }, '"a"', undefined, 200],
    [{ 'if-match': '"b", "a"' }, '"a"', undefined, 200],
    [{ 'if-match': '*' }, '"a"', undefined, 200],
    [{ 'if-match': '"b"' }, '"a"', undefined, 412],
    [{ 'if-match': 'W/"a"' }, 'W/"a"', undefined, 412],
    [{ 'if-match': '"a"' }, 'W/"a"', undefined, 412],
    [{ 'if-match': 'nonsense' }, '"a"', undefined, 412],
    // If-Unmodified-Since: only without If-Match
    [{ 'if-unmodified-since': DATE }, '"a"', DATE, 200],
    [{ 'if-unmodified-since': OLD }, '"a"', DATE, 412],
    [{ 'if-unmodified-since': 'nonsense' }, '"a"', DATE, 200],
    [{ 'if-unmodified-since': OLD, 'if-match': '"a"' }, '"a"', DATE, 200],
    // in this order
    [{ 'if-match': '"b"', 'if-none-match': '"a"' }, '"a"', undefined, 412],
    [{ 'if-match': '"a"', 'if-none-match': '"a"' }, '"a"', undefined, 304],
  ])('%j of %s, changed %s: %i', async (headers, etag, date, status) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(sandwiched(conditional)(withTag(etag, date)), { method, headers });
      expect(answer.status).toBe(status);
    }
  });
});

test('against the package "fresh", where that splits lists rightly and reads dates', () => {
  const tag = fc.constantFrom('"a"', 'W/"a"', '"b"', 'W/"b"', '"c"');
  const date = fc.constantFrom(OLD, DATE, NEW, 'nonsense');
  const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined });
  const noneMatch = fc.oneof(
    fc.constant('*'),
    fc.array(tag, { minLength: 1, maxLength: 3 }).map((tags) => tags.join(', ')),
  );
  fc.assert(
    fc.property(
      maybe(noneMatch),
      maybe(date),
      tag,
      maybe(fc.constantFrom(OLD, DATE, NEW)),
      (match, since, etag, changed) => {
        const request = { 'if-none-match': match, 'if-modified-since': since };
        const environ = setupTestingDefaults({
          ...(match !== undefined && { HTTP_IF_NONE_MATCH: match }),
          ...(since !== undefined && { HTTP_IF_MODIFIED_SINCE: since }),
        });
        const response = { etag, ...(changed !== undefined && { 'last-modified': changed }) };
        const expected = fresh(JSON.parse(JSON.stringify(request)), response) ? 304 : 0;
        expect(evaluate(environ, { etag, lastModified: changed })).toBe(expected);
      },
    ),
    { numRuns: 500 },
  );
});

describe('a 304', () => {
  const everything: [string, string][] = [
    ...TYPE,
    ['Content-Language', 'en'],
    ['Content-Location', '/here'],
    ['Content-Security-Policy', "default-src 'self'"],
    ['Cache-Control', 'max-age=60'],
    ['Expires', NEW],
    ['Vary', 'Accept'],
    ['Set-Cookie', 'a=1'],
    ['Last-Modified', DATE],
    ['X-Own', 'x'],
  ];

  test('keeps what caches need and drops what is about the content', async () => {
    const app = answering([...everything, ['ETag', '"a"'], ['Content-Length', '4']], 'body');
    const { status, headers, bytes } = await ask(conditional(app), { headers: { 'if-none-match': '"a"' } });
    expect(status).toBe(304);
    expect(bytes.byteLength).toBe(0);
    expect(headers).toEqual({
      etag: '"a"',
      'content-location': '/here',
      'content-security-policy': "default-src 'self'",
      'cache-control': 'max-age=60',
      expires: NEW,
      vary: 'Accept',
      'set-cookie': 'a=1',
      'x-own': 'x',
    });
  });

  test('keeps the date where there is no tag', async () => {
    const app = conditional(answering(everything, ''), { hash: false });
    const { status, headers } = await ask(app, { headers: { 'if-modified-since': DATE } });
    expect([status, headers['last-modified']]).toEqual([304, DATE]);
  });

  test('closes the body without reading it', async () => {
    const seen: string[] = [];
    const app: Application = (_e, start) => {
      start('200 OK', [...TYPE, ['ETag', '"a"']]);
      const body = (async function* () {
        seen.push('read');
        yield encode('never');
      })();
      return Object.assign(body, { close: () => void seen.push('closed') });
    };
    for (const headers of [{ 'if-none-match': '"a"' }, { 'if-match': '"b"' }] as Record<string, string>[]) {
      seen.length = 0;
      await ask(sandwiched(conditional)(app), { headers });
      expect(seen).toEqual(['closed']);
    }
  });

  test.each(PLATFORMS)('on %s', async (platform) => {
    const app = sandwiched(conditional)(answering(TYPE, 'body'));
    const etag = (await ask(app, {}, platform)).headers.etag as string;
    const again = await ask(app, { headers: { 'if-none-match': etag } }, platform);
    expect([again.status, again.bytes.byteLength, again.headers.etag]).toEqual([304, 0, etag]);
    const other = await ask(app, { headers: { 'if-match': '"other"' } }, platform);
    expect(other.status).toBe(412);
    expect((await ask(app, { headers: { 'if-none-match': '"other"' } }, platform)).status).toBe(200);
  });
});

describe('entity tags', () => {
  const tagOf = async (
    app: Application,
    options?: ConditionalOptions,
    question?: Question,
  ): Promise<string | undefined> =>
    (await ask(sandwiched((each) => conditional(each, options))(app), question)).headers.etag;

  test('one for a body in memory, the same for the same bytes, however they are cut', async () => {
    const whole = await tagOf(answering(TYPE, 'some body'));
    expect(whole).toMatch(/^"[\w-]+"$/);
    const cut: Application = (_e, start) => {
      start('200 OK', TYPE);
      return [encode('some'), encode(''), encode(' body')];
    };
    expect(await tagOf(cut)).toBe(whole);
    expect(await tagOf(answering(TYPE, 'some bodY'))).not.toBe(whole);
    expect(await tagOf(answering(TYPE, 'some body'), undefined, { method: 'HEAD' })).toBe(whole);
  });

  test('one for a single chunk of the declared length that comes late', async () => {
    const late: Application = (_e, start) =>
      (async function* () {
        start('200 OK', [...TYPE, ['Content-Length', '9']]);
        yield encode('some body');
      })();
    expect(await tagOf(late)).toBe(await tagOf(answering(TYPE, 'some body')));
  });

  test.each<[string, Application, ConditionalOptions?]>([
    [
      'a stream',
      (_e, start) => {
        start('200 OK', TYPE);
        return [encode('x')].values();
      },
    ],
    ['an empty body', answering(TYPE)],
    ['no-store', answering([...TYPE, ['Cache-Control', 'private, no-store']], 'x')],
    ['an error', answering(TYPE, 'x', '404 Not Found')],
    ['another success', answering(TYPE, 'x', '201 Created')],
    ['hash: false', answering(TYPE, 'x'), { hash: false }],
  ])('none for %s', async (_name, app, options) => {
    expect(await tagOf(app, options)).toBeUndefined();
  });

  test('what the application gives stays', async () => {
    expect(await tagOf(withTag('"own"'))).toBe('"own"');
  });

  test('none for a method that changes something', async () => {
    expect(await tagOf(answering(TYPE, 'x'), undefined, { method: 'POST' })).toBeUndefined();
  });

  test('weak, or by another hash', async () => {
    expect(await tagOf(answering(TYPE, 'x'), { weak: true })).toMatch(/^W\/"/);
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64url');
    expect(await tagOf(answering(TYPE, 'x'), { hash })).toBe(`"${hash(encode('x'))}"`);
  });

  test('a hash that makes no tag is an error of the deployer, and a 500', async () => {
    const log: string[] = [];
    const app = conditional(answering(TYPE, 'x'), { hash: () => 'a\nb' });
    const response = await toFetch(app, { errors: (line) => void log.push(line) })('/');
    expect(response.status).toBe(500);
    expect(log.join('')).toContain('SR-06');
  });

  test('the hash differs between bodies: each byte, each length, each place', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, by) => {
          const other = bytes.slice();
          const place = at % bytes.length;
          other[place] = (other[place] as number) ^ by;
          expect(contentHash(other)).not.toBe(contentHash(bytes));
          const shifted = new Uint8Array(bytes.length + 3);
          shifted.set(bytes, 3);
          expect(contentHash(shifted.subarray(3)), 'wherever it lies in memory').toBe(contentHash(bytes));
          expect(contentHash(new Uint8Array([...bytes, 0]))).not.toBe(contentHash(bytes));
        },
      ),
      { numRuns: 500 },
    );
    // Pages that differ in a counter, or in the order of their words.
    const hashes = new Set<string>();
    const parts = new Set<string>();
    for (let count = 0; count < 20_000; count++) {
      const hash = contentHash(encode(`<p>${count.toString(36).padStart(6, '0')}</p>${'x'.repeat(50)}`));
      hashes.add(hash);
      parts.add(hash.slice(-7));
    }
    expect(hashes.size).toBe(20_000);
    // Half of the hash alone: of 20 000 in 2^32 hardly one pair is the same.
    expect(parts.size).toBeGreaterThan(19_990);
  });
});

test('an application that does not wait is answered at once', () => {
  expect(run(conditional(answering(TYPE, 'x')), setupTestingDefaults())).not.toBeInstanceOf(Promise);
});

describe('with validators, before the application is called', () => {
  let called = 0;
  const counted: Application = (environ, start) => {
    called++;
    return answering(TYPE, 'done')(environ, start);
  };
  const status = async (
    question: Question,
    validators: ConditionalOptions['validators'] = () => ({ etag: '"now"', lastModified: DATE }),
  ): Promise<[number, number]> => {
    called = 0;
    const answer = await ask(sandwiched((app) => conditional(app, { validators }))(counted), question);
    return [answer.status, called];
  };

  test('a PUT of what has changed meanwhile changes nothing', async () => {
    expect(await status({ method: 'PUT', headers: { 'if-match': '"then"' } })).toEqual([412, 0]);
    expect(await status({ method: 'PUT', headers: { 'if-match': '"now"' } })).toEqual([200, 1]);
    expect(await status({ method: 'DELETE', headers: { 'if-unmodified-since': OLD } })).toEqual([412, 0]);
  });

  test('a PUT that is to make something new does not replace what is there', async () => {
    const question = { method: 'PUT', headers: { 'if-none-match': '*' } };
    expect(await status(question)).toEqual([412, 0]);
    expect(await status(question, async () => null)).toEqual([200, 1]);
  });

  test('If-Match of what is not there fails', async () => {
    expect(await status({ method: 'PUT', headers: { 'if-match': '*' } }, () => null)).toEqual([412, 0]);
  });

  test('a GET of what the client has costs nothing', async () => {
    expect(await status({ headers: { 'if-none-match': '"now"' } })).toEqual([304, 0]);
    expect(await status({ headers: { 'if-modified-since': DATE } })).toEqual([304, 0]);
  });

  test('undefined leaves the request to the application', async () => {
    expect(await status({ method: 'PUT', headers: { 'if-match': '"then"' } }, async () => undefined)).toEqual([200, 1]);
  });

  test('without them, only what changes nothing is looked at', async () => {
    const answer = await ask(conditional(withTag('"now"')), { method: 'PUT', headers: { 'if-match': '"then"' } });
    expect(answer.status).toBe(200);
  });
});

describe('inside compress', () => {
  const page = 'The same page again and again.\n'.repeat(100);
  const app = validator(compress(validator(conditional(answering(TYPE, page))), { encoders: nodeEncoders }));

  test('a client has each of both bodies under a tag of its own, and gets a 304 when it has it', async () => {
    for (const accept of ['gzip', 'identity']) {
      const { headers } = await ask(app, { headers: { 'accept-encoding': accept } });
      expect(headers.etag).toMatch(accept === 'gzip' ? /^W\// : /^"/);
      const again = await ask(app, { headers: { 'accept-encoding': accept, 'if-none-match': headers.etag as string } });
      expect(again.status).toBe(304);
      expect(again.headers).toEqual({ etag: headers.etag, vary: 'Accept-Encoding' });
    }
  });
});

describe('dates', () => {
  test.each([
    [DATE, Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['Saturday, 06-Nov-27 08:49:37 GMT', Date.UTC(2027, 10, 6, 8, 49, 37)],
    ['Thu, 31 Feb 2020 00:00:00 GMT', undefined],
    ['Sun, 06 Nov 1994 24:00:00 GMT', undefined],
    ['Sun, 06 Nov 1994 08:49:37 UTC', undefined],
    ['Sun, 06 Nov 1994 08:49:37', undefined],
    ['Sun, 6 Nov 1994 08:49:37 GMT', undefined],
    ['1994-11-06T08:49:37Z', undefined],
    ['0', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j', (text, expected) => {
    expect(parseDate(text)).toBe(expected);
  });

  test('every date that is written is read', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
        (date) => {
          expect(parseDate(date.toUTCString())).toBe(Math.floor(date.getTime() / 1000) * 1000);
        },
      ),
    );
  });
});

test.each<[string | undefined, string | undefined, string | undefined, boolean]>([
  [undefined, '"a"', DATE, true],
  ['"a"', '"a"', DATE, true],
  ['"b"', '"a"', DATE, false],
  ['W/"a"', 'W/"a"', DATE, false],
  ['W/"a"', '"a"', DATE, false],
  ['"a"', undefined, DATE, false],
  [DATE, '"a"', DATE, true],
  [NEW, '"a"', DATE, false],
  [OLD, '"a"', DATE, false],
  ['nonsense', '"a"', undefined, false],
])('If-Range: %s against %s and %s: %s', (condition, etag, lastModified, expected) => {
  const environ = setupTestingDefaults(condition === undefined ? {} : { HTTP_IF_RANGE: condition });
  expect(rangeApplies(environ, { etag, lastModified })).toBe(expected);
});

test('options of another kind are refused', () => {
  const app = answering(TYPE, 'x');
  expect(() => conditional({} as never)).toThrow(/L-21/);
  expect(() => conditional(app, { hash: 'sha1' as never })).toThrow(/"hash"/);
  expect(() => conditional(app, { weak: 1 as never })).toThrow(/"weak"/);
  expect(() => conditional(app, { validators: {} as never })).toThrow(/"validators"/);
});
