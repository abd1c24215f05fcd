// CPython as the judge: the environ that each adapter makes goes through wsgiref.validate, which knows nothing of us. The
// interpreter is CPython compiled to WebAssembly, so that every machine has it.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadPyodide } from 'pyodide';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { toLambda } from 'waygate/aws-lambda';
import { toWorker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { toNode } from 'waygate/node';

interface Verdict {
  complaints: string[];
  length: number;
}

let judge: (environ: Environ, body: Uint8Array) => Verdict;

beforeAll(async () => {
  const python = await loadPyodide();
  python.runPython(readFileSync(new URL('python/judge.py', import.meta.url), 'utf8'));
  const run = python.globals.get('judge') as (environ: string, body: Uint8Array) => string;
  judge = (environ, body) => {
    // Python takes what JSON can hold; streams and functions it gets of its own.
    const data = Object.entries(environ).filter(([key, value]) => !key.includes('.') || isPlain(key, value));
    return JSON.parse(run(JSON.stringify(Object.fromEntries(data)), body)) as Verdict;
  };
});

function isPlain(key: string, value: unknown): boolean {
  return key.startsWith('wsgi.') && (typeof value === 'string' || typeof value === 'boolean' || Array.isArray(value));
}

/** Answers with the verdict on the environ it got. */
const judged: Application = async (environ, startResponse) => {
  const body = await environ['wsgi.input'].bytes();
  const verdict = judge(environ, body);
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [encode(JSON.stringify({ ...verdict, sent: body.byteLength }))];
};

const REQUESTS: [name: string, path: string, init?: RequestInit][] = [
  ['a page', '/'],
  ['a path of bytes', '/caf%C3%A9/%ff/a%2Fb/%zz?q=%41&y=1?z'],
  ['two slashes', '//evil.test/p'],
  ['HEAD', '/', { method: 'HEAD' }],
  ['a form', '/form', { method: 'POST', body: new URLSearchParams({ a: '1', b: 'é' }) }],
  ['bytes', '/bytes', { method: 'PUT', body: Uint8Array.from({ length: 256 }, (_, value) => value) }],
  ['an empty body', '/', { method: 'POST', body: '' }],
  ['DELETE', '/thing', { method: 'DELETE' }],
  ['OPTIONS', '/thing', { method: 'OPTIONS' }],
  [
    'many headers',
    '/',
    { headers: { 'X-A': '1', Cookie: 'a=1; b=2', 'X-Empty': '', Proxy: 'http://evil.test', X_Under: '1' } },
  ],
];

async function expectClean(response: Response, head: boolean): Promise<void> {
  expect(response.status).toBe(200);
  if (head) return;
  const { complaints, length, sent } = (await response.json()) as Verdict & { sent: number };
  expect(complaints).toEqual([]);
  expect(length).toBe(sent);
}

test('the judge finds what is wrong', () => {
  const environ = { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/', PATH_INFO: 'x', 'wsgi.version': [1, 0] };
  expect(judge(environ as unknown as Environ, new Uint8Array()).complaints).not.toEqual([]);
});

describe('toFetch', () => {
  test.each(REQUESTS)('%s', async (_name, path, init) => {
    await expectClean(await toFetch(judged)(path, init), init?.method === 'HEAD');
  });

  test('below a base path', async () => {
    const serve = toFetch(judged, { basePath: '/api' });
    for (const path of ['/api', '/api/', '/api/x', '/apiary']) await expectClean(await serve(path), false);
  });

  test('it complains of OPTIONS * alone, whose path is not a path', async () => {
    const response = await toFetch(judged)('*', { method: 'OPTIONS' });
    const { complaints } = (await response.json()) as Verdict;
    expect(complaints).toEqual([expect.stringContaining("PATH_INFO doesn't start with /")]);
  });
});

describe('toNode', () => {
  const server = createServer(toNode(judged));
  beforeAll(() => new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening)));
  afterAll(() => void server.close());

  test.each(REQUESTS)('%s', async (_name, path, init) => {
    const { port } = server.address() as AddressInfo;
    await expectClean(await fetch(`http://127.0.0.1:${port}${path}`, init), init?.method === 'HEAD');
  });
});

describe('toWorker', () => {
  test.each(REQUESTS)('%s', async (_name, path, init) => {
    const request = new Request(`https://worker.test${path}`, init);
    request.headers.set('cf-connecting-ip', '192.0.2.1');
    const response = await toWorker(judged).fetch(request, {}, { waitUntil: () => {} });
    await expectClean(response, init?.method === 'HEAD');
  });
});

describe('toLambda', () => {
  interface Case {
    file: string;
    expect: unknown;
  }
  const folder = new URL('../cases/', import.meta.url);
  const cases = (JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Case[]).filter(
    (each) => each.expect,
  );

  test.each(cases)('$file', async ({ file }) => {
    const event = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    let seen: Verdict | undefined;
    const app: Application = async (environ, startResponse) => {
      seen = judge(environ, await environ['wsgi.input'].bytes());
      startResponse('200 OK', []);
      return [];
    };
    await toLambda(app)(event, {} as never);
    expect(seen?.complaints).toEqual([]);
  });
});
