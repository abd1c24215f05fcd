// The checks of `check --fidelity`: what each one sends, and what has to come of it wherever AWS or Cloudflare pass it on.

import { Buffer } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { PROBE_PAUSE } from 'waygate/testing';
import type { Caller, Topic } from './pages.ts';

/** What calls the code, in one way that it can be set up. */
export interface Column {
  /** `lambda:alb, multi-value headers`. */
  label: string;
  caller: Caller;
  payload?: '1.0' | '2.0';
  multiValueHeaders?: boolean;
  /** Whether what is called there streams its responses. */
  streams?: boolean;
}

/** What a client sends. */
export interface CheckRequest {
  method: string;
  target: string;
  headers: [name: string, value: string][];
  body?: Uint8Array;
}

/** What came of one request. */
export interface Observed {
  status: number;
  headers: Headers;
  body: Uint8Array;
  /** How long before the end of the body its first bytes came, in milliseconds. */
  lead: number;
  /** What the app saw, where it answered with that. */
  echo?: { method: string; target: string; headers: Record<string, string>; body: Uint8Array };
}

/** One check. */
export interface Check {
  /** In a table, and in JUnit's reports. */
  name: string;
  /** What it holds, in one sentence. */
  title: string;
  topic: Topic;
  /** What the probe is asked for; without it the check is for any app. */
  asks?: string;
  request: CheckRequest;
  /** Why it cannot be held there: what AWS itself loses. */
  exempt?(column: Column): string | undefined;
  /** @returns the fault, as `seen …; expected …`, or undefined */
  judge(observed: Observed, column: Column): string | undefined;
}

const get = (target: string, headers: [string, string][] = []): CheckRequest => ({ method: 'GET', target, headers });
const send = (method: string, type: string, body: Uint8Array): CheckRequest => ({
  method,
  target: '/',
  headers: [['content-type', type]],
  body,
});
const text = (value: string): Uint8Array => Buffer.from(value);
const everyByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** HTTP APIs decode the path before the function sees it: an encoded slash is a slash there. */
const isDecoded = ({ caller, payload }: Column): boolean => caller === 'http-api' && payload !== '1.0';

function differ(what: string, seen: unknown, expected: unknown): string | undefined {
  const [left, right] = [JSON.stringify(seen) ?? 'nothing', JSON.stringify(expected)];
  return left === right ? undefined : `${what} is ${left}; expected ${right}`;
}

function bytes(observed: Observed, expected: Uint8Array): string | undefined {
  if (Buffer.compare(observed.body, expected) === 0) return undefined;
  const shown = (value: Uint8Array): string =>
    `${value.byteLength} bytes ${Buffer.from(value.subarray(0, 12)).toString('hex')}${value.byteLength > 12 ? '…' : ''}`;
  return `the client gets ${shown(observed.body)}; expected ${shown(expected)}`;
}

/** The path of a target, in segments, each decoded once. */
function segments(target: string): string[] {
  return (target.split('?')[0] as string).split('/').map(decoded);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return `${value} (not an encoding)`;
  }
}

function path(sent: string): Pick<Check, 'request' | 'asks' | 'topic' | 'judge'> {
  return {
    request: get(sent),
    asks: 'echo',
    topic: 'event',
    judge({ echo }, column) {
      const seen = segments(echo?.target ?? '');
      // On an HTTP API the segments can no longer be distinguished.
      return isDecoded(column)
        ? differ('the decoded path', seen.join('/'), segments(sent).join('/'))
        : differ('the path, segment by segment', seen, segments(sent));
    },
  };
}

function query(sent: string): Pick<Check, 'request' | 'asks' | 'topic' | 'judge'> {
  const pairs = (search: string): string[][] =>
    [...new URLSearchParams(search)].sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    request: get(`/?${sent}`),
    asks: 'echo',
    topic: 'event',
    judge: ({ echo }) => differ('the query', pairs(/\?(.*)/.exec(echo?.target ?? '')?.[1] ?? ''), pairs(sent)),
  };
}

function header(name: string, sent: [string, string][], expected: string): Omit<Check, 'name' | 'title'> {
  return {
    request: get('/', sent),
    asks: 'echo',
    topic: 'event',
    // With and without a space after the comma is the same list, as it is of cookies. (RFC 9110 §5.6.1, RFC 6265 §5.4)
    judge: ({ echo }) => differ(name, echo?.headers[name]?.replace(/([,;])\s*/g, '$1 '), expected),
  };
}

function requestBody(request: CheckRequest): Omit<Check, 'name' | 'title'> {
  return {
    request,
    asks: 'echo',
    topic: 'event',
    judge({ echo }) {
      const fault = differ('the method', echo?.method, request.method);
      const seen = Buffer.from(echo?.body ?? []).toString('hex');
      return fault ?? differ('the body, in hex', seen, Buffer.from(request.body ?? []).toString('hex'));
    },
  };
}

function response(asks: string, expected: Uint8Array, topic: Topic = 'binary'): Omit<Check, 'name' | 'title'> {
  return { request: get('/'), asks, topic, judge: (observed) => bytes(observed, expected) };
}

function status(asks: string, expected: number, name?: string, value?: string): Omit<Check, 'name' | 'title'> {
  return {
    request: get('/'),
    asks,
    topic: 'result',
    judge({ status: seen, headers }) {
      const fault = differ('the status', seen, expected);
      return fault ?? (name === undefined ? undefined : differ(name, headers.get(name), value));
    },
  };
}

/** A target group without multi-value headers. */
function keepsLast({ caller, multiValueHeaders }: Column): string | undefined {
  const isSingle = caller === 'alb' && !multiValueHeaders;
  return isSingle ? 'a target group without multi-value headers documents that it keeps the last value' : undefined;
}

const COOKIES = ['a=1; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT', 'b=2; Path=/; HttpOnly'];

/** All checks, in the order of the table. */
export const CHECKS: readonly Check[] = [
  { name: 'method', title: 'PATCH reaches the app as PATCH', ...requestBody(send('PATCH', 'text/plain', text('a'))) },
  { name: 'path', title: 'an encoded slash, blank and letter mean the same', ...path('/a%2Fb/c%20d/%C3%A9') },
  {
    name: 'path, twice',
    title: 'an encoded percent sign is decoded once',
    ...path('/100%2525/x'),
    exempt: (column) => (isDecoded(column) ? 'an HTTP API decodes it twice before the function is called' : undefined),
  },
  {
    name: 'query, repeats',
    title: 'repeated names keep all values in order',
    ...query('a=2&a=1&b=3'),
    exempt: keepsLast,
  },
  { name: 'query, escapes', title: 'escapes mean the same', ...query('q=a%26b%3Dc%2Bd%20e%C3%A9') },
  { name: 'query, empty', title: 'an empty value reaches the app', ...query('a=&b=1') },
  {
    name: 'headers, repeats',
    title: 'a repeated header has all its values',
    ...header(
      'x-a',
      [
        ['x-a', '1'],
        ['x-a', '2'],
      ],
      '1, 2',
    ),
    exempt: keepsLast,
  },
  { name: 'headers, cookie', title: 'cookies arrive once', ...header('cookie', [['cookie', 'a=1; b=2']], 'a=1; b=2') },
  {
    name: 'body, text',
    title: 'a JSON body arrives byte for byte',
    ...requestBody(send('POST', 'application/json', text('{"a":"é€"}'))),
  },
  {
    name: 'body, binary',
    title: 'a binary body arrives byte for byte',
    ...requestBody(send('POST', 'application/octet-stream', everyByte)),
  },
  {
    name: 'body, form',
    title: 'a form arrives byte for byte',
    ...requestBody(send('POST', 'application/x-www-form-urlencoded', text('a=1&b=%C3%A9&b=+'))),
  },
  {
    name: 'response, text',
    title: 'UTF-8 text is sent as it is',
    ...response('text', text('grüße, 世界 €'), 'result'),
  },
  { name: 'response, JSON', title: 'JSON is sent as it is', ...response('json', text('{"a":"é"}'), 'result') },
  { name: 'response, bytes', title: 'application/octet-stream is sent byte for byte', ...response('bytes', everyByte) },
  { name: 'response, image', title: 'image/png is sent byte for byte', ...response('image', everyByte) },
  {
    name: 'response, unlisted',
    title: 'bytes of a type that no list has are sent byte for byte',
    ...response('unlisted', everyByte),
  },
  {
    name: 'response, Latin-1',
    title: 'text that is not UTF-8 is sent byte for byte',
    ...response('latin', Uint8Array.of(0x67, 0xfc, 0xdf)),
  },
  {
    name: 'response, gzip',
    title: 'a compressed body can be decompressed',
    request: get('/', [['accept-encoding', 'gzip']]),
    asks: 'gzip',
    topic: 'binary',
    judge({ body, headers }) {
      const coding = differ('content-encoding', headers.get('content-encoding'), 'gzip');
      if (coding !== undefined) return coding;
      try {
        return differ('the text', gunzipSync(body).toString(), 'compressed text');
      } catch (error) {
        return `the client cannot decompress it: ${(error as Error).message}; expected the bytes that the app sent`;
      }
    },
  },
  {
    name: 'response, parts',
    title: 'a body in two parts arrives whole, and part by part where the handler streams',
    request: get('/'),
    asks: 'parts',
    topic: 'stream',
    judge(observed, { streams }) {
      const fault = bytes(observed, text('first part\nsecond part\n'));
      if (fault !== undefined || !streams || observed.lead > PROBE_PAUSE / 2) return fault;
      return `the client gets both parts at once; expected the first ${PROBE_PAUSE} ms ahead of the second`;
    },
  },
  {
    name: 'cookie',
    title: 'Set-Cookie reaches the client',
    request: get('/'),
    asks: 'cookie',
    topic: 'headers',
    judge: ({ headers }) => differ('set-cookie', headers.getSetCookie(), COOKIES.slice(0, 1)),
  },
  {
    name: 'cookies',
    title: 'two Set-Cookie headers reach the client as two',
    request: get('/'),
    asks: 'cookies',
    topic: 'headers',
    exempt: ({ caller, multiValueHeaders }) =>
      caller === 'alb' && !multiValueHeaders
        ? 'a target group without multi-value headers documents one value for a header'
        : caller.startsWith('lattice')
          ? 'VPC Lattice documents one value for a header of a response'
          : undefined,
    judge: ({ headers }) => differ('set-cookie', headers.getSetCookie(), COOKIES),
  },
  { name: 'status 204', title: '204 reaches the client', ...status('empty', 204) },
  { name: 'status 304', title: '304 reaches the client with its ETag', ...status('unchanged', 304, 'etag', '"1"') },
  { name: 'status 302', title: 'a redirect keeps its target', ...status('moved', 302, 'location', '/elsewhere?a=1') },
  { name: 'status 404', title: '404 reaches the client', ...status('missing', 404) },
  {
    name: 'status 503',
    title: '503 reaches the client with its headers',
    ...status('failed', 503, 'retry-after', '7'),
  },
];

/** The checks of an app that is not the probe: its own answers, wherever AWS and Cloudflare take any. */
export function ownChecks(target: string): Check[] {
  const answers = ({ status: seen }: Observed): string | undefined =>
    seen >= 500 ? `the client gets ${seen}; expected a response that the event source takes` : undefined;
  const own = (name: string, title: string, request: CheckRequest): Check => ({
    name,
    title,
    topic: 'result',
    request,
    judge: answers,
  });
  return [
    own('GET', 'the result is one that the event source takes', get(target)),
    own('HEAD', 'so is that of HEAD', { ...get(target), method: 'HEAD' }),
    own('POST', 'so is that of a form', { ...send('POST', 'application/x-www-form-urlencoded', text('a=1')), target }),
    own('a missing path', 'so is that of a path that is not there', get('/waygate-no-such-path')),
    own(
      'headers',
      'so is that of repeated headers and cookies',
      get(target, [
        ['cookie', 'a=1; b=2'],
        ['x-a', '1'],
        ['x-a', '2'],
      ]),
    ),
  ];
}
