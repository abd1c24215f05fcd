// The pages of docs/migrate/: the program before and the program after are run, and answer alike.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import http from 'node:http';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Application } from 'waygate';
import { fromLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { blocks, readPage } from './lib/pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';

beforeAll(() => {
  mkdirSync(join(root, 'build'), { recursive: true });
  folder = mkdtempSync(join(root, 'build', 'migrate-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the programs of a page to a folder, and returns it. */
function programs(name: string, change = (code: string) => code): string {
  const at = mkdtempSync(join(folder, `${name}-`));
  for (const { info, code } of blocks(readPage(`docs/migrate/${name}.md`))) {
    if (/^(?:before|after|handler)\.(?:ts|py)$/.test(info)) writeFileSync(join(at, info), change(code));
  }
  return at;
}

const load = (path: string) => import(/* @vite-ignore */ pathToFileURL(path).href);

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** What of an answer the programs decide. */
async function answer(ask: Ask, path: string, init?: RequestInit) {
  const response = await ask(path, init);
  return {
    status: response.status,
    type: response.headers.get('content-type')?.replace(/;\s*charset=utf-8$/i, ''),
    cookies: response.headers.getSetCookie(),
    location: response.headers.get('location'),
    body: Buffer.from(await response.arrayBuffer()).toString('latin1'),
  };
}

const json = (value: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});

const REQUESTS: [path: string, init?: RequestInit][] = [
  ['/users/7?page=2'],
  ['/users/caf%C3%A9?page=a%20b'],
  ['/users', json({ id: 9, name: 'Ada' })],
  ['/logo'],
  ['/stream'],
];

describe.each(['serverless-http', 'serverless-express', 'hono-aws-lambda'])('%s', (name) => {
  test.each(REQUESTS)('%s answers as before', async (path, init) => {
    const at = programs(name);
    const [before, after] = await Promise.all(
      ['before.ts', 'after.ts'].map(async (file): Promise<Ask> => {
        const { handler } = await load(join(at, file));
        return toFetch(fromLambda(handler, { source: 'http-api' }));
      }),
    );
    const seen = await answer(after as Ask, path, init);
    const was = await answer(before as Ask, path, init);
    // What no program of these pages has is a 404.
    const missing = name === 'serverless-http' ? ['/stream'] : ['/logo', '/stream'];
    expect(seen.status).toBe(missing.includes(path) ? 404 : path === '/users' ? 201 : 200);
    // The page says so: Express 5 cannot say 404 on the objects of serverless-express.
    if (name === 'serverless-express' && seen.status === 404) expect(was.status).toBe(500);
    else expect(seen).toEqual(was);
  });
});

describe('hono-node-server', () => {
  test.each(REQUESTS)('%s answers as before', async (path, init) => {
    const at = programs('hono-node-server', (code) => code.replace('port: 8000', 'port: 0'));
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const listen = vi.spyOn(http.Server.prototype, 'listen');
    try {
      const asks: Ask[] = [];
      for (const file of ['before.ts', 'after.ts']) {
        await load(join(at, file));
        await expect.poll(() => log.mock.calls.length).toBe(asks.length + 1);
        const url = /http:\S+/.exec(String(log.mock.calls.at(-1)?.[0]))?.[0] as string;
        asks.push((path, init) => fetch(`${url.replace('//0.0.0.0', '//127.0.0.1')}${path}`, init));
      }
      const [before, after] = asks as [Ask, Ask];
      const seen = await answer(after, path, init);
      expect(seen).toEqual(await answer(before, path, init));
      expect(seen.status).toBe(path === '/logo' ? 404 : path === '/users' ? 201 : 200);
    } finally {
      for (const server of listen.mock.contexts as Server[]) server.closeAllConnections();
      for (const server of listen.mock.contexts as Server[]) server.close();
      listen.mockRestore();
      log.mockRestore();
    }
  });
});

test('serverless-offline: the function answers what its page says', async () => {
  const at = programs('serverless-offline');
  const { handler } = await load(join(at, 'handler.ts'));
  const response = await toFetch(fromLambda(handler, { source: 'http-api' }))('/users?id=7');
  const expected = blocks(readPage('docs/migrate/serverless-offline.md')).find(({ lang }) => lang === 'text')?.code;
  expect(`${await response.text()}\n`).toBe(expected);
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

/** Calls `app` of before.py as wsgiref would, and prints what it answered. */
const CALL = `
import io, json, sys
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator
from before import app
query, body = sys.argv[1], sys.argv[2].encode()
environ = {'QUERY_STRING': query, 'REQUEST_METHOD': 'POST', 'CONTENT_LENGTH': str(len(body)), 'wsgi.input': io.BytesIO(body)}
setup_testing_defaults(environ)
head = []
result = validator(app)(environ, lambda *args: head.extend(args) or (lambda data: None))
sent = b''.join(result)
result.close()
print(json.dumps([head[0], head[1], sent.decode('latin-1')]))
`;

test.runIf(spawnSync('python3', ['--version']).status === 0).each([
  ['name=Ada', 'four'],
  ['', ''],
  ['name=caf%C3%A9', 'é'],
])('python: ?%s with the body %j answers as in Python', async (query, body) => {
  const at = programs('python');
  const python = spawnSync('python3', ['-c', CALL, query, body], { cwd: at, encoding: 'utf8' });
  expect(python.stderr).toBe('');
  const [status, headers, sent] = JSON.parse(python.stdout) as [string, [string, string][], string];
  const { default: app } = (await load(join(at, 'after.ts'))) as { default: Application };
  const response = await toFetch(validator(app))(`/?${query}`, { method: 'POST', body });
  expect(`${response.status} ${response.statusText}`).toBe(status);
  expect(Object.fromEntries(response.headers)).toMatchObject(
    Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
  );
  expect(Buffer.from(await response.arrayBuffer()).toString('latin1')).toBe(sent);
});
