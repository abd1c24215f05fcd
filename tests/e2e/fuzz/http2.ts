// Frames of HTTP/2 that no client library would send, and requests that reach an application which fails. (RFC 9113)

import { type Case, PATHS, TARGETS } from './http1.ts';
import type { Random } from './random.ts';
import type { Target } from './server.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const DATA = 0;
const HEADERS = 1;
const PRIORITY = 2;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;

type Header = [name: string, value: string];

/** One frame. (RFC 9113 §4.1) @param payload one character per byte */
function frame(type: number, flags: number, stream: number, payload = '', length = payload.length): string {
  return number(length, 3) + String.fromCharCode(type, flags) + number(stream, 4) + payload;
}

/** A whole number in network byte order. */
function number(value: number, bytes: number): string {
  let text = '';
  for (let at = bytes - 1; at >= 0; at--) text += String.fromCharCode(Math.floor(value / 256 ** at) % 256);
  return text;
}

/** Literal header fields, neither indexed nor compressed. (RFC 7541 §6.2.2) */
function block(headers: readonly Header[]): string {
  return headers.map(([name, value]) => `\0${text(name)}${text(value)}`).join('');
}

function text(value: string): string {
  let length = '';
  if (value.length < 127) {
    length = String.fromCharCode(value.length);
  } else {
    let rest = value.length - 127;
    length = '\x7f';
    for (; rest >= 128; rest = Math.floor(rest / 128)) length += String.fromCharCode((rest % 128) + 128);
    length += String.fromCharCode(rest);
  }
  return length + value;
}

/** A HEADERS frame, with CONTINUATION frames where the block is too large for one. */
function headersFrame(stream: number, headers: readonly Header[], ends: boolean): string {
  const all = block(headers);
  const flags = ends ? END_STREAM : 0;
  if (all.length <= 16_384) return frame(HEADERS, flags | END_HEADERS, stream, all);
  let frames = frame(HEADERS, flags, stream, all.slice(0, 16_384));
  for (let at = 16_384; at < all.length; at += 16_384) {
    const last = at + 16_384 >= all.length;
    frames += frame(CONTINUATION, last ? END_HEADERS : 0, stream, all.slice(at, at + 16_384));
  }
  return frames;
}

const settings = (...pairs: [id: number, value: number][]): string =>
  frame(SETTINGS, 0, 0, pairs.map(([id, value]) => number(id, 2) + number(value, 4)).join(''));

/** What opens a connection whose client takes all that comes. */
const OPEN = PREFACE + settings([4, 2 ** 31 - 1]) + frame(WINDOW_UPDATE, 0, 0, number(2 ** 30, 4));

/** The server for which a case is being made, and the streams whose responses have to end. */
let target: Target = 'app';
let streams: number[] = [];

function pseudo(random: Random, method = random.pick(['GET', 'GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'])): Header[] {
  return [
    [':method', method],
    [':scheme', 'http'],
    [':path', `/${random.pick(PATHS[target])}`],
    [':authority', 'a.test'],
  ];
}

/** A request that any server has to take. */
function wellFormed(random: Random, stream: number): string {
  streams.push(stream);
  if (random.chance(0.5)) return headersFrame(stream, pseudo(random), true);
  const body = random.bytes(random.pick([0, 1, 100, 16_384]));
  const headers = pseudo(random, 'POST');
  if (random.chance(0.5)) headers.push(['content-length', String(body.length)]);
  const trailers = random.chance(0.2) ? headersFrame(stream, [['x-trailer', '1']], true) : '';
  return headersFrame(stream, headers, false) + frame(DATA, trailers === '' ? END_STREAM : 0, stream, body) + trailers;
}

function requests(random: Random): string {
  return OPEN + times(random.between(1, 10), (at) => wellFormed(random, at * 2 + 1));
}

function times(count: number, make: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => make(at)).join('');
}

const LENGTHS = ['9007199254740993', '18446744073709551616', '-1', '5, 5', '', '0x5', '100'];
const ODD: readonly Header[] = [
  ['Upper', '1'],
  ['connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['te', 'gzip'],
  ['te', 'trailers'],
  ['host', 'other.test'],
  ['host', ''],
  [':status', '200'],
  [':method', 'POST'],
  [':path', '/twice'],
  [':unknown', '1'],
  [':protocol', 'websocket'],
  ['', 'empty'],
  ['a b', '1'],
  ['a', 'b\r\nc: d'],
  ['a', '\0'],
  ['a', ' padded '],
  ['cookie', 'a=1'],
  ['cookie', 'b=2'],
  ['expect', '100-continue'],
  ['upgrade', 'h2c'],
  ['http2-settings', 'AA'],
  ['constructor', '1'],
  ['__proto__', '1'],
  ['proxy', 'http://evil.test'],
  ['content_length', '5'],
];
const PATHS_OF_NOTHING = ['', '*', 'a', '/../a', '/%00', '//a', 'http://other.test/', '/\xff', '/a b', '/#a'];

function badHeaders(random: Random): string {
  return (
    OPEN +
    times(random.between(1, 4), (at) => {
      let headers = pseudo(random);
      const how = random.between(0, 5);
      if (how === 0) headers.splice(random.between(0, 3), 1);
      if (how === 1) headers[2] = [':path', random.pick(PATHS_OF_NOTHING)];
      if (how === 2) headers.push(['content-length', random.pick(LENGTHS)]);
      if (how === 3) headers.push(...Array.from({ length: random.pick([200, 1100, 2500]) }, (): Header => ['a', '']));
      if (how === 4) headers.push(['x', 'a'.repeat(random.pick([9000, 70_000]))]);
      if (how === 5) headers[0] = [':method', random.pick(['CONNECT', '', 'G@T', 'PRI', 'GET '])];
      for (let left = random.between(0, 3); left > 0; left--) headers.push(random.pick(ODD));
      if (random.chance(0.1)) headers = headers.reverse();
      return headersFrame(at * 2 + 1, headers, random.chance(0.7));
    })
  );
}

function rapidReset(random: Random): string {
  const code = number(random.pick([8, 0, 2, 5]), 4);
  return (
    OPEN +
    times(random.pick([5, 50, 300]), (at) => {
      const stream = at * 2 + 1;
      const upload = random.chance(0.3) ? frame(DATA, 0, stream, 'some') : '';
      return headersFrame(stream, pseudo(random), false) + upload + frame(RST_STREAM, 0, stream, code);
    })
  );
}

function headersWithoutEnd(random: Random): string {
  const first = block(pseudo(random));
  const start = OPEN + frame(HEADERS, random.pick([0, END_STREAM]), 1, first.slice(0, random.between(0, first.length)));
  const then = random.between(0, 3);
  if (then === 0) return start;
  if (then === 1)
    return (
      start + times(random.pick([10, 2000]), () => frame(CONTINUATION, 0, 1, random.pick(['', block([['a', 'b']])])))
    );
  if (then === 2) return start + frame(random.pick([DATA, PING, SETTINGS, HEADERS]), 0, random.pick([0, 1, 3]), '');
  return start + frame(CONTINUATION, END_HEADERS, random.pick([3, 0]), first);
}

const FLOODS: readonly ((at: number) => string)[] = [
  () => settings([3, 100]),
  () => frame(SETTINGS, 1, 0),
  (at) => frame(PING, 0, 0, number(at, 8)),
  () => frame(PRIORITY, 0, 1, `${number(0, 4)}\x10`),
  () => frame(WINDOW_UPDATE, 0, 0, number(1, 4)),
  () => frame(WINDOW_UPDATE, 0, 0, number(2 ** 31 - 1, 4)),
  () => frame(WINDOW_UPDATE, 0, 0, number(0, 4)),
  () => frame(DATA, 0, 1, ''),
  () => frame(0xfa, 0, 0, 'unknown'),
  (at) => frame(HEADERS, END_HEADERS | END_STREAM, at * 2 + 3, block([[':method', 'GET']])),
];

function flood(random: Random): string {
  const make = random.pick(FLOODS);
  return OPEN + headersFrame(1, pseudo(random, 'POST'), false) + times(random.pick([10, 200, 1500]), make);
}

/** A client that gives the response no room, for a while or for good. */
function noWindow(random: Random): string {
  const start = PREFACE + settings([4, random.pick([0, 1, 100])]);
  const ask = times(random.between(1, 4), (at) => headersFrame(at * 2 + 1, pseudo(random, 'GET'), true));
  return start + ask + (random.chance(0.5) ? times(20, () => frame(WINDOW_UPDATE, 0, 1, number(50, 4))) : '');
}

function badFrames(random: Random): string {
  const bad = (): string => {
    const payload = random.bytes(random.pick([0, 1, 4, 5, 8, 100]));
    const length = random.chance(0.3) ? random.pick([0, 3, 16_385, 16_777_215]) : payload.length;
    const stream = random.pick([0, 1, 2, 3, 4, 2 ** 31 - 1, 2 ** 32 - 1]);
    return frame(random.between(0, 12), random.between(0, 255), stream, payload, length);
  };
  const first = random.chance(0.5) ? headersFrame(1, pseudo(random), random.chance(0.5)) : '';
  return OPEN + first + times(random.between(1, 5), bad);
}

function goingAway(random: Random): string {
  const away = frame(GOAWAY, 0, 0, number(random.pick([0, 1, 99]), 4) + number(random.pick([0, 2, 11]), 4));
  return OPEN + headersFrame(1, pseudo(random), true) + away + headersFrame(3, pseudo(random), true);
}

function badPreface(random: Random): string {
  const how = random.between(0, 4);
  if (how === 0) return PREFACE.slice(0, random.between(1, PREFACE.length - 1));
  if (how === 1) return PREFACE;
  if (how === 2) return `GET / HTTP/1.1\r\nHost: a\r\n${random.pick(['', 'Upgrade: h2c\r\n'])}\r\n`;
  if (how === 3) return PREFACE + random.bytes(random.between(1, 200));
  return random.bytes(random.between(1, 200));
}

function mutated(random: Random): string {
  let bytes = requests(random);
  streams = [];
  for (let left = random.between(1, 5); left > 0; left--) {
    const at = random.between(0, bytes.length);
    const length = random.between(0, 4);
    bytes = bytes.slice(0, at) + random.bytes(random.between(0, 4)) + bytes.slice(at + length);
  }
  return bytes;
}

function half(random: Random): string {
  const bytes = requests(random);
  streams = [];
  return bytes.slice(0, random.between(1, bytes.length - 1));
}

const KINDS: readonly [name: string, weight: number, make: (random: Random) => string][] = [
  ['failing applications', 34, requests],
  ['bad headers', 14, badHeaders],
  ['rapid reset', 8, rapidReset],
  ['headers without end', 7, headersWithoutEnd],
  ['flood', 7, flood],
  ['no window', 6, noWindow],
  ['bad frames', 8, badFrames],
  ['going away', 3, goingAway],
  ['bad preface', 4, badPreface],
  ['mutation', 10, mutated],
  ['half a connection', 6, half],
];
const DRAWN = KINDS.flatMap((kind) => Array.from({ length: kind[1] }, () => kind));

/** Makes one case. */
export function http2Case(random: Random): Case {
  const [kind, , make] = random.pick(DRAWN);
  target = random.pick(TARGETS);
  streams = [];
  const bytes = Buffer.from(make(random), 'latin1');
  const cut = random.between(1, bytes.length);
  const slow = random.chance(0.1);
  return {
    kind,
    target,
    pieces: slow ? [bytes.subarray(0, cut), bytes.subarray(cut)] : [bytes],
    pause: random.between(1, 15),
    end: random.chance(0.6) ? 'waits' : random.chance(0.5) ? 'half-closes' : 'leaves',
    patience: random.between(0, 40),
    streams,
  };
}

/** The bytes of a connection with one GET, on stream 1. */
export function ask(path: string): Buffer {
  const headers: Header[] = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'a.test'],
  ];
  return Buffer.from(OPEN + headersFrame(1, headers, true), 'latin1');
}

/** Follows what a server sends, to know when its responses are over. */
export class Responses {
  #rest = Buffer.alloc(0);
  readonly #open: Set<number>;
  /** The server has said that it is going to end the connection. */
  goesAway = false;

  /** @param streams those whose responses are to come */
  constructor(streams: readonly number[]) {
    this.#open = new Set(streams);
  }

  /** Whether every response has ended, well or by a reset. */
  get areOver(): boolean {
    return this.#open.size === 0;
  }

  /** The streams without an end. */
  get missing(): number[] {
    return [...this.#open];
  }

  feed(chunk: Buffer): void {
    let data = Buffer.concat([this.#rest, chunk]);
    while (data.length >= 9) {
      const length = data.readUIntBE(0, 3);
      if (data.length < 9 + length) break;
      const [type, flags, stream] = [data[3], data[4] as number, data.readUInt32BE(5)];
      if (type === GOAWAY) this.goesAway = true;
      const ends = type === RST_STREAM || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0);
      if (ends) this.#open.delete(stream);
      data = data.subarray(9 + length);
    }
    this.#rest = Buffer.from(data);
  }
}
