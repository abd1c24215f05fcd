// Requests of HTTP/1 that are wrong in some way, or that reach an application which fails: made by a seed alone.

import { FAILING } from './apps.ts';
import { FAILING_HANDLERS, FAILING_LISTENERS } from './hosted.ts';
import type { Random } from './random.ts';
import type { Target } from './server.ts';

/** One connection's worth of bytes, and how its client goes on. */
export interface Case {
  /** What kind of request it is, for whoever reads a failure. */
  kind: string;
  target: Target;
  /** Sent one after the other, with a pause between them. */
  pieces: Buffer[];
  /** How long a pause is, in milliseconds. */
  pause: number;
  /** The client waits for the server to end the connection, ends its own side first, or leaves without a word. */
  end: 'waits' | 'half-closes' | 'leaves';
  /** How long after the last piece the client leaves, in milliseconds. */
  patience: number;
  /** Under HTTP/2: the streams whose responses have to end before the client ends the connection. */
  streams?: readonly number[];
}

export const TARGETS: readonly Target[] = ['app', 'node', 'fetch', 'logs'];
/** What each server answers in a way of its own. */
export const PATHS: Record<Target, readonly string[]> = {
  app: Object.keys(FAILING),
  node: Object.keys(FAILING_LISTENERS),
  fetch: Object.keys(FAILING_HANDLERS),
  logs: [...Object.keys(FAILING), ...Object.keys(FAILING_LISTENERS), ...Object.keys(FAILING_HANDLERS)],
};

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'QUERY', 'TRACE'];
const NUMBERS = ['9007199254740991', '9007199254740992', '9007199254740993', '18446744073709551615', '4294967296'];
const LENGTHS = [
  ...NUMBERS,
  '99999999999999999999999',
  '-1',
  '+5',
  '0x5',
  '5,5',
  '5, 6',
  '5 5',
  '',
  ' ',
  '1e3',
  '05',
  '5.0',
];
const CODINGS = [
  'chunked',
  'gzip, chunked',
  'chunked, gzip',
  'identity',
  'Chunked',
  'chunked, chunked',
  ' chunked ',
  ',',
];
const HOSTS = [
  '',
  'a b',
  'a@b',
  '[::1',
  '[::1]:80',
  'a:99999',
  'a,b',
  '<x>',
  '..',
  'a/b',
  'a:80:80',
  '\xff',
  'a\tb',
  '%00',
];
const ODD_PATHS = [
  '/../a',
  '/./a',
  '/%2e%2e/a',
  '/a/..%2fb',
  '/%',
  '/%zz',
  '/%4',
  '/%00',
  '/a%00b',
  '//a',
  '///',
  '/?',
  '/??a',
  '/a#b',
  '*',
  '/a//..//b',
  '/\\..\\a',
  '/%c0%af',
  '/%ff%fe',
  '/caf\xe9',
  '/%25%32%66',
  '/;a=b',
  '/a|b',
  '/"',
  '/{}',
  'a',
  '.',
  '',
  'http://other.test/a',
  'https://other.test',
  'http://',
  'http://[/',
  'HTTP://A:99999/',
  'ftp://a/b',
  'javascript:1',
  'a:b',
  'a.test:443',
  '/..',
  '/.',
  '/a/../../..',
  `/${'a/'.repeat(2000)}`,
  `/${'../'.repeat(800)}`,
  `/?${'%'.repeat(3000)}`,
];
const LINES = [
  'GET',
  'GET /',
  'GET / ',
  'GET / HTTP',
  'GET / HTTP/1.2',
  'GET / HTTP/2.0',
  'GET / HTTP/0.9',
  'GET / http/1.1',
  ' GET / HTTP/1.1',
  'GET  / HTTP/1.1',
  'GET\t/ HTTP/1.1',
  'GET / HTTP/1.1 ',
  'get / HTTP/1.1',
  'G@T / HTTP/1.1',
  'GET / /a HTTP/1.1',
  'GET / HTTP/11',
  'PRI * HTTP/2.0',
  'CONNECT a.test:443 HTTP/1.1',
  'CONNECT / HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'OPTIONS * HTTP/1.0',
  'M-SEARCH * HTTP/1.1',
  'GET * HTTP/1.1',
  'SOURCE / ICE/1.0',
  'DESCRIBE / RTSP/1.0',
  'GET / HTTP/1.1\r\r',
  'GET /\0 HTTP/1.1',
  '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03',
];
const ODD_HEADERS = [
  'a b: 1',
  ': 1',
  'a',
  'a : 1',
  ' a: 1',
  '\ta: 1',
  'a: 1\r\n folded',
  'a: \0',
  'a: \x7f',
  'a: b\rc: d',
  'a: b\nc: d',
  'a\0: 1',
  'constructor: 1',
  '__proto__: 1',
  'proxy: http://evil.test',
  'content_length: 5',
  'transfer_encoding: chunked',
  'Content-Type: a',
  'Content-Type: b',
  'Host: other.test',
  'Host:',
  'Connection: close, Host',
  'Connection: \xff',
  'Expect: 200-maybe',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Connection: upgrade',
  'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'TE: trailers',
  'Trailer: x',
  'Range: bytes=0-',
  'Date: x',
  'Forwarded: for=\t\t\t;;;',
  'X-Forwarded-For: ,,,,',
  'Cookie: a=1',
  'Cookie: =;;',
  'Keep-Alive: timeout=-1',
  'Content-Encoding: gzip',
  'a: \xff\xfe',
];

const KINDS: readonly [name: string, weight: number, make: (random: Random) => string][] = [
  ['failing application', 26, wellFormed],
  ['pipeline', 14, (random) => Array.from({ length: random.between(2, 8) }, () => wellFormed(random)).join('')],
  ['request line', 6, (random) => `${random.pick(LINES)}\r\nHost: a\r\n\r\n`],
  ['path', 8, (random) => request(random, { path: random.pick(ODD_PATHS) })],
  ['headers', 8, (random) => request(random, { headers: some(random, ODD_HEADERS) })],
  ['header count', 4, manyHeaders],
  ['header size', 2, (random) => request(random, { headers: [`x: ${'a'.repeat(random.between(8000, 40_000))}`] })],
  ['length', 8, badLength],
  ['chunks', 9, badChunks],
  ['hosts', 4, (random) => request(random, { hosts: some(random, HOSTS) })],
  ['mutation', 12, mutated],
  ['junk', 3, (random) => random.bytes(random.between(1, 300))],
  ['blank lines', 1, (random) => '\r\n'.repeat(random.between(1, 2000))],
  ['half a request', 6, half],
];
/** Each kind as often as its weight says. */
const DRAWN = KINDS.flatMap((kind) => Array.from({ length: kind[1] }, () => kind));

/** Makes one case. */
export function http1Case(random: Random): Case {
  const [kind, , make] = random.pick(DRAWN);
  // The targets share the generator: a path that only one of them has is a plain page on the others.
  target = random.pick(TARGETS);
  const bytes = Buffer.from(make(random), 'latin1');
  const slow = random.chance(0.1);
  const end = random.chance(0.6) ? 'waits' : random.chance(0.5) ? 'half-closes' : 'leaves';
  return {
    kind,
    target,
    pieces: slow ? split(bytes, random) : [bytes],
    pause: random.between(1, 15),
    end,
    patience: random.between(0, 40),
  };
}

/** The server for which a case is being made. */
let target: Target = 'app';

function split(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length && pieces.length < 12; ) {
    const next = pieces.length === 11 ? bytes.length : at + random.between(1, Math.max(1, bytes.length >> 2));
    pieces.push(bytes.subarray(at, next));
    at = next;
  }
  return pieces;
}

interface Parts {
  path?: string;
  headers?: string[];
  hosts?: string[];
  body?: string;
}

function request(random: Random, { path, headers = [], hosts = ['a.test'], body }: Parts): string {
  const method = body === undefined ? random.pick(METHODS) : random.pick(['POST', 'PUT', 'GET']);
  const version = random.chance(0.15) ? '1.0' : '1.1';
  const lines = [`${method} ${path ?? `/${random.pick(PATHS[target])}`} HTTP/${version}`];
  lines.push(...hosts.map((host) => `Host: ${host}`), ...headers);
  if (random.chance(0.15)) lines.push(`Connection: ${random.pick(['close', 'keep-alive', 'Close', 'x'])}`);
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** A request that any server has to take. */
function wellFormed(random: Random): string {
  const how = random.between(0, 5);
  if (how < 3) return request(random, {});
  const body = random.bytes(random.pick([0, 1, 10, 3000, 70_000]));
  const headers = random.chance(0.2) ? ['Expect: 100-continue'] : [];
  if (how < 5) return request(random, { headers: [...headers, `Content-Length: ${body.length}`], body });
  return request(random, { headers: [...headers, 'Transfer-Encoding: chunked'], body: chunked(body, random) });
}

function chunked(body: string, random: Random): string {
  let text = '';
  for (let at = 0; at < body.length; ) {
    const part = body.slice(at, at + random.between(1, 20_000));
    text += `${part.length.toString(16)}\r\n${part}\r\n`;
    at += part.length;
  }
  return `${text}0\r\n\r\n`;
}

function some(random: Random, list: readonly string[]): string[] {
  return Array.from({ length: random.between(1, 3) }, () => random.pick(list));
}

/** More headers than some versions of Node keep, and then one that matters. */
function manyHeaders(random: Random): string {
  const count = random.pick([990, 999, 1000, 1001, 1005, 1100, 1900]);
  const late = random.pick([
    ['Host: other.test'],
    ['Transfer-Encoding: gzip, chunked'],
    ['Transfer-Encoding: chunked'],
    ['Content-Length: 5'],
    ['Expect: 100-continue'],
    ['Upgrade: websocket', 'Connection: upgrade'],
    [],
  ]);
  const headers = [...Array.from({ length: count }, () => 'a:'), ...late];
  return request(random, { headers, body: random.pick(['', 'hello', '5\r\nhello\r\n0\r\n\r\n']) });
}

function badLength(random: Random): string {
  const headers = some(random, LENGTHS).map((length) => `Content-Length: ${length}`);
  if (random.chance(0.4)) headers.push(`Transfer-Encoding: ${random.pick(CODINGS)}`);
  return request(random, { headers, body: random.pick(['', 'hello', '5\r\nhello\r\n0\r\n\r\n', random.bytes(500)]) });
}

const BAD_CHUNKS = [
  'zz\r\nhello\r\n0\r\n\r\n',
  '-1\r\n\r\n',
  '5\nhello\n0\n\n',
  '5\r\nhello0\r\n\r\n',
  '5\r\nhel',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5;a="\r\n"\r\nhello\r\n0\r\n\r\n',
  `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
  'ffffffffffffffff\r\nhello',
  '10000000000000000\r\nhello',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nHost: other.test\r\nContent-Length: 3\r\n\r\n',
  `5\r\nhello\r\n0\r\nx: ${'y'.repeat(30_000)}\r\n\r\n`,
  '5\r\nhello\r\n0\r\n',
  '5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\n',
  '',
  '00000000000000000000005\r\nhello\r\n0\r\n\r\n',
];

function badChunks(random: Random): string {
  const coding = random.chance(0.7) ? 'chunked' : random.pick(CODINGS);
  return request(random, { headers: [`Transfer-Encoding: ${coding}`], body: random.pick(BAD_CHUNKS) });
}

function mutated(random: Random): string {
  let text = wellFormed(random);
  for (let left = random.between(1, 4); left > 0; left--) {
    const at = random.between(0, Math.min(text.length, 200));
    const length = random.between(0, 4);
    text =
      text.slice(0, at) +
      random.pick([random.bytes(length), '', '\r\n', ' ', ':', text.slice(at, at + 20)]) +
      text.slice(at + length);
  }
  return text;
}

function half(random: Random): string {
  const text = wellFormed(random);
  return text.slice(0, random.between(1, text.length - 1));
}
