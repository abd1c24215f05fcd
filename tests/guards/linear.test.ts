// Whatever a client sends or an application pushes is read in linear time. Each line is a way in with the input that is
// worst for it; the input is made four times as large, and the time must not grow as it would if it were quadratic.

import { type IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import {
  type Environ,
  encodeWsgi,
  MemoryInput,
  ResponseHeaders,
  requestUri,
  run,
  setupTestingDefaults,
  shiftPathInfo,
} from 'waygate';
import { addHeader, decodePath, encodedPathInfo, Input, quotePath, splitTarget } from 'waygate/adapter';
import { type EventRequest, lambdaEvent, type SourceName, toLambda } from 'waygate/aws-lambda';
import { fromFetch, toFetch } from 'waygate/fetch';
import { mount, type ProxyFixOptions, proxyFix, validator } from 'waygate/middleware';
import { fromNode } from 'waygate/node';
import { send } from '../../adapters/node/response.ts';
import { decode } from '../../core/bytes.ts';
import { checkHeaders, checkStatus } from '../../core/check.ts';
import { errorStreams } from '../../core/error-stream.ts';
import { report } from '../../core/errors.ts';
import { asciiTarget, normalizePrefix } from '../../core/url.ts';
import { WriteQueue } from '../../core/write-queue.ts';
import { growth, LINEAR as LIMIT, type Work } from './growth.ts';

const ok = (
  _environ: Environ,
  startResponse: (status: string, headers: [string, string][]) => unknown,
): Uint8Array[] => {
  startResponse('200 OK', []);
  return [];
};

/** A text of about `size` characters: a beginning, something over and over, an end. */
const text =
  (unit: string, start = '', end = '') =>
  (size: number): string =>
    start + unit.repeat(Math.ceil(size / unit.length)) + end;

const trusted: ProxyFixOptions = { for: 2, proto: 2, host: 2, port: 2, prefix: 1 };
const FORWARDED = { ...trusted, forwarded: true };

/** A body for an input over chunks or in memory. */
const bytes =
  (unit: string) =>
  (size: number): Uint8Array =>
    new TextEncoder().encode(text(unit)(size));

/** Sixteen times as much of it, where looking at a byte costs next to nothing. */
const large =
  <T>(input: (size: number) => T) =>
  (size: number): T =>
    input(size * 16);

const inPieces =
  (unit: string, length: number) =>
  (size: number): Uint8Array[] => {
    const body = bytes(unit)(size);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < body.length; at += length) pieces.push(body.subarray(at, at + length));
    return pieces;
  };

const overChunks = (chunks: Uint8Array[]): Input => {
  let at = 0;
  return new Input({ pull: () => chunks[at++] ?? null });
};

async function byLines(input: Input | MemoryInput, size?: number): Promise<void> {
  while ((await input.readline(size)).byteLength > 0);
}

async function iterate(input: Input | MemoryInput): Promise<void> {
  for await (const line of input) decode(line);
}

const throughValidator = (use: (environ: Environ) => Promise<unknown>): ((body: Uint8Array) => unknown) => {
  const app = validator(async (environ, startResponse) => {
    await use(environ);
    return ok(environ, startResponse);
  });
  return (body) => run(app, setupTestingDefaults({ 'wsgi.input': new MemoryInput(body), 'wsgi.errors': quiet() }));
};

const quiet = () => errorStreams(() => {})();

/** Many short texts. */
const many =
  (unit: string) =>
  (size: number): string[] =>
    new Array(size).fill(unit);

/** A request to a hosted Fetch app, or an answer of it. */
const hostedFetch = fromFetch((request) => new Response(request.url.slice(0, 1)));
const hostedNode = fromNode((request, response) => void response.end(String(request.rawHeaders.length)));

const environWith =
  (app: (environ: Environ, startResponse: never) => unknown, key: string) =>
  (value: string): unknown =>
    run(app as never, setupTestingDefaults({ [key]: value, 'wsgi.errors': quiet() }));

const SOURCES: SourceName[] = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'edge'];

/** Entries whose input is one string that stands in every place of a request where a client may put one. */
const HOSTILE: Record<string, Work['input']> = {
  blanks: text(' ', 'a', 'a'),
  tabs: text('\t', 'a', 'a'),
  slashes: text('/', '/', 'x'),
  commas: text(','),
  'lists with blanks': text(' , '),
  semicolons: text(';'),
  'quotes that are never closed': text('\\"', 'a, "'),
  'open quotes': text('"'),
  equals: text('a='),
  colons: text(':'),
  escapes: text('%2e'),
  'half escapes': text('%'),
  dots: text('/.'),
  letters: text('a', '', '!'),
  digits: text('1'),
  'bytes beyond ASCII': text('\xc3\xa9'),
};

const WAYS: Record<string, (text: string) => unknown> = {
  splitTarget: (value) => splitTarget(`/${value}`, 'GET'),
  'splitTarget of an absolute form': (value) => splitTarget(`http://${value}`, 'GET'),
  decodePath,
  quotePath,
  encodeWsgi,
  asciiTarget,
  normalizePrefix,
  'encodedPathInfo behind a mount': (value) =>
    encodedPathInfo(setupTestingDefaults({ SCRIPT_NAME: value, PATH_INFO: '/', REQUEST_URI: `${quotePath(value)}/` })),
  shiftPathInfo: (value) => shiftPathInfo(setupTestingDefaults({ PATH_INFO: `/${value}` })),
  requestUri: (value) => requestUri(setupTestingDefaults({ PATH_INFO: value, HTTP_HOST: value })),
  'mount by path': environWith(mount({ '/a': ok, '/a/a': ok }), 'PATH_INFO'),
  'mount by host': environWith(mount({ 'a.example': ok, '/': ok }), 'HTTP_HOST'),
  'proxyFix, Forwarded': (value) => run(proxyFix(ok, FORWARDED), setupTestingDefaults({ HTTP_FORWARDED: value })),
  'proxyFix, X-Forwarded-*': (value) =>
    run(
      proxyFix(ok, trusted),
      setupTestingDefaults({
        HTTP_X_FORWARDED_FOR: value,
        HTTP_X_FORWARDED_PROTO: value,
        HTTP_X_FORWARDED_HOST: value,
        HTTP_X_FORWARDED_PORT: value,
        HTTP_X_FORWARDED_PREFIX: value,
      }),
    ),
  'proxyFix, a prefix behind a slash': environWith(proxyFix(ok, { prefix: 1 }), 'HTTP_X_FORWARDED_PREFIX'),
  'validator of a path': environWith(validator(ok), 'PATH_INFO'),
  'validator of a query': environWith(validator(ok), 'QUERY_STRING'),
  'validator of a Host': environWith(validator(ok), 'HTTP_HOST'),
  'checkHeaders, a name': (value) => checkHeaders([[value, '']]),
  'checkHeaders, a value': (value) => checkHeaders([['Name', value]]),
  'checkHeaders, a length': (value) => checkHeaders([['Content-Length', value]]),
  checkStatus: (value) => checkStatus(`200 ${value}`),
  'Headers.addHeader': (value) => new ResponseHeaders().addHeader('Name', 'a', { name: value }),
  'a hosted Fetch app, path': environWith(hostedFetch, 'PATH_INFO'),
  'a hosted Fetch app, query': environWith(hostedFetch, 'QUERY_STRING'),
  'a hosted Fetch app, Host': environWith(hostedFetch, 'HTTP_HOST'),
  'a hosted Fetch app, header': environWith(hostedFetch, 'HTTP_X_NAME'),
  'a hosted Fetch app, method': environWith(hostedFetch, 'REQUEST_METHOD'),
  'a hosted node app, path': environWith(hostedNode, 'PATH_INFO'),
  'a hosted node app, Connection': environWith(hostedNode, 'HTTP_CONNECTION'),
  'a hosted node app, Expect': environWith(hostedNode, 'HTTP_EXPECT'),
  'a hosted node app, protocol': environWith(hostedNode, 'SERVER_PROTOCOL'),
  'a hosted node app, status message': (value) =>
    run(
      fromNode((_request, response) => {
        response.statusMessage = value;
        response.end();
      }),
      setupTestingDefaults({ 'wsgi.errors': quiet() }),
    ),
  'a hosted node app, Connection of the response': (value) =>
    run(
      fromNode((_request, response) => {
        response.setHeader('Connection', value);
        response.end();
      }),
      setupTestingDefaults({ 'wsgi.errors': quiet() }),
    ),
  'a hosted Fetch app, statusText': (value) =>
    run(
      fromFetch(() => new Response('', { statusText: value })),
      setupTestingDefaults({ 'wsgi.errors': quiet() }),
    ),
  'toFetch, path': (value) => toFetch(ok)(`http://localhost/${value}`),
  'toFetch, query': (value) => toFetch(ok)(`http://localhost/?${value}`),
  'toFetch, Content-Type': (value) => toFetch(ok)('http://localhost/', { headers: { 'Content-Type': value } }),
  'toFetch, header': (value) => toFetch(ok)('http://localhost/', { headers: { Cookie: value } }),
};

/** The headers of an event that are looked into. */
const LOOKED_INTO = ['Content-Type', 'Host', 'X-Forwarded-For', 'X-Forwarded-Port', 'Authorization', 'Cookie'];

for (const source of SOURCES) {
  const handler = toLambda(ok, { errors: () => {} }) as (event: unknown, context: unknown) => unknown;
  const send = (request: EventRequest) => handler(lambdaEvent(source, request), {});
  WAYS[`${source}, path and query`] = (value) => send({ path: `/${value}?${value}` });
  WAYS[`${source}, headers`] = (value) =>
    send({ headers: Object.fromEntries(LOOKED_INTO.map((name) => [name, value])) });
}

const work = (input: Work['input'], run: (input: never) => unknown): Work => ({ input, run: run as Work['run'] });

/** What is done to many small things, or to a body. */
const WORKS: Record<string, Work> = {
  'readline(size) in memory': work(large(bytes('a')), (body: Uint8Array) => byLines(new MemoryInput(body), 64)),
  'readline(size) of a text in memory': work(large(text('a')), (body: string) => byLines(new MemoryInput(body), 64)),
  'readline() of short lines in memory': work(bytes('a\n'), (body: Uint8Array) => byLines(new MemoryInput(body))),
  'read(size) in memory': work(bytes('a'), async (body: Uint8Array) => {
    const input = new MemoryInput(body);
    while ((await input.read(3)).byteLength > 0);
  }),
  'readlines in memory': work(bytes('\n'), (body: Uint8Array) => new MemoryInput(body).readlines()),
  'iteration in memory': work(bytes('a\n'), (body: Uint8Array) => iterate(new MemoryInput(body))),
  'readline(size) of one chunk': work(large(bytes('a')), (body: Uint8Array) => byLines(overChunks([body]), 64)),
  'readline(size) of large chunks': work(large(inPieces('a', 65536)), (body: Uint8Array[]) =>
    byLines(overChunks(body), 64),
  ),
  'readline() of short lines in one chunk': work(bytes('a\n'), (body: Uint8Array) => byLines(overChunks([body]))),
  'readline() of one line in small chunks': work(inPieces('a', 1), (body: Uint8Array[]) => byLines(overChunks(body))),
  'readlines of one chunk': work(bytes('\n'), (body: Uint8Array) => overChunks([body]).readlines()),
  'iteration over small chunks': work(inPieces('aaa\n', 3), (body: Uint8Array[]) => iterate(overChunks(body))),
  'read() of small chunks': work(inPieces('a', 1), (body: Uint8Array[]) => overChunks(body).read()),
  'text() of small chunks': work(inPieces('a', 1), (body: Uint8Array[]) => overChunks(body).text()),
  'overlapping reads': work(bytes('a'), (body: Uint8Array) => {
    const input = overChunks([body]);
    return Promise.all(Array.from(body, () => input.read(1)));
  }),
  'readline(size) through the validator': work(
    large(bytes('a')),
    throughValidator(async (environ) => byLines(environ['wsgi.input'] as Input, 64)),
  ),
  'readlines through the validator': work(
    bytes('\n'),
    throughValidator((environ) => environ['wsgi.input'].readlines()),
  ),
  'wsgi.errors without line ends': work(many('text without an end '), (texts: string[]) => {
    const errors = quiet();
    for (const each of texts) errors.write(each);
    errors.flush();
  }),
  'wsgi.errors, writelines': work(many('line\n'), (texts: string[]) => quiet().writelines(texts)),
  'wsgi.errors, one text of many lines': work(text('a\n'), (lines: string) => quiet().write(lines)),
  'wsgi.errors of a line that is never finished': work(many('a'), (texts: string[]) => {
    const errors = quiet();
    errors.write('\n');
    for (const each of texts) errors.write(each);
  }),
  'write() that nobody awaits': work(many('a'), async (texts: string[]) => {
    const writes = new WriteQueue();
    for (const _ of texts) writes.push(new Uint8Array(1));
    writes.close();
    while ((await writes.next()) !== null);
  }),
  'write() that is lost': work(many('a'), (texts: string[]) => {
    const writes = new WriteQueue();
    for (const _ of texts) writes.push(new Uint8Array(1));
    writes.lose(new Error('gone'));
  }),
  'a header that comes again and again': work(many('a'), (values: string[]) => {
    const environ = setupTestingDefaults();
    for (const value of values) addHeader(environ, 'X-Name', value);
    return String(environ.HTTP_X_NAME).length;
  }),
  'ever new headers': work(many('a'), (values: string[]) => {
    const environ = setupTestingDefaults();
    values.forEach((value, index) => {
      addHeader(environ, `X-Name-${index}`, value);
    });
  }),
  'many response headers': work(many('a=b'), (values: string[]) =>
    checkHeaders(values.map((value) => ['Set-Cookie', value])),
  ),
  'a response of many cookies through setHeader': work(many('a=b'), (values: string[]) => {
    const response = new ServerResponse({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 } as IncomingMessage);
    // As a middleware does that looks at the head.
    response.writeHead = response.writeHead.bind(response);
    const headers = values.map((value): [string, string] => ['Set-Cookie', value]);
    send({ status: '200 OK', statusCode: 200, reason: 'OK', headers, body: [] }, response);
  }),
  'a hosted node app, a header that comes again and again': work(many('a'), (values: string[]) => {
    const environ = setupTestingDefaults({ HTTP_X_NAME: values.join(', '), 'wsgi.errors': quiet() });
    environ['node.request'] = { rawHeaders: values.flatMap((value) => ['X-Name', value]) } as IncomingMessage;
    return run(hostedNode, environ);
  }),
  'Headers.delete of many': work(many('a'), (values: string[]) => {
    const list = values.map((value): [string, string] => ['Set-Cookie', value]);
    new ResponseHeaders(list).delete('set-cookie');
  }),
  'an error with a long message': work(text('a\n'), (message: string) => report(new Error(message))),
};

for (const source of SOURCES) {
  const handler = toLambda(ok, { errors: () => {} }) as (event: unknown, context: unknown) => unknown;
  WORKS[`${source}, a header that comes again and again`] = work(
    (size) => lambdaEvent(source, { headers: { 'X-Name': many('a')(size / 8) } }),
    (event) => handler(event, {}),
  );
  WORKS[`${source}, many cookies`] = work(
    (size) => lambdaEvent(source, { headers: { Cookie: many('a=b')(size / 8) } }),
    (event) => handler(event, {}),
  );
  WORKS[`${source}, a query of many parameters`] = work(
    (size) => lambdaEvent(source, { path: `/?${text('a=b&')(size)}` }),
    (event) => handler(event, {}),
  );
  WORKS[`${source}, a response of many cookies`] = work(many('a=b'), (cookies: string[]) => {
    const answer = toLambda(
      (_environ, startResponse) => {
        startResponse(
          '200 OK',
          cookies.map((value) => ['Set-Cookie', value]),
        );
        return [];
      },
      { errors: () => {} },
    ) as (event: unknown, context: unknown) => unknown;
    return answer(lambdaEvent(source), {});
  });
}

test('what is measured tells quadratic from linear', async () => {
  const atEnd = { input: text('/', '', 'x'), run: (value: string) => value.search(/\/+$/) };
  // A busy machine makes the small input slow now and then, and the least of several attempts looks linear.
  let grown = 0;
  for (let attempt = 0; attempt < 20 && grown < LIMIT; attempt++) {
    grown = Math.max(grown, await growth(atEnd as Work, Number.POSITIVE_INFINITY));
  }
  expect(grown).toBeGreaterThan(LIMIT);
  const linear = { input: text('/', '', 'x'), run: (value: string) => encodeURIComponent(value) };
  expect(await growth(linear as Work, LIMIT)).toBeLessThan(LIMIT);
});

test.each(Object.keys(WAYS))('%s takes linear time, whatever a client sends', async (way) => {
  const slow: Record<string, number> = {};
  for (const [kind, input] of Object.entries(HOSTILE)) {
    const grown = await growth({ input, run: WAYS[way] as never }, LIMIT);
    if (grown >= LIMIT) slow[kind] = Math.round(grown);
  }
  expect(slow).toEqual({});
});

test.each(Object.keys(WORKS))('%s takes linear time', async (name) => {
  expect(await growth(WORKS[name] as Work, LIMIT)).toBeLessThan(LIMIT);
});
