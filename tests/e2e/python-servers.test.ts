// The same bytes sent to wsgiref.simple_server, to gunicorn and to toNode: their environs are compared key by key. What
// differs stands in docs/contract.md with its reason, and is held against what is seen here.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { type RunningServer, serve } from 'waygate/node';

type Shown = Record<string, unknown>;

const folder = fileURLToPath(new URL('python/', import.meta.url));
/** Debian's Python; another one in the path has no gunicorn. */
const PYTHON = '/usr/bin/python3';

const SERVERS = {
  'wsgiref.simple_server': [PYTHON, ['-B', '-I', `${folder}echo_environ.py`]],
  gunicorn: [PYTHON, ['-B', '-m', 'gunicorn', '--bind', '127.0.0.1:0', '--chdir', folder, 'echo_environ:application']],
} satisfies Record<string, [string, string[]]>;
type ServerName = keyof typeof SERVERS;

const REQUESTS: Record<string, string[]> = {
  'a page': ['GET / HTTP/1.1'],
  'a query': ['GET /a/b?x=%41&y=1?z HTTP/1.1'],
  'a path of bytes': ['GET /sp%E4m/caf%C3%A9/a%2Fb HTTP/1.1'],
  'bad escapes': ['GET /%zz/%4/100% HTTP/1.1'],
  'another method': ['DELETE /thing HTTP/1.1'],
  'HTTP/1.0': ['GET / HTTP/1.0'],
  'headers of many kinds': [
    'GET / HTTP/1.1',
    'X-Simple: a',
    'X-Empty:',
    'X-Latin: caf\xe9',
    'Accept: */*',
    'User-Agent: test',
  ],
  'names that are variables': ['GET / HTTP/1.1', 'Remote-Addr: 6.6.6.6', 'Path-Info: /evil'],
  'repeated headers': ['GET / HTTP/1.1', 'X-Twice: 1', 'X-Twice: 2', 'Cookie: a=1', 'Cookie: b=2'],
  'an underscore': ['GET / HTTP/1.1', 'X_Under: evil'],
  'a proxy': ['GET / HTTP/1.1', 'Proxy: http://evil.test'],
  'a form': ['POST /form HTTP/1.1', 'Content-Type: application/x-www-form-urlencoded', 'Content-Length: 3', '', 'a=1'],
  'no type': ['POST / HTTP/1.1', 'Content-Length: 3', '', 'abc'],
  'a forwarded scheme': ['GET / HTTP/1.1', 'X-Forwarded-Proto: https'],
  'absolute form': ['GET http://other.test/p?q HTTP/1.1'],
  'two slashes': ['GET //p HTTP/1.1'],
};

/** The same view of an environ as echo_environ.py has. */
const echo: Application = (environ, startResponse) => {
  const seen = Object.entries(environ).map(([key, value]) => [key, isData(value) ? value : '<object>']);
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  const page = JSON.stringify(Object.fromEntries(seen));
  return [encode(page.replace(/[\x80-\xff]/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`))];
};

function isData(value: unknown): boolean {
  return Array.isArray(value) || ['string', 'boolean', 'number'].includes(typeof value);
}

/** Sends a request and reads the environ out of the answer, or the status where there is none. */
async function ask(port: number, lines: string[]): Promise<Shown> {
  const end = lines.includes('') ? lines.indexOf('') : lines.length;
  const [start, ...headers] = lines.slice(0, end);
  const body = lines.slice(end + 1).join('\n');
  const request = [start, 'Host: host.test', ...headers, 'Connection: close', '', body].join('\r\n');
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(request, 'latin1')));
    let received = '';
    socket.setEncoding('latin1').setTimeout(5000, () => reject(new Error(`no answer to ${start}`)));
    socket.on('data', (text) => {
      received += text;
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(received)).on('error', reject);
  });
  const json = /\{.*\}/s.exec(answer.slice(answer.indexOf('\r\n\r\n')))?.[0];
  if (json === undefined) return { status: answer.split(' ')[1] };
  const seen = JSON.parse(json) as Shown;
  for (const key of Object.keys(seen)) {
    if (seen[key] === String(port)) seen[key] = '<port>';
    if (key === 'REMOTE_PORT') seen[key] = '<remote port>';
  }
  return seen;
}

/** The table of docs/contract.md: for each server the keys that differ, and whether they do so everywhere. */
function listed(name: ServerName): Map<string, 'always' | 'maybe'> {
  const page = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf("## Beside Python's servers"));
  const found = new Map<string, 'always' | 'maybe'>();
  for (const [, keys, wsgiref, gunicorn] of table.matchAll(/^\| (`.+?) \| (.+?) \| (.+?) \|/gm)) {
    const cell = (name === 'gunicorn' ? gunicorn : wsgiref) as string;
    if (cell === 'same') continue;
    for (const [, key] of (keys as string).matchAll(/`([^`]+)`/g)) {
      found.set(key as string, cell.startsWith('may ') ? 'maybe' : 'always');
    }
  }
  return found;
}

describe.each(Object.keys(SERVERS) as ServerName[])('%s', (name) => {
  const [command, args] = SERVERS[name];
  const module = name === 'gunicorn' ? 'gunicorn' : 'wsgiref';
  const there = spawnSync(PYTHON, ['-c', `import ${module}`]).status === 0;
  if (!there) console.warn(`skipped: ${PYTHON} has no ${module}; apt-get install python3 gunicorn brings both`);
  const seen = new Set<string>();
  let ours: RunningServer;
  let theirs: ChildProcess;
  let port = 0;

  beforeAll(async () => {
    if (!there) return;
    ours = await serve(echo, { port: 0, host: '127.0.0.1', signals: false });
    // An empty environment: simple_server puts it into environ. (ENV-18)
    theirs = spawn(command, args, { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
    port = await new Promise((resolve, reject) => {
      let log = '';
      theirs.stderr?.on('data', (text) => {
        log += text;
        const found = /Listening at: http:\/\/127\.0\.0\.1:([0-9]+)/.exec(log)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
      theirs.on('exit', () => reject(new Error(log)));
    });
  });
  afterAll(async () => {
    theirs?.kill();
    await ours?.close();
  });

  test.skipIf(!there).each(Object.entries(REQUESTS))('%s', async (_name, lines) => {
    const [here, there] = await Promise.all([ask(ours.port, lines), ask(port, lines)]);
    const different = [...new Set([...Object.keys(here), ...Object.keys(there)])].filter(
      (key) => JSON.stringify(here[key]) !== JSON.stringify(there[key]),
    );
    for (const key of different) {
      seen.add(key);
      expect([...listed(name).keys()], `${key} is ${here[key]} here and ${there[key]} there`).toContain(key);
    }
  });

  test.skipIf(!there)('every difference that the contract lists is there', () => {
    const expected = [...listed(name)].filter(([, when]) => when === 'always').map(([key]) => key);
    expect(expected.length).toBeGreaterThan(5);
    expect(expected.filter((key) => !seen.has(key))).toEqual([]);
  });
});
