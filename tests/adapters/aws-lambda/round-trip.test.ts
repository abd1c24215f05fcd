// Random requests and responses round every event source: environ → event → environ, and response → result → response.
// What comes back must be the same, but for the losses that the event source forces. Those are listed in docs/platforms.md;
// each has a test of its own below, and the random data keeps clear of it.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Application, type Environ, encodeWsgi, type HeaderList, run, setupTestingDefaults } from 'waygate';
import { type FromLambdaOptions, fromLambda, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { MemoryInput } from '../../../core/memory-input.ts';

interface Sent {
  method: string;
  /** Native string. */
  path: string;
  query: string;
  headers: [key: string, value: string][];
  contentType: string | undefined;
  body: Uint8Array;
}

interface Given {
  status: string;
  headers: HeaderList;
  chunks: Uint8Array[];
}

interface Received {
  environ: Environ;
  body: Uint8Array;
  status: string;
  headers: HeaderList;
  content: Uint8Array;
}

interface SourceCase extends FromLambdaOptions {
  title: string;
  streamed?: boolean;
  /** How the query of the event is made: as sent, from decoded pairs, from pairs as sent. */
  query: 'raw' | 'decoded' | 'pairs' | 'last';
  /** Repeats of a header arrive joined. */
  joins: boolean;
  reason: boolean;
}

const CASES: SourceCase[] = [
  { title: 'rest-api', source: 'rest-api', query: 'decoded', joins: false, reason: false },
  { title: 'rest-api, streamed', source: 'rest-api', query: 'decoded', joins: false, reason: false, streamed: true },
  { title: 'http-api', source: 'http-api', query: 'raw', joins: true, reason: false },
  {
    title: 'http-api, payload 1.0',
    source: 'http-api',
    payloadFormatVersion: '1.0',
    query: 'decoded',
    joins: false,
    reason: false,
  },
  { title: 'function-url', source: 'function-url', query: 'raw', joins: true, reason: false },
  { title: 'function-url, streamed', source: 'function-url', query: 'raw', joins: true, reason: false, streamed: true },
  { title: 'alb', source: 'alb', query: 'last', joins: true, reason: true },
  { title: 'alb, multi-value', source: 'alb', multiValueHeaders: true, query: 'pairs', joins: false, reason: true },
  { title: 'lattice', source: 'lattice', query: 'raw', joins: true, reason: false },
  { title: 'lattice-v1', source: 'lattice-v1', query: 'raw', joins: true, reason: false },
  { title: 'edge, viewer', source: 'edge', eventType: 'viewer-request', query: 'raw', joins: false, reason: true },
  { title: 'edge, origin', source: 'edge', query: 'raw', joins: false, reason: true },
];

async function roundTrip(source: SourceCase, sent: Partial<Sent>, given: Partial<Given>): Promise<Received> {
  let inner: Environ | undefined;
  let body: Uint8Array | undefined;
  const app: Application = async (environ, startResponse) => {
    inner = environ;
    body = await environ['wsgi.input'].bytes();
    startResponse(given.status ?? '200 OK', given.headers ?? []);
    return given.chunks ?? [];
  };
  const silent = { errors: () => {} };
  const handler = source.streamed ? toLambdaStream(app, silent) : toLambda(app, silent);
  const bytes = sent.body ?? new Uint8Array(0);
  const environ: Environ = setupTestingDefaults({
    REQUEST_METHOD: sent.method ?? 'GET',
    SCRIPT_NAME: '',
    PATH_INFO: sent.path ?? '/',
    QUERY_STRING: sent.query ?? '',
    HTTP_HOST: 'example.test',
    REMOTE_ADDR: '203.0.113.9',
    'wsgi.input': new MemoryInput(bytes),
    'wsgi.errors': { write() {}, writelines() {}, flush() {} },
    ...Object.fromEntries(sent.headers ?? []),
  } as never);
  if (bytes.byteLength > 0) environ.CONTENT_LENGTH = String(bytes.byteLength);
  if (sent.contentType !== undefined) environ.CONTENT_TYPE = sent.contentType;
  const response = await run(fromLambda(handler, source), environ);
  const content: Uint8Array[] = [];
  if (Array.isArray(response.body)) content.push(...response.body);
  else for await (const chunk of response.body) content.push(new Uint8Array(chunk));
  return {
    environ: inner as Environ,
    body: body as Uint8Array,
    status: response.status,
    headers: response.headers,
    content: Buffer.concat(content),
  };
}

// Random data.

const text = (options: fc.StringConstraints = {}) =>
  fc.string({ unit: 'grapheme', ...options }).map((each) => encodeWsgi(each.replace(/[\x00-\x1f\x7f]/g, '')));
const headerValue = text({ maxLength: 12 });
const bytes = fc.uint8Array({ maxLength: 64 }).map((each) => new Uint8Array(each));
const body = fc.oneof(
  bytes,
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((each) => Buffer.from(each)),
);

/** No `%` and no `?`: an HTTP API decodes twice and cuts. No dot segments: they are refused. */
const path = fc
  .array(text({ maxLength: 6 }), { maxLength: 4 })
  .map((segments) => `/${segments.join('/')}`.replace(/[%?\\]|(?<=\/)\.{1,2}(?=\/|$)/g, '-'));

const part = fc.string({ unit: fc.constantFrom(..."abc019-_.~!$'()*;:@/,"), maxLength: 5 });
const encodedPart = fc.oneof(
  part,
  text({ maxLength: 3 }).map((each) => encodeURIComponent(Buffer.from(each, 'latin1').toString())),
);
const pairs = fc.array(fc.tuple(encodedPart, encodedPart), { maxLength: 5 });
const rawQuery = fc.string({ unit: fc.constantFrom(...'ab=&+%20?/;:@!$\'()*,[]|^"<>`{}\\~'), maxLength: 12 });

const queryFor = (source: SourceCase): fc.Arbitrary<string> => {
  const joined = (list: [string, string][]) => list.map((pair) => pair.join('=')).join('&');
  if (source.query === 'raw') return rawQuery;
  if (source.query !== 'last') return pairs.map(joined);
  return fc.uniqueArray(fc.tuple(encodedPart, encodedPart), { maxLength: 5, selector: ([key]) => key }).map(joined);
};

const requestHeaders = fc.uniqueArray(
  fc.tuple(fc.stringMatching(/^HTTP_X_T[A-Z0-9]{0,6}$|^HTTP_(?:CONSTRUCTOR|ACCEPT|REFERER|ETAG)$/), headerValue),
  { maxLength: 5, selector: ([key]) => key },
);
const cookie = fc.array(fc.stringMatching(/^[a-z]{1,4}=[a-zA-Z0-9%]{0,5}$/), { minLength: 1, maxLength: 3 });
const contentType = fc.option(
  fc.constantFrom(
    'text/plain',
    'text/html; charset=utf-8',
    'application/json',
    'image/png',
    'application/x-www-form-urlencoded',
  ),
  { nil: undefined },
);

const requestFor = (source: SourceCase): fc.Arbitrary<Sent> =>
  fc
    .record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'),
      path,
      query: queryFor(source),
      headers: requestHeaders,
      cookies: fc.option(cookie, { nil: undefined }),
      contentType,
      body,
    })
    .map(({ cookies, ...request }) => ({
      ...request,
      headers: cookies === undefined ? request.headers : [...request.headers, ['HTTP_COOKIE', cookies.join('; ')]],
    }));

const responseHeader = fc.tuple(
  fc.stringMatching(/^X-t[a-zA-Z0-9!#$&'*+.^_`|~-]{0,6}$|^(?:__proto__|constructor|vary|Link|ETag|Cache-Control)$/),
  headerValue,
);
const setCookie = fc.tuple(
  fc.constantFrom('Set-Cookie', 'set-cookie'),
  fc.stringMatching(/^[a-z]{1,4}=[0-9]{0,3}; Expires=Wed, 21 Oct 2026$/),
);
const response: fc.Arbitrary<Given> = fc.record({
  status: fc.constantFrom(
    '200 OK',
    '201 Created',
    '202 Any Reason',
    '203 Voil\xc3\xa0',
    '299 ',
    '302 Found',
    '404 Not Found',
    '500 Oh no',
    '204 No Content',
  ),
  headers: fc
    .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: responseHeader }, setCookie), { maxLength: 6 }), contentType)
    .map(([list, type]): HeaderList => [...list, ['Content-Type', type ?? 'application/octet-stream']]),
  chunks: fc.array(body, { maxLength: 3 }),
});

// What is the same.

/** The pairs of a query as a program reads them, those of one key in order. */
function pairsOf(query: string): Record<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(query)) map.set(key, [...(map.get(key) ?? []), value]);
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A header list as name → values. `joins`: repeats count as one value, cookies never. */
function valuesOf(headers: HeaderList, joins: boolean): Record<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    // Of a length that the function gave, an event source makes another header beside its own.
    if (/^(?:x-amzn-remapped-)?content-length$/.test(key)) continue;
    map.set(key, [...(map.get(key) ?? []), value]);
  }
  if (joins) for (const [key, values] of map) if (key !== 'set-cookie') map.set(key, [values.join(', ')]);
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The headers that an event source adds. */
const ADDED = /^HTTP_(?:X_FORWARDED_(?:FOR|PORT|PROTO)|X_AMZN_TRACE_ID|CLOUDFRONT_FORWARDED_PROTO|HOST)$/;

function headersOf(environ: Environ): Record<string, unknown> {
  const entries = Object.entries(environ).filter(([key]) => key.startsWith('HTTP_') && !ADDED.test(key));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe.each(CASES)('$title', (source) => {
  it('loses nothing of a request', async () => {
    await fc.assert(
      fc.asyncProperty(requestFor(source), async (sent) => {
        const { environ, body: arrived } = await roundTrip(source, sent, {});
        expect(environ.REQUEST_METHOD).toBe(sent.method);
        expect([environ.SCRIPT_NAME, environ.PATH_INFO]).toEqual(['', sent.path]);
        if (source.query === 'raw') expect(environ.QUERY_STRING).toBe(sent.query);
        else expect(pairsOf(environ.QUERY_STRING)).toEqual(pairsOf(sent.query));
        expect(headersOf(environ)).toEqual(Object.fromEntries([...sent.headers].sort(([a], [b]) => (a < b ? -1 : 1))));
        expect(environ.CONTENT_TYPE).toBe(sent.contentType);
        expect(environ.CONTENT_LENGTH ?? '0').toBe(String(sent.body.byteLength));
        expect(Buffer.from(arrived)).toEqual(Buffer.from(sent.body));
        expect(environ.REMOTE_ADDR).toBe('203.0.113.9');
        expect(environ.HTTP_HOST).toBe('example.test');
      }),
      { numRuns: 100 },
    );
  });

  it('loses nothing of a response', async () => {
    await fc.assert(
      fc.asyncProperty(response, async (given) => {
        const received = await roundTrip(source, {}, given);
        const empty = given.status.startsWith('204');
        expect(received.status.slice(0, 3)).toBe(given.status.slice(0, 3));
        if (source.reason) expect(received.status.replace(/ $/, '')).toBe(given.status.replace(/ $/, ''));
        expect(valuesOf(received.headers, source.joins)).toEqual(valuesOf(given.headers, source.joins));
        expect(received.content).toEqual(empty ? Buffer.alloc(0) : Buffer.concat(given.chunks));
      }),
      { numRuns: 100 },
    );
  });
});

// What is lost, one test for each entry of docs/platforms.md.

const sourceCase = (title: string): SourceCase => CASES.find((each) => each.title === title) as SourceCase;
const query = async (title: string, sent: string) =>
  (await roundTrip(sourceCase(title), { query: sent }, {})).environ.QUERY_STRING;

describe('losses that event sources force', () => {
  it('REST API: the escapes of the query, a missing "=", empty parts, and the order across keys', async () => {
    expect(await query('rest-api', 'b=%41&a=x+y&b=2&c&&')).toBe('b=A&b=2&a=x%20y&c=');
  });

  it('load balancer: a missing "=", empty parts, and the order across keys', async () => {
    expect(await query('alb, multi-value', 'b=%41&a=x+y&b=2&c&&')).toBe('b=%41&b=2&a=x+y&c=');
  });

  it('load balancer without multi-value headers: all but the last value of a repeated parameter', async () => {
    expect(await query('alb', 'a=1&a=2&b=3')).toBe('a=2&b=3');
  });

  it('HTTP API: what a second decoding makes of the path, what follows an escaped "?", and %25 alone is refused', async () => {
    const at = async (path: string) => (await roundTrip(sourceCase('http-api'), { path }, {})).environ?.PATH_INFO;
    expect(await at('/a%2Fb')).toBe('/a/b'); // sent as /a%252Fb
    expect(await at('/a?b')).toBe('/a'); // sent as /a%3Fb
    expect(await at('/a%3Fb')).toBe('/a?b'); // sent as /a%253Fb
    expect(await at('/100%')).toBeUndefined(); // sent as /100%25
    expect((await roundTrip(sourceCase('http-api'), { path: '/100%' }, {})).status).toBe('400 Bad Request');
  });

  it('HTTP API: bytes in the path that are not UTF-8', async () => {
    expect((await roundTrip(sourceCase('http-api'), { path: '/sp\xe4m' }, {})).environ.PATH_INFO).toBe(
      '/sp\xef\xbf\xbdm',
    );
  });

  it.each(CASES.map(({ title }) => title))(
    '%s: bytes in headers and reasons that are no UTF-8 go on as characters',
    async (title) => {
      const sent = { headers: [['HTTP_X_NAME', 'caf\xe9']] as [string, string][] };
      const received = await roundTrip(sourceCase(title), sent, { headers: [['X-Name', 'caf\xe9']] });
      expect(received.environ.HTTP_X_NAME).toBe('caf\xc3\xa9');
      expect(valuesOf(received.headers, true)['x-name']).toEqual(['caf\xc3\xa9']);
      if (!sourceCase(title).reason) return;
      expect((await roundTrip(sourceCase(title), {}, { status: '200 Caf\xe9' })).status).toBe('200 Caf\xc3\xa9');
    },
  );

  it.each(['rest-api', 'http-api', 'function-url', 'lattice', 'lattice-v1'])('%s: the reason phrase', async (title) => {
    expect((await roundTrip(sourceCase(title), {}, { status: '200 Any Reason' })).status).toBe('200 OK');
  });

  it.each([
    ['rest-api', 'application/json'],
    ['function-url', 'application/json'],
    ['http-api', 'text/plain; charset=utf-8'],
    ['http-api, payload 1.0', 'text/plain; charset=utf-8'],
  ])('A7: %s: a response without a type becomes %s', async (title, type) => {
    expect(valuesOf((await roundTrip(sourceCase(title), {}, {})).headers, true)['content-type']).toEqual([type]);
  });

  it.each([
    'rest-api',
    'rest-api, streamed',
    'http-api',
    'http-api, payload 1.0',
    'function-url',
    'function-url, streamed',
  ])('A10: %s: WWW-Authenticate, Server and Date go out under other names', async (title) => {
    const headers: HeaderList = [
      ['WWW-Authenticate', 'Basic'],
      ['Server', 's'],
      ['Date', 'd'],
    ];
    expect(Object.keys(valuesOf((await roundTrip(sourceCase(title), {}, { headers })).headers, true))).toEqual([
      'content-type',
      'x-amzn-remapped-date',
      'x-amzn-remapped-server',
      'x-amzn-remapped-www-authenticate',
    ]);
  });

  it('Lambda@Edge: the length of a response to HEAD, and the headers that a function may not add', async () => {
    const received = await roundTrip(
      sourceCase('edge, origin'),
      { method: 'HEAD' },
      {
        headers: [
          ['X-Cache', 'hit'],
          ['X-Other', 'o'],
          ['Content-Length', '5'],
        ],
        chunks: [Buffer.from('hello')],
      },
    );
    expect(received.headers).toEqual([['X-Other', 'o']]);
  });

  it('VPC Lattice: scheme and port, of which the event says nothing', async () => {
    const { environ } = await roundTrip(sourceCase('lattice'), {}, {});
    expect([environ['wsgi.url_scheme'], environ.SERVER_PORT]).toEqual(['https', '443']);
    expect((await roundTrip(sourceCase('alb'), {}, {})).environ['wsgi.url_scheme']).toBe('http');
  });
});
