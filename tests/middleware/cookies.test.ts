// Cookies: what a browser keeps and sends back is what the application set.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { type CookieOptions, cookies, setCookie } from 'waygate/middleware';
import { testEnviron } from 'waygate/testing';
import { growth, LINEAR } from '../guards/growth.ts';
import { checked, everywhere } from './everywhere.ts';

const read = (header: string | undefined) => ({ ...cookies(testEnviron({ HTTP_COOKIE: header })) });

test.each([
  [undefined, {}],
  ['', {}],
  ['a=1; b=2', { a: '1', b: '2' }],
  ['a=1;b="2"; a=3', { a: '1', b: '"2"' }], // Quotes are part of the value, as browsers keep them. (RFC 6265bis §5.6)
  ['a=b=c', { a: 'b=c' }],
  ['a=caf%C3%A9', { a: 'café' }],
  ['a=caf\xc3\xa9', { a: 'café' }],
  ['a=%zz; b=%', { a: '%zz', b: '%' }],
  ['a=\xff', { a: '\ufffd' }],
  ['nothing; ;;=; a=1', { '': '', a: '1' }],
  ['__proto__=x; constructor=y', { ['__proto__']: 'x', constructor: 'y' }],
])('%j', (header, expected) => {
  const found = cookies(testEnviron({ HTTP_COOKIE: header }));
  expect('toString' in found).toBe(false);
  expect(Object.entries(found)).toEqual(Object.entries(expected));
});

test('nothing that a client sends makes it throw, nor takes long', async () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((unit) => String.fromCharCode(unit)) }),
      (header) => {
        read(header);
      },
    ),
  );
  for (const [start, part] of [
    ['', 'a=1;'],
    ['a=', '%'],
    ['', ';= '],
  ] as const) {
    expect(await growth({ input: (size) => start + part.repeat(size), run: read }, LINEAR), part).toBeLessThan(LINEAR);
  }
});

test('any value comes back as it was set', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const [name, header] = setCookie('a', value);
      expect(name).toBe('Set-Cookie');
      expect(header).toMatch(/^[\x20-\x7e]*$/);
      expect(read(header.split(';')[0])).toEqual({ a: value });
    }),
  );
});

test('the defaults are the safe ones, and all options are written', () => {
  expect(setCookie('sid', 'x')[1]).toBe('sid=x; Path=/; HttpOnly; SameSite=Lax');
  expect(setCookie('sid', '', { maxAgeSeconds: 0, httpOnly: false, sameSite: false })[1]).toBe(
    'sid=; Max-Age=0; Path=/',
  );
  const all: CookieOptions = {
    maxAgeSeconds: 60,
    expires: new Date(0),
    domain: 'example.com',
    path: '/shop',
    secure: true,
    sameSite: 'none',
    partitioned: true,
    priority: 'high',
  };
  const parts = setCookie('a', 'b', all)[1].split('; ').sort();
  expect(parts).toEqual(
    [
      'a=b',
      'Max-Age=60',
      'Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      'Domain=example.com',
      'Path=/shop',
      'HttpOnly',
      'Secure',
      'SameSite=None',
      'Partitioned',
      'Priority=High',
    ].sort(),
  );
  expect(setCookie('__Host-a', 'b', { secure: true })[1]).toContain('Secure');
});

test.each([
  ['a b', 'x', {}],
  ['a;b', 'x', {}],
  ['', 'x', {}],
  ['a', 5, {}],
  [undefined, 'x', {}],
  ['a', 'x', { path: '/a;b' }],
  ['a', 'x', { path: '/\r\nX: y' }],
  ['a', 'x', { domain: 'a b' }],
  ['a', 'x', { sameSite: 'none' }],
  ['a', 'x', { sameSite: 'maybe', secure: true }],
  ['a', 'x', { partitioned: true }],
  ['a', 'x', { maxAgeSeconds: 1.5 }],
  ['a', 'x', { expires: 'tomorrow' }],
  ['a', 'x', { priority: 'top' }],
  ['__Host-a', 'x', {}],
  ['__Host-a', 'x', { secure: true, path: '/a' }],
  ['__Host-a', 'x', { secure: true, domain: 'example.com' }],
  ['__secure-a', 'x', {}],
] as never[])('setCookie(%j, %j, %j) is refused', (...given: unknown[]) => {
  expect(() => setCookie(...(given as Parameters<typeof setCookie>))).toThrow(TypeError);
});

test('setCookie names the cookie that it refuses, and what names are made of', () => {
  expect(() => setCookie('a b', 'x')).toThrow(/^The cookie "a b" cannot be set: .*no blanks, semicolons/);
  expect(() => setCookie('a', '\ud800')).toThrow(/^The cookie "a" cannot be set: /);
});

test('on every platform several cookies go out and come in', async () => {
  const app: Application = (request, startResponse) => {
    startResponse('200 OK', [setCookie('a', 'ü'), setCookie('b', '2'), ['Content-Type', 'text/plain']]);
    return [encode(JSON.stringify(cookies(request)))];
  };
  for (const [platform, call] of await everywhere(checked((inner) => inner, app))) {
    const response = await call('/', { headers: { Cookie: 'a=%C3%BC; b=2' } });
    expect(response.headers.getSetCookie(), platform).toEqual([
      'a=%C3%BC; Path=/; HttpOnly; SameSite=Lax',
      'b=2; Path=/; HttpOnly; SameSite=Lax',
    ]);
    expect(await response.json(), platform).toEqual({ a: 'ü', b: '2' });
  }
});
