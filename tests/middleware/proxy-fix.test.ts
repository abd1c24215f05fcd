// proxyFix: only what the deployer said is believed, and never more than it said.

import { expect, test } from 'vitest';
import { applicationUri, type Environ, requestUri, run, setupTestingDefaults } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { PROXY_FIX_ORIGINAL, type ProxyFixOptions, proxyFix } from 'waygate/middleware';

const ALL: ProxyFixOptions = { for: true, proto: true, host: true, port: true, prefix: true };

/** What an application sees behind the middleware. */
function fixed(headers: Record<string, string>, options: ProxyFixOptions, more: Record<string, unknown> = {}): Environ {
  let seen = {} as Environ;
  const app = proxyFix((environ, startResponse) => {
    seen = environ;
    startResponse('200 OK', []);
    return [];
  }, options);
  const keys = Object.entries(headers).map(([name, value]) => [
    `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
    value,
  ]);
  const connection = {
    REMOTE_ADDR: '10.0.0.1',
    REMOTE_PORT: '5000',
    HTTP_HOST: 'internal:8000',
    SERVER_NAME: '127.0.0.1',
    SERVER_PORT: '8000',
    PATH_INFO: '/a b',
    REQUEST_URI: '/a%20b',
    QUERY_STRING: 'q',
    ...more,
  };
  run(app, setupTestingDefaults({ ...connection, ...Object.fromEntries(keys) }));
  return seen;
}

const FORGED = {
  'X-Forwarded-For': '6.6.6.6',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'evil.example',
  'X-Forwarded-Port': '666',
  'X-Forwarded-Prefix': '/evil',
  Forwarded: 'for=6.6.6.6;proto=https;host=evil.example',
};

test('nothing is believed unless it is asked for', () => {
  const untouched = fixed({}, {});
  for (const options of [{}, { forwarded: true }, { hops: 2 }, { for: 0, proto: false }] as ProxyFixOptions[]) {
    const seen = fixed(FORGED, options);
    for (const key of ['REMOTE_ADDR', 'wsgi.url_scheme', 'HTTP_HOST', 'SERVER_NAME', 'SERVER_PORT', 'SCRIPT_NAME'])
      expect(seen[key], key).toBe(untouched[key]);
  }
});

test('one proxy: the client, scheme, host, port and prefix are those it names', () => {
  const seen = fixed(
    {
      'X-Forwarded-For': '203.0.113.7',
      'X-Forwarded-Proto': 'HTTPS',
      'X-Forwarded-Host': 'example.com',
      'X-Forwarded-Port': '8443',
      'X-Forwarded-Prefix': '/sh%C3%B6p/',
    },
    ALL,
  );
  expect(seen).toMatchObject({
    REMOTE_ADDR: '203.0.113.7',
    'wsgi.url_scheme': 'https',
    HTTPS: 'on',
    HTTP_HOST: 'example.com:8443',
    SERVER_NAME: 'example.com',
    SERVER_PORT: '8443',
    SCRIPT_NAME: '/sh\xc3\xb6p',
    PATH_INFO: '/a b',
    REQUEST_URI: '/sh%C3%B6p/a%20b',
  });
  expect(seen.REMOTE_PORT).toBe(undefined);
  expect(requestUri(seen)).toBe('https://example.com:8443/sh%C3%B6p/a%20b?q');
});

test('each value is the one that the outermost trusted proxy added; what a client put in front is passed over', () => {
  const headers = { 'X-Forwarded-For': '6.6.6.6, 203.0.113.7,10.1.1.1', 'X-Forwarded-Proto': 'ftp, https, http' };
  expect(fixed(headers, { for: 1 }).REMOTE_ADDR).toBe('10.1.1.1');
  expect(fixed(headers, { for: 2 }).REMOTE_ADDR).toBe('203.0.113.7');
  expect(fixed(headers, { for: true, hops: 2 }).REMOTE_ADDR).toBe('203.0.113.7');
  expect(fixed(headers, { proto: true, hops: 2 })['wsgi.url_scheme']).toBe('https');
  // Fewer values than proxies: some proxy did not do its part, and none is known to be right.
  expect(fixed(headers, { for: 4 }).REMOTE_ADDR).toBe(undefined);
  // No header at all: the request did not come through the proxies.
  expect(fixed({}, { for: 4 }).REMOTE_ADDR).toBe('10.0.0.1');
});

test.each([
  ['203.0.113.7:4711', '203.0.113.7', '4711'],
  ['2001:db8::1', '2001:db8::1', undefined],
  ['[2001:db8::1]', '2001:db8::1', undefined],
  ['[2001:db8::1]:4711', '2001:db8::1', '4711'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1', undefined],
  ['1.2.3.4:0', '1.2.3.4', undefined],
  ['1.2.3.4:_port', '1.2.3.4', undefined],
  ['0.0.0.0', '0.0.0.0', undefined],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8', undefined],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7::', undefined],
  ['::', '::', undefined],
  ['::FFFF:1.2.3.4', '::FFFF:1.2.3.4', undefined],
  ['\t203.0.113.7 ', '203.0.113.7', undefined],
])('X-Forwarded-For: %s gives %s', (value, address, port) => {
  const seen = fixed({ 'X-Forwarded-For': value }, { for: 1 });
  expect([seen.REMOTE_ADDR, seen.REMOTE_PORT]).toEqual([address, port]);
});

test.each([
  'unknown',
  '_hidden',
  '1.2.3',
  '1.2.3.4.',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.02.03.04',
  '1.2.3.04',
  '0x7f.0.0.1',
  '2130706433',
  '127.1',
  '1..2.3',
  ':::::',
  ':',
  '1:2',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '12345::',
  '::g',
  '::1%eth0',
  '::1%25eth0',
  '::256.1.1.1',
  '::ffff:01.2.3.4',
  '::1.2.3',
  '1.2.3.4::',
  '[::1',
  '::1]',
  '[]',
  '[1.2.3.4]',
  '[::1]x',
  '[::1]:x',
  '1.2.3.4:',
  '1.2.3.4:port',
  '1.2.3.4:80:80',
  '1.2.3.4/24',
  '１.2.3.4',
  'localhost',
  '<script>',
  '1.2.3.4\t5',
  '::1\n',
  '',
])('X-Forwarded-For: %j is not an address, and the proxy is not taken for the client', (value) => {
  const seen = fixed({ 'X-Forwarded-For': value }, { for: 1 });
  expect(['REMOTE_ADDR' in seen, 'REMOTE_PORT' in seen]).toEqual([false, false]);
});

test('where nothing trustworthy is said of the scheme, it is the less trusted one', () => {
  const tls = { 'wsgi.url_scheme': 'https', HTTPS: 'on' };
  for (const value of ['javascript', '', 'https://', 'http, https,']) {
    const seen = fixed({ 'X-Forwarded-Proto': value }, { proto: 1 }, tls);
    expect([seen['wsgi.url_scheme'], 'HTTPS' in seen], value).toEqual(['http', false]);
  }
  expect(fixed({ 'X-Forwarded-Proto': 'https' }, { proto: 2 }, tls)['wsgi.url_scheme']).toBe('http');
  expect(fixed({}, { proto: 1 }, tls)['wsgi.url_scheme']).toBe('https');
  expect(fixed({ 'X-Forwarded-Proto': 'wss' }, { proto: 1 })['wsgi.url_scheme']).toBe('https');
});

test.each([
  ['X-Forwarded-Proto', 'javascript'],
  ['X-Forwarded-Proto', 'https://'],
  ['X-Forwarded-Host', 'user@evil.example'],
  ['X-Forwarded-Host', 'evil.example/path'],
  ['X-Forwarded-Host', 'evil example'],
  ['X-Forwarded-Host', 'example.com:99999'],
  ['X-Forwarded-Host', 'example.com:'],
  ['X-Forwarded-Host', '-'],
  ['X-Forwarded-Host', '[:::::]'],
  ['X-Forwarded-Host', '[1.2.3.4]'],
  ['X-Forwarded-Host', '01.02.03.04'],
  ['X-Forwarded-Host', '1.2.3.4.5'],
  ['X-Forwarded-Port', '0'],
  ['X-Forwarded-Port', '70000'],
  ['X-Forwarded-Port', '+80'],
  ['X-Forwarded-Prefix', 'evil'],
  ['X-Forwarded-Prefix', '//evil.example'],
  ['X-Forwarded-Prefix', '/a?b'],
  ['X-Forwarded-Prefix', '/a%00'],
  ['X-Forwarded-Prefix', '/a\\b'],
  ['X-Forwarded-Prefix', '/'],
  ['X-Forwarded-Prefix', '////'],
  ['X-Forwarded-Prefix', '/%2fevil.example'],
  ['X-Forwarded-Prefix', '/%2Fevil.example'],
  ['X-Forwarded-Prefix', '%2f/evil.example'],
  ['X-Forwarded-Prefix', '%2f%2fevil.example'],
  ['X-Forwarded-Prefix', '/%5cevil.example'],
  ['X-Forwarded-Prefix', '/a%5c..'],
  ['X-Forwarded-Prefix', '/a%0d%0aX: y'],
  ['X-Forwarded-Prefix', '/a%0d%0aX:y'],
  ['X-Forwarded-Prefix', '/a%7f'],
  ['X-Forwarded-Prefix', '/..'],
  ['X-Forwarded-Prefix', '/%2e%2e/admin'],
  ['X-Forwarded-Prefix', '/a/%2e/b'],
  ['X-Forwarded-Prefix', '/a/.%2E'],
  ['X-Forwarded-Prefix', '/%2f'],
])('%s: %s is not of its kind and changes nothing', (name, value) => {
  expect(requestUri(fixed({ [name]: value }, ALL))).toBe('http://internal:8000/a%20b?q');
});

test('a prefix never ends in a slash, however that was spelled (L-07)', () => {
  for (const value of ['/shop', '/shop/', '/shop%2f', '/shop/%2F/', '%2fshop']) {
    const seen = fixed({ 'X-Forwarded-Prefix': value }, ALL);
    expect([seen.SCRIPT_NAME, seen.REQUEST_URI], value).toEqual(['/shop', '/shop/a%20b']);
  }
  // Decoded once: what was escaped twice is a name with an escape in it.
  expect(fixed({ 'X-Forwarded-Prefix': '/%252fevil' }, ALL).SCRIPT_NAME).toBe('/%2fevil');
});

test('a host without a port stands for the default port of the scheme', () => {
  const https = fixed({ 'X-Forwarded-Host': 'example.com', 'X-Forwarded-Proto': 'https' }, ALL);
  expect([https.SERVER_PORT, applicationUri(https)]).toEqual(['443', 'https://example.com/']);
  const six = fixed({ 'X-Forwarded-Host': '[2001:db8::1]:8443' }, ALL);
  expect([six.SERVER_NAME, six.SERVER_PORT, six.HTTP_HOST]).toEqual(['[2001:db8::1]', '8443', '[2001:db8::1]:8443']);
  const port = fixed({ 'X-Forwarded-Port': '443', 'X-Forwarded-Proto': 'https' }, { port: true, proto: true });
  expect([port.SERVER_PORT, port.HTTP_HOST]).toEqual(['443', 'internal']);
});

test('TLS that ends at this server is not shown where the client came without it', () => {
  const seen = fixed({ 'X-Forwarded-Proto': 'http' }, ALL, { 'wsgi.url_scheme': 'https', HTTPS: 'on' });
  expect([seen['wsgi.url_scheme'], 'HTTPS' in seen]).toEqual(['http', false]);
});

test('Forwarded is read by elements, quoted or not, in any case', () => {
  const header = 'for=6.6.6.6, For="[2001:db8:cafe::17]:4711";Proto=https;Host="example.com:8443" , for=10.1.1.1';
  const seen = fixed({ Forwarded: header, 'X-Forwarded-For': '6.6.6.6' }, { ...ALL, hops: 2, forwarded: true });
  expect(seen).toMatchObject({
    REMOTE_ADDR: '2001:db8:cafe::17',
    REMOTE_PORT: '4711',
    'wsgi.url_scheme': 'https',
    HTTP_HOST: 'example.com:8443',
    SERVER_PORT: '8443',
  });
});

test.each([
  'for="x, ',
  'for="\\", ',
  '"""""", ',
  'for=6.6.6.6;for=7.7.7.7, ',
  ';;;===,,, ',
  ', ',
  'a="\\\\\\", ',
  'for=6.6.6.6 x,',
  '\xff\xfe,',
  'for=",for=6.6.6.6;x=", ',
  '',
])('Forwarded: what a client put first, %j, does not change who the proxy says it is', (start) => {
  for (const [element, address] of [
    ['for=203.0.113.7', '203.0.113.7'],
    ['for="[2001:db8::1]:4711";proto=https', '2001:db8::1'],
    ['proto=https;for=203.0.113.7;by=_me', '203.0.113.7'],
    ['host="a\\"b,c;for=6.6.6.6\\\\";for=203.0.113.7', '203.0.113.7'],
    ['for=203.0.113.7;host="a\\", for=6.6.6.6;x=\\"b"', '203.0.113.7'],
    ['for=203.0.113.7;', '203.0.113.7'],
  ] as const)
    expect(fixed({ Forwarded: start + element }, { for: 1, forwarded: true }).REMOTE_ADDR, element).toBe(address);
});

test('Forwarded: with fewer elements than proxies, and without the header', () => {
  const options = { ...ALL, hops: 2, forwarded: true };
  const short = fixed({ Forwarded: 'for=6.6.6.6;proto=https;host=evil.example' }, options);
  expect(['REMOTE_ADDR' in short, short['wsgi.url_scheme'], short.HTTP_HOST]).toEqual([false, 'http', 'internal:8000']);
  const none = fixed({}, options);
  expect([none.REMOTE_ADDR, none.REMOTE_PORT, none.HTTP_HOST]).toEqual(['10.0.0.1', '5000', 'internal:8000']);
  // A proxy that wrote nothing between two commas does not make room for what the client wrote.
  expect('REMOTE_ADDR' in fixed({ Forwarded: 'for=6.6.6.6, , for=203.0.113.7' }, options)).toBe(false);
  expect('REMOTE_ADDR' in fixed({ 'X-Forwarded-For': '6.6.6.6, , 203.0.113.7' }, { for: 2 })).toBe(false);
});

test('Forwarded: a scheme that the proxy leaves out is the one of the connection', () => {
  const tls = { 'wsgi.url_scheme': 'https', HTTPS: 'on' };
  const options = { ...ALL, forwarded: true };
  expect(fixed({ Forwarded: 'for=203.0.113.7' }, options, tls)['wsgi.url_scheme']).toBe('https');
  expect(fixed({ Forwarded: 'for=203.0.113.7;proto=x' }, options, tls)['wsgi.url_scheme']).toBe('http');
});

test.each([
  'for=6.6.6.6;for=7.7.7.7',
  'for=6.6.6.6; =x',
  'for="6.6.6.6',
  'for 6.6.6.6',
  'for=6.6.6.6 x',
  'for=unknown',
  'for="_SEVKISEK"',
  'proto=https',
  '',
])('Forwarded: %s names no client', (header) => {
  expect('REMOTE_ADDR' in fixed({ Forwarded: header }, { for: 1, forwarded: true })).toBe(false);
});

test('what the environ said before is kept, absent keys absent', () => {
  const seen = fixed(FORGED, ALL);
  expect(seen[PROXY_FIX_ORIGINAL]).toEqual({
    REMOTE_ADDR: '10.0.0.1',
    REMOTE_PORT: '5000',
    'wsgi.url_scheme': 'http',
    HTTP_HOST: 'internal:8000',
    SERVER_NAME: '127.0.0.1',
    SERVER_PORT: '8000',
    SCRIPT_NAME: '',
    REQUEST_URI: '/a%20b',
  });
});

test('a hosted app sees the public URL without the prefix, in the encoding that was sent', async () => {
  const urls: string[] = [];
  const app = fromFetch((request) => {
    urls.push(request.url);
    return new Response();
  });
  const environ = setupTestingDefaults({
    PATH_INFO: '/a/b',
    REQUEST_URI: '/a%2Fb',
    HTTP_X_FORWARDED_HOST: 'example.com',
    HTTP_X_FORWARDED_PREFIX: '/shop',
  });
  await run(proxyFix(app, ALL), environ);
  expect(urls).toEqual(['http://example.com/a%2Fb']);
});

test('an option that is not a count, and a value that is not an application, are refused when it is made', () => {
  const app = () => [];
  expect(() => proxyFix({ for: 1 } as never, app as never)).toThrow(
    'The application is an Object; expected a function (environ, startResponse)',
  );
  expect(() => proxyFix(app, true as never)).toThrow('The options are the boolean true; expected an object.');
  expect(() => proxyFix(app, { for: -1 })).toThrow('The option "for" of proxyFix is the number -1; expected a number');
  expect(() => proxyFix(app, { host: 'x' as never })).toThrow(
    'The option "host" of proxyFix is the string "x"; expected',
  );
  expect(() => proxyFix(app, { forwarded: 'no' as never })).toThrow(
    'The option "forwarded" of proxyFix is the string "no"',
  );
  expect(() => proxyFix(app, { hops: 0 })).toThrow('The option "hops" of proxyFix is the number 0; expected');
});
