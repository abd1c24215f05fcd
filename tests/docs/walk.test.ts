// The guide and the cookbook, followed line by line: each program is served, each request is sent with curl, and the answer is
// the one that stands in the page. With the packed packages, and the lines for npm and the command as well, in
// tests/e2e/pages.test.ts.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Application } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { type RunningServer, serve } from 'waygate/node';
import { blocks, readPage } from './lib/pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const curl = spawnSync('curl', ['--version']).status === 0;
let folder = '';

beforeAll(() => {
  mkdirSync(join(root, 'build'), { recursive: true });
  folder = mkdtempSync(join(root, 'build', 'walk-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a line of shell without blocking: the server that it asks is in this process. */
async function shell(line: string, cwd: string): Promise<string> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, LC_ALL: 'C.UTF-8' }, timeout: 15_000 };
    execFile('sh', ['-c', line], options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

/** Follows a page; each program that replaces another of its name is in a folder of its own, since modules load once. */
async function follow(page: string): Promise<number> {
  let at = mkdtempSync(join(folder, 'step-'));
  let program: string | undefined;
  let running: RunningServer | undefined;
  let answers = 0;
  const all = blocks(readPage(page));
  for (const [index, { lang, info, code }] of all.entries()) {
    if (lang === 'ts' && info !== '') {
      await running?.close();
      running = undefined;
      const next = mkdtempSync(join(folder, 'step-'));
      cpSync(at, next, { recursive: true });
      at = next;
      writeFileSync(join(at, info), code);
      if (/^export default/m.test(code)) program = info;
    }
    if (lang !== 'sh' || program === undefined || !/^curl/m.test(code)) continue;
    if (running === undefined) {
      const { default: app } = (await import(/* @vite-ignore */ pathToFileURL(join(at, program)).href)) as {
        default: Application;
      };
      running = await serve(validator(app), { port: 0, host: '127.0.0.1', signals: false, errors: () => {} });
    }
    const address = `127.0.0.1:${running.port}`;
    const lines = code.split('\n').filter((line) => !/^(?:npm|npx|bun|deno)\b/.test(line));
    const printed = await shell(lines.join('\n').replaceAll('localhost:8000', address), at);
    const expected = all[index + 1];
    expect(expected?.lang, `${page}: what does ${code} print?`).toBe('text');
    expect(printed.replaceAll('\r', '').trimEnd(), code).toBe(expected?.code.trimEnd());
    answers++;
  }
  await running?.close();
  return answers;
}

test.runIf(curl).each([
  ['docs/guide.md', 3],
  ['docs/cookbook.md', 8],
])('%s answers what it says', async (page, most) => {
  expect(await follow(page)).toBeGreaterThanOrEqual(most);
});

test('the stream of the cookbook is what browsers read', async () => {
  const code = blocks(readPage('docs/cookbook.md')).find(({ info }) => info === 'events.ts')?.code as string;
  writeFileSync(join(folder, 'events.ts'), code);
  const { default: app } = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'events.ts')).href);
  const response = await toFetch(validator(app))('/');
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(await response.text()).toBe([1, 2, 3].map((id) => `id: ${id}\ndata: {"id":${id}}\n\n`).join(''));
});

test('a session that a client has changed is a new one', async () => {
  const code = blocks(readPage('docs/cookbook.md')).find(({ info }) => info === 'sessions.ts')?.code as string;
  writeFileSync(join(folder, 'sessions.ts'), code);
  const { default: app } = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'sessions.ts')).href);
  const fetch = toFetch(validator(app));
  const [cookie = ''] = (await fetch('/')).headers.getSetCookie()[0]?.split(';') ?? [];
  expect(await (await fetch('/', { headers: { Cookie: cookie } })).text()).toBe('visit 2\n');
  const forged = Buffer.from('{"visits":41}').toString('base64url');
  const Cookie = cookie.replace(/=[^.]*/, `=${forged}`);
  expect(Cookie).not.toBe(cookie);
  expect(await (await fetch('/', { headers: { Cookie } })).text()).toBe('visit 1\n');
});

test('the tests of the guide pass', async () => {
  const at = mkdtempSync(join(folder, 'step-'));
  for (const { lang, info, code } of blocks(readPage('docs/guide.md'))) {
    if (lang === 'ts' && info !== '') writeFileSync(join(at, info), code);
  }
  const { default: app } = await import(/* @vite-ignore */ pathToFileURL(join(at, 'timed.ts')).href);
  const fetch = toFetch(validator(app));
  const response = await fetch('/todos');
  expect(response.headers.get('server-timing')).toMatch(/^app;dur=\d/);
  expect(await response.json()).toContain('learn WSGI');
  expect((await fetch('/todos', { method: 'POST', body: '{}' })).status).toBe(400);
  expect(await (await fetch('/clock')).text()).toBe('data: tick 1\n\ndata: tick 2\n\ndata: tick 3\n\n');
});
