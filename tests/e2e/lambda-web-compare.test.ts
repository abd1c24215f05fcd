// One application as a Lambda Web Function and as an event function behind a function URL, both built by the command: what
// differs for a client over all requests of tests/cases/http.json and all responses of tests/cases/responses.json.

import { isUtf8 } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fromLambda } from '../../adapters/aws-lambda/index.ts';
import { toNode } from '../../adapters/node/index.ts';
import type { Application } from '../../core/index.ts';
import { APPS } from './lambda-web/apps.ts';
import { ask, type Comparable } from './lambda-web/compare.ts';
import { type Running, start } from './runtimes/process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = 'build/lambda-web-e2e';
const HOST = 'waygate.lambda-web.localhost';
const RESPONSES = `${ROOT}tests/cases/responses.json`;

interface RequestCase {
  name: string;
  requestBase64: string;
}
interface ResponseCase {
  name: string;
  requestMethod?: string;
  app: { status: string; headers: [string, string][] };
}
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
// HTTP/0.9 has no head, so that nothing could be compared.
const requests: RequestCase[] = read(`${ROOT}tests/cases/http.json`).cases.filter(
  (each: RequestCase) => each.name !== 'http09',
);
const responses: ResponseCase[] = read(RESPONSES);

/** The requests that the endpoint of a Web Function refuses, or lets through, unlike a function URL; and the rule for it. */
const ENDPOINT_DECIDES: Record<string, [status: number, why: string]> = {
  'method-webdav': [400, 'seven methods alone'],
  'method-m-search': [400, 'seven methods alone'],
  'host-with-port': [404, 'Host has no port'],
  'host-ipv6': [404, 'Host is the domain'],
  'host-empty': [404, 'Host is the domain'],
  'host-userinfo': [404, 'Host is the domain'],
  'host-missing-1.1': [400, 'Host is needed'],
  'http10-post': [505, 'HTTP/1.1 alone'],
  'http10-chunked': [505, 'HTTP/1.1 alone'],
  'expect-unknown': [200, 'Expect is removed'],
};

/** The request headers that an event function gets and a Web Function does not. */
const ENDPOINT_REMOVES: Record<string, string[]> = {
  'header-hop-by-hop': ['x-hop', 'te'],
  'expect-100-continue': ['expect'],
};

/** What an event cannot say, so that an app sees something else of it: what the Web Function sees, by app. */
const EVENT_LOSES: Record<string, Partial<Record<string, Record<string, unknown>>>> = {
  // An event has no "?" without a query.
  'query-empty': {
    express: { originalUrl: '/path?' },
    koa: { url: '/path?' },
    hono: { url: `https://${HOST}/path?` },
  },
  // It has a path where the request had a URL.
  'absolute-form-no-path': {
    express: { originalUrl: 'http://example.test/?x=1' },
    koa: { url: 'http://example.test/?x=1' },
  },
  // Its headers are joined; of the lines that Node reads it keeps the first.
  'headers-duplicate-authorization': {
    express: { headers: { host: HOST, authorization: 'Basic dTpw' } },
    koa: { headers: { host: HOST, authorization: 'Basic dTpw' } },
  },
  // It does not say whether an empty body was announced.
  'body-chunked-empty': { express: { body: '' } },
};

let events: http.Server;
let web: Running;
let port: { web: number; event: number };

/** Builds an app for both, and serves both. */
async function serveBoth(name: string): Promise<void> {
  const module = `${FOLDER}/${name}.ts`;
  const out = `${FOLDER}/${name}`;
  const command = 'cli/bin/waygate.js';
  for (const target of ['lambda', 'lambda-web']) {
    const args = [command, 'build', module, '--target', target, '--out', `${out}/${target}`];
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' });
  }
  const { handler } = await import(pathToFileURL(`${ROOT}${out}/lambda/index.mjs`).href);
  const hosted = fromLambda(handler, { source: 'function-url' });
  // A function URL is reached over HTTPS.
  const secure: Application = (environ, startResponse) =>
    hosted(Object.assign(environ, { 'wsgi.url_scheme': 'https', HTTPS: 'on', SERVER_PORT: '443' }), startResponse);
  events = http.createServer(toNode(secure, { errors: () => {} }));
  await new Promise<void>((resolve) => events.listen(0, '127.0.0.1', resolve));
  const folder = `${out}/lambda-web/function`;
  const args = [command, 'serve', folder, '--platform', 'lambda:web', '--quiet', '--port', '0'];
  web = await start(process.execPath, args, { WAYGATE_RESPONSES: RESPONSES });
  port = { web: Number(new URL(web.url).port), event: (events.address() as AddressInfo).port };
}

beforeAll(() => {
  mkdirSync(`${ROOT}${FOLDER}`, { recursive: true });
  for (const [name, text] of Object.entries(APPS)) writeFileSync(`${ROOT}${FOLDER}/${name}`, text);
  vi.stubEnv('WAYGATE_RESPONSES', RESPONSES);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(`${ROOT}${FOLDER}`, { recursive: true, force: true });
});

async function both(bytes: Buffer): Promise<{ web: Comparable | null; event: Comparable | null }> {
  const [fromWeb, event] = await Promise.all([ask(port.web, bytes), ask(port.event, bytes)]);
  return { web: fromWeb, event };
}

/** What a function URL makes of a response on its way to the client: the losses that docs/platforms.md lists. */
function throughFunctionUrl(response: Comparable | null): Comparable | null {
  if (response === null) return null;
  const joined = new Map<string, string>();
  for (const line of response.headers) {
    const [name = '', value = ''] = line.split(/: (.*)/s);
    // It renames this one.
    if (name === 'www-authenticate') continue;
    if (name === 'set-cookie') joined.set(line, value);
    else joined.set(name, joined.has(name) ? `${joined.get(name)}, ${utf8(value)}` : utf8(value));
  }
  if (!joined.has('content-type')) joined.set('content-type', 'application/json');
  const headers = [...joined].map(([name, value]) => (name.includes(': ') ? name : `${name}: ${value}`));
  return { ...response, headers: headers.sort() };
}

/** A header value is text in a result: bytes that are no UTF-8 become the UTF-8 of the characters that they are in Latin-1. */
function utf8(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? value : Buffer.from(value, 'utf8').toString('latin1');
}

/** The bytes of a case: for the host of the endpoint, on a connection that ends with the response. */
function bytesOf(text: string): Buffer {
  const forHost = text.replaceAll('Host: example.test\r', `Host: ${HOST}\r`);
  const ends = /^connection:/im.test(text) ? forHost : forHost.replace('\r\nHost:', '\r\nConnection: close\r\nHost:');
  return Buffer.from(ends, 'latin1');
}

describe.each(['plain', 'express', 'koa', 'hono'])(
  'the app of %s, as a Web Function and as an event function',
  (name) => {
    beforeAll(() => serveBoth(name), 120_000);
    afterAll(async () => {
      await web?.stop();
      events?.closeAllConnections();
      events?.close();
    });

    test.each(requests)('answers the request $name alike', async ({ name: each, requestBase64 }) => {
      const seen = await both(bytesOf(Buffer.from(requestBase64, 'base64').toString('latin1')));
      const decided = ENDPOINT_DECIDES[each];
      if (decided !== undefined) {
        expect([seen.web?.status, decided[1]]).toEqual(decided);
        expect(seen.event).not.toEqual(seen.web);
        return;
      }
      // What is refused before an app sees it has the same status; its words are those of who refuses.
      if ((seen.event?.status ?? 0) >= 400) expect(seen.web?.status).toBe(seen.event?.status);
      else expect(seen.web).toEqual(asWebFunction(seen.event, ENDPOINT_REMOVES[each], EVENT_LOSES[each]?.[name]));
    });

    test.each(responses.map((each, at) => ({ ...each, at })))(
      'gives the response $name ($at) alike',
      async ({ at, requestMethod = 'GET' }) => {
        const seen = await both(bytesOf(`${requestMethod} /case/${at} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`));
        expect(throughFunctionUrl(seen.web)).toEqual(seen.event);
      },
    );
  },
);

test('every difference that is declared is of a case', () => {
  const names = new Set(requests.map((each) => each.name));
  for (const declared of [ENDPOINT_DECIDES, ENDPOINT_REMOVES, EVENT_LOSES]) {
    for (const name of Object.keys(declared)) expect(names).toContain(name);
  }
});

/** What an app has seen in an event, as it has to see it in a Web Function. */
function asWebFunction(
  seen: Comparable | null,
  removed: readonly string[] = [],
  lost: Record<string, unknown> = {},
): Comparable | null {
  if (seen === null) return null;
  const body = seen.body as { headers?: Record<string, unknown> };
  if (body.headers === undefined) return seen;
  const headers = Object.entries(body.headers).filter(([name]) => !removed.includes(name));
  return { ...seen, body: { ...body, headers: Object.fromEntries(headers), ...lost } };
}
