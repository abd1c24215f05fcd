// The raw requests of tests/cases/http.json as far as a Fetch `Request` can express them, through toFetch: once with the
// target as a path, which reaches the application as written, and once as a `Request` with a URL.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { toFetch } from 'waygate/fetch';

interface HttpCase {
  name: string;
  requestBase64: string;
  expect: {
    outcome: string;
    environ?: Record<string, string>;
    absent?: string[];
    bodyBase64?: string;
    statusOneOf?: number[];
  };
}

/** A raw request in its parts; all strings have one character per byte. */
interface Parts {
  method: string;
  target: string;
  headers: [string, string][];
  body: string;
}

const file = new URL('../../cases/http.json', import.meta.url);
const cases: HttpCase[] = JSON.parse(readFileSync(file, 'utf8')).cases;

/** What no `Request` can say, with the reason. */
const NOT_EXPRESSIBLE: [reason: string, is: (parts: Parts | undefined, each: HttpCase) => boolean][] = [
  ['the request is malformed HTTP, which a Request is never made from', (parts) => parts === undefined],
  ['HTTP/1.1 is the only version there is here', (_, { name }) => /^http(?:\d|-lower)|^host-missing/.test(name)],
  ['a Request has no transfer coding', (parts) => !!parts?.headers.some(([name]) => /^transfer-enc/i.test(name))],
  ['the platform answers expectations', (parts) => !!parts?.headers.some(([name]) => /^expect$/i.test(name))],
  ['a method that Request spells its own way', (_, { name }) => /^method-(?:lower|mixed)-case/.test(name)],
  [
    'sizes and counts are the platform’s to limit',
    (_, { name }) => /^(?:header-long|headers-120|request-line-long)/.test(name),
  ],
  ['a target that is no path', (parts) => !/^(?:\/|https?:)/.test(parts?.target ?? '')],
  ['a URL is text, which a lone raw byte is not', (_, { name }) => name === 'path-raw-latin1-byte'],
  ['a Host with user information is refused, which a test below shows', (_, { name }) => name === 'host-userinfo'],
];

/** Where a URL object says something else than the request line did. */
const NORMALIZED: Record<string, string> = {
  'path-dot-segments': '/b/c',
  'path-encoded-dot-segments': '/b',
  'path-backslash': '/a/b',
};

/** Repeats are joined with ", ", by `Headers` itself. */
const CHOSEN: Record<string, Record<string, string>> = {
  'headers-duplicate': { HTTP_X_A: '1, 2, 3' },
  'headers-duplicate-authorization': { HTTP_AUTHORIZATION: 'Basic dTpw, Bearer x' },
};

const probe: Application = async (environ, startResponse) => {
  const body = Buffer.from(await environ['wsgi.input'].read()).toString('base64');
  const strings = Object.entries(environ).filter(([, value]) => typeof value === 'string');
  const seen = encode(JSON.stringify({ environ: Object.fromEntries(strings), body }));
  // In a header, so that a HEAD tells it too.
  startResponse('200 OK', [['X-Seen', Buffer.from(seen).toString('base64')]]);
  return [];
};

const handler = toFetch(probe, { errors: () => {} });

const expressible = cases.flatMap((each) => {
  const parts = parse(Buffer.from(each.requestBase64, 'base64').toString('latin1'));
  return NOT_EXPRESSIBLE.some(([, is]) => is(parts, each)) ? [] : [{ ...each, parts: parts as Parts }];
});

test('most of the well-formed requests can be expressed', () => {
  expect(expressible.length).toBeGreaterThan(35);
});

describe.each(expressible)('$name', (each) => {
  const { parts } = each;
  const init = initOf(parts);

  test('as a path', async () => {
    if (!parts.target.startsWith('/')) return expect(parts.target).toMatch(/^https?:/); // it has the second form only
    await check(each, await handler(asText(parts.target), init), each.expect.environ?.PATH_INFO);
  });

  test('as a Request', async () => {
    const url = parts.target.startsWith('/') ? `http://example.test${asText(parts.target)}` : parts.target;
    await check(each, await handler(new Request(url, init)), NORMALIZED[each.name] ?? each.expect.environ?.PATH_INFO);
  });
});

const typed = (...types: string[]) => {
  const headers = new Headers(types.map((type): [string, string] => ['Content-Type', type]));
  return handler('/', { method: 'POST', headers });
};

test('a repeated Content-Type is refused unless the values agree', async () => {
  expect((await typed('text/plain', 'text/html')).status).toBe(400);
  expect((await typed('text/plain', 'text/plain', 'text/html')).status).toBe(400);
  expect(seenIn(await typed('text/plain', 'text/plain')).environ.CONTENT_TYPE).toBe('text/plain');
});

test.each(['good.com@evil.com', 'a b', '<script>', 'a/b'])('the host %j is refused', async (host) => {
  expect((await handler('/', { headers: { Host: host } })).status).toBe(400);
});

test('a comma within quotes repeats nothing', async () => {
  const type = 'multipart/form-data; boundary="a, \\", b"';
  expect(seenIn(await typed(type)).environ.CONTENT_TYPE).toBe(type);
});

async function check(each: HttpCase, response: Response, pathInfo: string | undefined): Promise<void> {
  const { environ: expected, absent = [], bodyBase64, statusOneOf } = each.expect;
  if (expected === undefined) return expect(statusOneOf).toContain(response.status);
  const { environ, body } = seenIn(response);
  const wanted: Record<string, string | undefined> = {
    ...expected,
    ...CHOSEN[each.name],
    PATH_INFO: pathInfo,
    REMOTE_ADDR: undefined,
    SERVER_PORT: '80',
  };
  for (const [key, value] of Object.entries(wanted)) expect(environ[key], key).toBe(value);
  for (const key of absent) expect(environ).not.toHaveProperty([key]);
  const headers = Object.keys(environ).filter((key) => key.startsWith('HTTP_'));
  expect(headers.filter((key) => !(key in wanted))).toEqual([]);
  expect(body).toBe(bodyBase64);
}

function seenIn(response: Response): { environ: Record<string, string>; body: string } {
  return JSON.parse(Buffer.from(response.headers.get('x-seen') ?? '', 'base64').toString());
}

/** The bytes of a target as the text that a URL is: they have to be UTF-8. */
function asText(target: string): string {
  return Buffer.from(target, 'latin1').toString('utf8');
}

function initOf({ method, headers, body }: Parts): RequestInit {
  const sent = method === 'GET' || method === 'HEAD' || body === '' ? undefined : Buffer.from(body, 'latin1');
  return { method, headers, body: sent };
}

/** Undefined for what no client library would send. */
function parse(raw: string): Parts | undefined {
  const [head = '', body = ''] = [raw.slice(0, raw.indexOf('\r\n\r\n')), raw.slice(raw.indexOf('\r\n\r\n') + 4)];
  const [line = '', ...lines] = head.split('\r\n');
  const request = /^([A-Za-z-]+) (\S+) HTTP\/1\.\d$/.exec(line);
  if (request === null || lines.some((each) => !/^[^\s:()]+:[^\r\n\0\x01-\x08]*$/.test(each))) return undefined;
  const headers = lines.map((each): [string, string] => {
    const colon = each.indexOf(':');
    return [each.slice(0, colon), each.slice(colon + 1).trim()];
  });
  return { method: request[1] as string, target: request[2] as string, headers, body };
}
