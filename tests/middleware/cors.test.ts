// cors: held against what the Fetch standard has a browser do with the answers.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Application } from 'waygate';
import { type CorsOptions, cors } from 'waygate/middleware';
import { ask, hello } from './answers.ts';

const SHOP = 'https://shop.example';
const PREFLIGHT = { REQUEST_METHOD: 'OPTIONS', HTTP_ORIGIN: SHOP, HTTP_ACCESS_CONTROL_REQUEST_METHOD: 'PUT' };

test('by default any origin may read, without credentials, and caches need not care', async () => {
  const { headers } = await ask(cors(hello), { HTTP_ORIGIN: SHOP });
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(headers.get('access-control-allow-credentials')).toBe(null);
  expect(headers.get('vary')).toBe(null);
});

const decided: [string, CorsOptions['origins'], Record<string, boolean>][] = [
  ['a name', SHOP, { [SHOP]: true, 'http://shop.example': false, 'https://shop.example:8443': false, null: false }],
  [
    'a list',
    [SHOP, /^https:\/\/[a-z]+\.test$/g],
    { [SHOP]: true, 'https://a.test': true, 'https://a.test.evil': false, null: false },
  ],
  ['a function', (origin) => origin.endsWith('.example'), { [SHOP]: true, 'https://evil.test': false }],
  [
    'an async function',
    async (origin, environ) => origin === environ['app.own'],
    { [SHOP]: true, 'https://evil.test': false },
  ],
  ['the opaque origin', 'null', { null: true, [SHOP]: false }],
  ['any text', /.*/, { [SHOP]: true, null: false }],
];
test.each(decided)('%s decides which origins may', async (_kind, origins, expected) => {
  const app = cors(hello, { origins, credentials: true } as CorsOptions);
  for (const [origin, isAllowed] of Object.entries(expected)) {
    for (let round = 0; round < 2; round++) {
      const { headers, status } = await ask(app, { HTTP_ORIGIN: origin, 'app.own': SHOP });
      expect(status).toBe('200 OK');
      expect(headers.get('access-control-allow-origin'), origin).toBe(isAllowed ? origin : null);
      expect(headers.get('access-control-allow-credentials'), origin).toBe(isAllowed ? 'true' : null);
      expect(headers.get('vary'), origin).toBe('Origin');
    }
  }
  expect((await ask(app)).headers.get('vary')).toBe('Origin');
});

test('Vary of the application is kept, and nothing in it is repeated', async () => {
  const varies =
    (vary: string): Application =>
    (_environ, startResponse) => {
      startResponse('200 OK', [['vary', vary]]);
      return [];
    };
  for (const [own, expected] of [
    ['Accept', 'Accept, Origin'],
    ['accept, ORIGIN', 'accept, ORIGIN'],
    ['*', '*'],
  ] as const)
    expect((await ask(cors(varies(own), { origins: SHOP }), { HTTP_ORIGIN: SHOP })).headers.get('vary')).toBe(expected);
});

test('what the application says of CORS itself is replaced', async () => {
  const own: Application = (_environ, startResponse) => {
    startResponse('200 OK', [
      ['access-control-allow-origin', '*'],
      ['Access-Control-Allow-Credentials', 'true'],
    ]);
    return [];
  };
  const { headers } = await ask(cors(own, { origins: SHOP, exposedHeaders: ['ETag', 'X-Total'] }), {
    HTTP_ORIGIN: SHOP,
  });
  expect(headers.get('access-control-allow-origin')).toBe(SHOP);
  expect(headers.get('access-control-allow-credentials')).toBe(null);
  expect(headers.get('access-control-expose-headers')).toBe('ETag, X-Total');
  expect(
    (await ask(cors(own, { origins: SHOP }), { HTTP_ORIGIN: 'https://b.test' })).headers.has(
      'access-control-allow-origin',
    ),
  ).toBe(false);
});

test('a preflight is answered without the application', async () => {
  let called = 0;
  const app: Application = (environ, startResponse) => {
    called++;
    return hello(environ, startResponse);
  };
  const options = { origins: SHOP, credentials: true, methods: ['PUT'], maxAgeSeconds: 600, privateNetwork: true };
  const { status, headers, text } = await ask(cors(app, options), {
    ...PREFLIGHT,
    HTTP_ACCESS_CONTROL_REQUEST_HEADERS: 'content-type, x-token,,"bad name"',
    HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK: 'true',
  });
  expect([status, text, called]).toEqual(['204 No Content', '', 0]);
  expect(Object.fromEntries(headers)).toEqual({
    'access-control-allow-origin': SHOP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'content-type, x-token',
    'access-control-max-age': '600',
    'access-control-allow-private-network': 'true',
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network',
  });
  const listed = await ask(cors(app, { headers: ['X-Token'] }), PREFLIGHT);
  expect(listed.headers.get('access-control-allow-headers')).toBe('X-Token');
  expect(listed.headers.get('access-control-allow-private-network')).toBe(null);
});

test('a preflight of another origin is a 403 that allows nothing', async () => {
  const { status, headers } = await ask(cors(hello, { origins: 'https://other.example' }), PREFLIGHT);
  expect(status).toBe('403 Forbidden');
  expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  expect(headers.get('vary')).toContain('Origin');
});

test('an OPTIONS request that is not a preflight reaches the application', async () => {
  for (const keys of [{}, { HTTP_ORIGIN: SHOP }, { HTTP_ACCESS_CONTROL_REQUEST_METHOD: 'PUT' }])
    expect((await ask(cors(hello), { REQUEST_METHOD: 'OPTIONS', ...keys })).text).toBe('hello');
});

test.each([
  '',
  'shop.example',
  'https://',
  'https://a/b',
  'https://a b',
  'https://a, https://b',
  '\x1b[2J',
  `https://${'a'.repeat(2000)}`,
])('the malformed origin %j is not allowed, and logged once without its text', async (origin) => {
  const app = cors(hello, { origins: () => true, credentials: true });
  const { status, headers, log } = await ask(app, { HTTP_ORIGIN: origin });
  expect(status).toBe('200 OK');
  expect(headers.get('access-control-allow-origin')).toBe(null);
  expect(log).toBe('cors: the header Origin is malformed; expected an origin such as https://example.com.\n');
  expect((await ask(app, { ...PREFLIGHT, HTTP_ORIGIN: origin })).status).toBe('403 Forbidden');
});

test('every origin that a browser can send is well-formed', () => {
  fc.assert(
    fc.asyncProperty(fc.webUrl({ withFragments: true, withQueryParameters: true }), async (url) => {
      const { origin } = new URL(url);
      const { headers } = await ask(cors(hello, { origins: () => true }), { HTTP_ORIGIN: origin });
      expect(headers.get('access-control-allow-origin')).toBe(origin);
    }),
  );
});

test('an origin check that fails is a failure of the application', async () => {
  const origins = async () => {
    throw new Error('no database');
  };
  const { status, log } = await ask(cors(hello, { origins }), { HTTP_ORIGIN: SHOP });
  expect(status).toBe('500 Internal Server Error');
  expect(log).toContain('no database');
});

test.each([
  { credentials: true },
  { credentials: 'yes' },
  { origins: 'https://a.example/' },
  { origins: 'A.example' },
  { origins: [5] },
  { methods: ['GET POST'] },
  { methods: 'GET' },
  { headers: ['a b'] },
  { maxAgeSeconds: -1 },
  { maxAgeSeconds: '600' },
] as never[])('the options %j are refused', (options) => {
  expect(() => cors(hello, options)).toThrow(TypeError);
});
