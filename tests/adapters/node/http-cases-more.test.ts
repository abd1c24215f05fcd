// More raw requests of the kind of tests/cases/http.json, written for this adapter: what a client may send to mislead,
// and what Node answers before any application is asked. Requests are native strings, one character per byte.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeOptions } from 'waygate/node';
import { exchange, type ProbeServer, seenIn, startProbe } from './http-cases-probe.ts';

/** What a request has to lead to: environ keys (undefined: absent) and the body, or a refusal. */
interface Outcome {
  environ?: Record<string, string | undefined>;
  /** The request body as the application reads it. */
  body?: string;
  /** A refusal by the adapter, no application being called. */
  refused?: number;
  /** A refusal by Node's own parser or server, before the adapter; 0 where it closes the connection without a word. */
  node?: number;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const target = (uri: string, method = 'GET') => `${method} ${uri} HTTP/1.1\r\nHost: example.test\r\n\r\n`;
const withHeaders = (...lines: string[]) =>
  `GET / HTTP/1.1\r\n${['Host: example.test', ...lines].join('\r\n')}\r\n\r\n`;
const post = (body: string, ...lines: string[]) =>
  `POST /x HTTP/1.1\r\n${['Host: example.test', ...lines].join('\r\n')}\r\n\r\n${body}`;
const path = (PATH_INFO: string, QUERY_STRING = ''): Outcome => ({ environ: { PATH_INFO, QUERY_STRING } });

let server: ProbeServer;
let mounted: ProbeServer;

beforeAll(async () => {
  const options: NodeOptions = {
    basePath: '/api',
    maxBodyBytes: 4,
    environ: { 'my.key': 'deployer', HTTP_X_MINE: 'mine' },
  };
  [server, mounted] = await Promise.all([startProbe(), startProbe(undefined, options)]);
});
afterAll(() => {
  server.close();
  mounted.close();
});

async function check(site: ProbeServer, request: string, outcome: Outcome): Promise<void> {
  const [response] = await exchange(site.port, latin1(request));
  const refusal = outcome.refused ?? outcome.node;
  if (refusal !== undefined) {
    expect(response?.status ?? 0).toBe(refusal);
    // A refusal of the adapter is a page; Node's are empty.
    if (refusal !== 0) expect(response?.body !== '').toBe(outcome.refused !== undefined);
    return;
  }
  expect(response?.statusLine).toBe('HTTP/1.1 200 OK');
  const { environ, body } = seenIn(response as NonNullable<typeof response>);
  for (const [key, value] of Object.entries(outcome.environ ?? {})) expect(environ[key], key).toBe(value);
  expect(body).toBe(outcome.body ?? '');
}

const TARGETS: [name: string, request: string, outcome: Outcome][] = [
  ['a path with no escape at all', target('/plain/path'), path('/plain/path')],
  ['every byte as an escape but NUL', target(everyEscape()), path(everyByte())],
  ['lower-case hex digits', target('/%c3%a9'), path('/\xc3\xa9')],
  ['an escape that is no UTF-8', target('/%ff%FE'), path('/\xff\xfe')],
  ['an overlong UTF-8 slash stays two bytes', target('/%c0%af'), path('/\xc0\xaf')],
  ['a malformed escape stays as it is', target('/%zz/%4/%'), path('/%zz/%4/%')],
  ['an escape behind a lone percent sign', target('/%%41'), path('/%A')],
  ['a %u escape is none', target('/%u0041'), path('/%u0041')],
  ['an escape is decoded once', target('/%252e%252e/%2541'), path('/%2e%2e/%41')],
  ['an escaped line break is only a byte of the path', target('/a%0d%0aX: y'.replace(' ', '%20')), path('/a\r\nX: y')],
  ['an escaped NUL is refused', target('/a%00b'), { refused: 400 }],
  ['an escaped NUL in the query is data', target('/a?b=%00'), path('/a', 'b=%00')],
  ['empty segments and a trailing slash', target('/a//b///c/'), path('/a//b///c/')],
  ['only slashes', target('///'), path('///')],
  ['dot segments above the root', target('/../../etc/passwd'), path('/../../etc/passwd')],
  ['dots that make no dot segment', target('/.well-known/a..b/...'), path('/.well-known/a..b/...')],
  ['a colon in the first segment', target('/a:b@c'), path('/a:b@c')],
  ['a second path behind an @', target('/@evil.test/x'), path('/@evil.test/x')],
  ['an empty query', target('/?'), path('/')],
  ['a query of question marks', target('/a??b?'), path('/a', '?b?')],
  ['characters of a query that a URL object would escape', target(`/a?"<>\`{}|\\^'`), path('/a', `"<>\`{}|\\^'`)],
  ['an encoded query stays encoded', target('/a?b=%2F%zz+%41'), path('/a', 'b=%2F%zz+%41')],
  ['a fragment alone', target('/#top'), path('/')],
  ['a fragment ahead of a question mark', target('/a#b?c=d'), path('/a')],
  ['raw bytes in the query', target('/a?b=\xe9'), { node: 400 }],
  ['a raw control character', target('/a\x01b'), { node: 400 }],
  ['a raw NUL', target('/a\x00b'), { node: 400 }],
  ['a raw DEL', target('/a\x7fb'), { node: 400 }],
  ['OPTIONS *', target('*', 'OPTIONS'), { environ: { PATH_INFO: '*', REQUEST_URI: '*', REQUEST_METHOD: 'OPTIONS' } }],
  ['* with another method', target('*'), { refused: 400 }],
  ['* with more behind it', target('*/x', 'OPTIONS'), { refused: 400 }],
  ['CONNECT, for which nobody listens', target('example.test:443', 'CONNECT'), { node: 0 }],
  [
    'TRACE is a method like any other',
    target('/x', 'TRACE'),
    { environ: { REQUEST_METHOD: 'TRACE', PATH_INFO: '/x' } },
  ],
];

const ABSOLUTE: [name: string, request: string, outcome: Outcome][] = [
  [
    'another host chooses nothing',
    target('http://evil.test:81/a%20b?q'),
    {
      environ: {
        PATH_INFO: '/a b',
        QUERY_STRING: 'q',
        HTTP_HOST: 'example.test',
        SERVER_NAME: '127.0.0.1',
        REQUEST_URI: 'http://evil.test:81/a%20b?q',
      },
    },
  ],
  [
    'https on a plain connection',
    target('https://example.test/a'),
    { environ: { 'wsgi.url_scheme': 'http', HTTPS: undefined, PATH_INFO: '/a' } },
  ],
  ['an upper-case scheme', target('HTTP://example.test/a'), path('/a')],
  ['user information', target('http://user:secret@example.test/a'), path('/a')],
  ['a path of two slashes', target('http://example.test//evil.test/a'), path('//evil.test/a')],
  ['no path', target('http://example.test'), path('/')],
  ['no path but a query', target('http://example.test?a=b'), path('/', 'a=b')],
  ['no path but a query that holds a slash', target('http://example.test?a=/b'), path('/', 'a=/b')],
  ['a query that holds a URL', target('/go?to=http://evil.test/'), path('/go', 'to=http://evil.test/')],
  ['an IPv6 authority', target('http://[::1]:80/a'), path('/a')],
  ['OPTIONS of a host', target('http://example.test', 'OPTIONS'), path('/')],
  ['another scheme', target('ftp://example.test/a'), { refused: 400 }],
  ['an empty authority', target('http:///a'), { refused: 400 }],
  ['no authority', target('http:/a'), { node: 400 }],
  ['an NUL in the path', target('http://example.test/%00'), { refused: 400 }],
];

const HEADERS: [name: string, request: string, outcome: Outcome][] = [
  [
    'a name with an underscore is dropped',
    withHeaders('X_Real_IP: 6.6.6.6'),
    { environ: { HTTP_X_REAL_IP: undefined } },
  ],
  [
    'and does not join the one with a dash',
    withHeaders('X-Forwarded-For: 1.1.1.1', 'X_Forwarded_For: 6.6.6.6', 'X-Forwarded_For: 7.7.7.7'),
    { environ: { HTTP_X_FORWARDED_FOR: '1.1.1.1' } },
  ],
  ['Proxy is dropped in any case', withHeaders('pROXY: http://evil.test'), { environ: { HTTP_PROXY: undefined } }],
  [
    'names that begin like Proxy are not',
    withHeaders('Proxy-Authorization: Basic x', 'Proxy-Connection: close'),
    { environ: { HTTP_PROXY_AUTHORIZATION: 'Basic x', HTTP_PROXY_CONNECTION: 'close' } },
  ],
  [
    'names of CGI variables get their prefix',
    withHeaders(
      'Remote-Addr: 6.6.6.6',
      'Remote-User: root',
      'Request-Method: PUT',
      'Https: on',
      'Http-Host: evil.test',
    ),
    {
      environ: {
        REMOTE_ADDR: '127.0.0.1',
        REMOTE_USER: undefined,
        REQUEST_METHOD: 'GET',
        HTTPS: undefined,
        HTTP_HTTPS: 'on',
        HTTP_REMOTE_ADDR: '6.6.6.6',
        HTTP_REMOTE_USER: 'root',
        HTTP_HOST: 'example.test',
        HTTP_HTTP_HOST: 'evil.test',
      },
    },
  ],
  [
    'names of wsgi keys and of object members',
    withHeaders('wsgi.run-once: 1', 'constructor: x', 'toString: y', '__proto__: z'),
    { environ: { HTTP_CONSTRUCTOR: 'x', HTTP_TOSTRING: 'y', 'HTTP_WSGI.RUN_ONCE': '1', HTTP___PROTO__: undefined } },
  ],
  [
    'forwarding headers are headers, nothing else',
    withHeaders(
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Port: 444',
      'Forwarded: for=6.6.6.6',
    ),
    {
      environ: {
        'wsgi.url_scheme': 'http',
        HTTP_HOST: 'example.test',
        SERVER_NAME: '127.0.0.1',
        REMOTE_ADDR: '127.0.0.1',
        HTTP_FORWARDED: 'for=6.6.6.6',
        HTTP_X_FORWARDED_PROTO: 'https',
      },
    },
  ],
  ['Content-Type of a request without a body', withHeaders('Content-Type: a/b'), { environ: { CONTENT_TYPE: 'a/b' } }],
  [
    'three cookies',
    withHeaders('Cookie: a=1', 'cookie: b=2; c=3', 'COOKIE: d=4'),
    { environ: { HTTP_COOKIE: 'a=1; b=2; c=3; d=4' } },
  ],
  ['white space around a value', withHeaders('X-A: \t a b \t'), { environ: { HTTP_X_A: 'a b' } }],
  ['a tab within a value', withHeaders('X-A: a\tb'), { environ: { HTTP_X_A: 'a\tb' } }],
  ['every byte from 0x80 in a value', withHeaders(`X-A: ${upperBytes()}`), { environ: { HTTP_X_A: upperBytes() } }],
  ['empty repeats are repeats', withHeaders('X-A:', 'X-A: 1', 'X-A:'), { environ: { HTTP_X_A: ', 1, ' } }],
  ['commas in repeats', withHeaders('X-A: 1, 2', 'X-A: 3'), { environ: { HTTP_X_A: '1, 2, 3' } }],
  ['the same Host twice', withHeaders('Host: example.test'), { environ: { HTTP_HOST: 'example.test' } }],
  ['another Host second', withHeaders('host: evil.test'), { refused: 400 }],
  ['a Host that is empty the second time', withHeaders('Host:'), { refused: 400 }],
  [
    'the same Content-Type twice',
    withHeaders('Content-Type: a/b', 'content-type: a/b'),
    { environ: { CONTENT_TYPE: 'a/b' } },
  ],
  [
    'an upgrade that nobody takes',
    withHeaders('Connection: Upgrade', 'Upgrade: websocket'),
    { environ: { HTTP_UPGRADE: 'websocket' } },
  ],
  ['a NUL in a value', withHeaders('X-A: a\0b'), { node: 400 }],
  ['a space ahead of the colon', withHeaders('X-A : 1'), { node: 400 }],
  ['an empty name', withHeaders(': 1'), { node: 400 }],
  ['a name that is no token', withHeaders('X(A): 1'), { node: 400 }],
  ['a name of raw bytes', withHeaders('X-\xe9: 1'), { node: 400 }],
  ['more than 16 KiB', withHeaders(`X-A: ${'a'.repeat(17_000)}`), { node: 431 }],
];

const BODIES: [name: string, request: string, outcome: Outcome][] = [
  ['a length of 0', post('', 'Content-Length: 0'), { environ: { CONTENT_LENGTH: '0' } }],
  [
    'a GET with a body',
    post('hi', 'Content-Length: 2').replace('POST', 'GET'),
    { environ: { CONTENT_LENGTH: '2' }, body: 'hi' },
  ],
  ['a DELETE with a body', post('hi', 'Content-Length: 2').replace('POST', 'DELETE'), { body: 'hi' }],
  ['a HEAD with a body', post('hi', 'Content-Length: 2').replace('POST', 'HEAD'), { body: 'hi' }],
  ['every byte', post(everyByte(0), 'Content-Length: 256'), { body: everyByte(0) }],
  [
    'bytes that look like a request',
    post('GET / HTTP/1.1\r\n\r\n', 'Content-Length: 18'),
    { body: 'GET / HTTP/1.1\r\n\r\n' },
  ],
  ['bytes behind the length', post('hi!!', 'Content-Length: 2'), { body: 'hi' }],
  ['a coding in upper case', post('2\r\nhi\r\n0\r\n\r\n', 'Transfer-Encoding: CHUNKED'), { body: 'hi' }],
  [
    'chunks of many sizes',
    post('1\r\na\r\n000a\r\n0123456789\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    { body: 'a0123456789' },
  ],
  [
    'trailers that pose as headers',
    post('1\r\na\r\n0\r\nHost: evil.test\r\nX-A: 1\r\n\r\n', 'Transfer-Encoding: chunked'),
    { environ: { HTTP_HOST: 'example.test', HTTP_X_A: undefined }, body: 'a' },
  ],
  [
    'both a length and a coding',
    post('2\r\nhi\r\n0\r\n\r\n', 'Content-Length: 2', 'Transfer-Encoding: chunked'),
    { node: 400 },
  ],
  ['a coding that is not the last', post('hi', 'Transfer-Encoding: chunked, gzip'), { node: 400 }],
  ['a coding of that name twice', post('2\r\nhi\r\n0\r\n\r\n', 'Transfer-Encoding: chunked, chunked'), { node: 400 }],
  ['a coding that only looks like chunked', post('hi', 'Transfer-Encoding: xchunked'), { refused: 501 }],
  ['the identity coding', post('hi', 'Transfer-Encoding: identity'), { refused: 501 }],
  ['a length that no number holds', post('hi', 'Content-Length: 99999999999999999999'), { node: 400 }],
  ['a hexadecimal length', post('hi', 'Content-Length: 0x2'), { node: 400 }],
  ['an empty length', post('', 'Content-Length:'), { node: 400 }],
  [
    'an expectation in another case',
    post('hi', 'Expect: 100-Continue', 'Content-Length: 2'),
    { environ: { HTTP_EXPECT: '100-Continue' }, body: 'hi' },
  ],
];

const VERSIONS: [name: string, request: string, outcome: Outcome][] = [
  [
    'HTTP/1.0 without a Host',
    'GET /x HTTP/1.0\r\n\r\n',
    { environ: { HTTP_HOST: undefined, SERVER_PROTOCOL: 'HTTP/1.0', SERVER_NAME: '127.0.0.1' } },
  ],
  [
    'HTTP/1.0 that wants to keep the connection',
    'GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    { environ: { HTTP_CONNECTION: 'keep-alive' } },
  ],
  ['HTTP/1.0 with a coding', 'POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', { refused: 400 }],
  ['an empty line ahead of the request', `\r\n${target('/x')}`, path('/x')],
  ['HTTP/2 by name only', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', { refused: 505 }],
  ['HTTP/3.7', 'GET / HTTP/3.7\r\nHost: a\r\n\r\n', { node: 400 }],
  ['HTTP/0.9 by name', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n', { refused: 505 }],
  ['no version', 'GET /\r\n\r\n', { refused: 505 }],
  ['no version, but headers', 'GET /\r\nHost: a\r\n\r\n', { refused: 505 }],
  ['line ends without a CR', 'GET /x HTTP/1.1\nHost: a\n\n', { node: 400 }],
  ['no request at all', 'hello\r\n\r\n', { node: 400 }],
  ['a TLS greeting on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', { node: 400 }],
];

describe('request targets', () => {
  test.each(TARGETS)('%s', (_name, request, outcome) => check(server, request, outcome));
});
describe('targets in absolute form', () => {
  test.each(ABSOLUTE)('%s', (_name, request, outcome) => check(server, request, outcome));
});
describe('request headers', () => {
  test.each(HEADERS)('%s', (_name, request, outcome) => check(server, request, outcome));
});
describe('request bodies', () => {
  test.each(BODIES)('%s', (_name, request, outcome) => check(server, request, outcome));
});
describe('versions and request lines', () => {
  test.each(VERSIONS)('%s', (_name, request, outcome) => check(server, request, outcome));
});

describe('what the deployer set', () => {
  const mount = (SCRIPT_NAME: string, PATH_INFO: string): Outcome => ({ environ: { SCRIPT_NAME, PATH_INFO } });
  test.each<[string, string, Outcome]>([
    ['a path below the base path', target('/api/x'), mount('/api', '/x')],
    ['the base path itself', target('/api'), mount('/api', '')],
    ['the base path and a slash', target('/api/'), mount('/api', '/')],
    ['the base path twice is taken off once', target('/api/api/x'), mount('/api', '/api/x')],
    ['a path that only begins like it', target('/apiary'), mount('', '/apiary')],
    ['the base path in escapes', target('/%61pi/x'), mount('/api', '/x')],
    ['OPTIONS * under a base path', target('*', 'OPTIONS'), mount('', '*')],
    [
      'no header overrides a key of the deployer',
      withHeaders('my.key: evil', 'X-Mine: evil'),
      { environ: { 'my.key': 'deployer', HTTP_X_MINE: 'mine' } },
    ],
    ['a declared length beyond maxBodyBytes', post('12345', 'Content-Length: 5'), { refused: 413 }],
    [
      'a chunked body beyond maxBodyBytes',
      post('5\r\n12345\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
      { refused: 413 },
    ],
    ['a body of just maxBodyBytes', post('1234', 'Content-Length: 4'), { body: '1234' }],
  ])('%s', (_name, request, outcome) => check(mounted, request, outcome));
});

function everyByte(from = 1): string {
  const bytes = Array.from({ length: 256 - from }, (_, index) => String.fromCharCode(index + from)).join('');
  return from === 0 ? bytes : `/${bytes}`;
}

function everyEscape(): string {
  return `/${[...everyByte().slice(1)].map((byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')}`;
}

function upperBytes(): string {
  return everyByte(0).slice(128);
}
