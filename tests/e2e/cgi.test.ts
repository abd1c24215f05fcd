// The CGI adapter as what it is for: an executable script that a real web server (lighttpd) runs once per request.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const LIGHTTPD = ['/usr/sbin/lighttpd', '/usr/bin/lighttpd'].find((path) => existsSync(path));
const there = LIGHTTPD !== undefined;
if (!there) console.warn('skipped: no lighttpd here; apt-get install lighttpd brings it');

const root = fileURLToPath(new URL('../../', import.meta.url));
const scripts = join(root, 'build/adapter-cgi');

/** Shows the environ and the body it got; the validator stands around it. */
const ECHO = `
import { encode } from 'waygate';
import { validator } from 'waygate/middleware';
import { serveCgi } from './cgi.js';

await serveCgi(validator(async (environ, startResponse) => {
  const body = await environ['wsgi.input'].text();
  const variables = Object.entries(environ).filter(([, value]) => typeof value === 'string');
  const odd = environ.QUERY_STRING === 'odd' ? [['X-', 'a header name that the validator warns of']] : [];
  startResponse('202 Accepted', [['Content-Type', 'application/json'], ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ...odd]);
  return [encode(JSON.stringify({ ...Object.fromEntries(variables), once: environ['wsgi.run_once'], body }))];
}));
`;

let folder: string;
let server: ChildProcess | undefined;
let site: string;

beforeAll(async () => {
  if (LIGHTTPD === undefined) return;
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.examples.json'], { cwd: root, stdio: 'inherit' });
  writeFileSync(join(scripts, 'echo.js'), ECHO);
  folder = mkdtempSync(join(tmpdir(), 'waygate-cgi-'));
  const port = await freePort();
  site = `http://127.0.0.1:${port}`;
  const settings = [
    `server.document-root = "${scripts}"`,
    `server.port = ${port}`,
    'server.bind = "127.0.0.1"',
    'server.modules = ("mod_cgi")',
    `cgi.assign = (".js" => "${process.execPath}")`,
    `server.breakagelog = "${folder}/scripts.log"`,
    `server.errorlog = "${folder}/server.log"`,
  ];
  writeFileSync(join(folder, 'lighttpd.conf'), settings.join('\n'));
  server = spawn(LIGHTTPD, ['-D', '-f', join(folder, 'lighttpd.conf')], { stdio: 'inherit' });
  await listening(port);
});

afterAll(() => {
  server?.kill();
  rmSync(join(scripts, 'echo.js'), { force: true });
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.end());
    });
    if (open) return;
    await new Promise((turn) => setTimeout(turn, 25));
  }
  throw new Error('lighttpd did not begin to listen');
}

test.skipIf(!there)('the hello example answers as a CGI script', async () => {
  const response = await fetch(`${site}/script.js/some/path?q=1`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(await response.text()).toContain('PATH_INFO: /some/path\nQUERY_STRING: q=1\n');
});

test.skipIf(!there)('the configuration of docs/writing-an-adapter.md runs as it is written', async () => {
  const page = readFileSync(join(root, 'docs/writing-an-adapter.md'), 'utf8');
  const [, settings = ''] = /^```\n(server\.[\s\S]*?)^```$/m.exec(page) ?? [];
  const [, line = ''] = /`(NODE=.* lighttpd -D -f lighttpd\.conf)`/.exec(page) ?? [];
  const port = await freePort();
  const config = join(folder, 'shown.conf');
  writeFileSync(config, settings.replace('server.port = 8000', `server.port = ${port}`));
  const command = line.replace(' lighttpd ', ` exec ${LIGHTTPD} `).replace('lighttpd.conf', config);
  // A variable before `exec` would not reach what it runs.
  const shown = spawn('sh', ['-c', command.replace(/^NODE=(\S+ \S+ \S+) exec/, 'export NODE=$1; exec')], {
    cwd: root,
    stdio: 'inherit',
  });
  try {
    await listening(port);
    const response = await fetch(`http://127.0.0.1:${port}/script.js/some/path?q=1`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('PATH_INFO: /some/path\nQUERY_STRING: q=1\n');
  } finally {
    shown.kill();
  }
});

test.skipIf(!there)('the environ is what the request says', async () => {
  const response = await fetch(`${site}/echo.js/caf%C3%A9/a%20b?x=a+b&y=%C3%A9?z`, {
    headers: { Cookie: 'c=1', 'X-A': '1' },
  });
  expect(response.status).toBe(202);
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  const { host, port } = new URL(site);
  expect(await response.json()).toMatchObject({
    REQUEST_METHOD: 'GET',
    SCRIPT_NAME: '/echo.js',
    PATH_INFO: '/caf\xc3\xa9/a b',
    QUERY_STRING: 'x=a+b&y=%C3%A9?z',
    REQUEST_URI: '/echo.js/caf%C3%A9/a%20b?x=a+b&y=%C3%A9?z',
    SERVER_PORT: port,
    SERVER_PROTOCOL: 'HTTP/1.1',
    REMOTE_ADDR: '127.0.0.1',
    HTTP_HOST: host,
    HTTP_COOKIE: 'c=1',
    HTTP_X_A: '1',
    once: true,
    body: '',
  });
});

test.skipIf(!there)('a body is read to its end, with or without a length', async () => {
  const text = 'é'.repeat(200_000);
  const known = (await (await fetch(`${site}/echo.js/`, { method: 'POST', body: text })).json()) as { body: string };
  expect(known.body === text).toBe(true);
  const stream = new Blob(['chunked']).stream();
  const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
  const unknown = (await (await fetch(`${site}/echo.js/`, init)).json()) as { body: string; CONTENT_LENGTH: string };
  expect([unknown.body, unknown.CONTENT_LENGTH]).toEqual(['chunked', '7']);
});

test.skipIf(!there)('HEAD has the head alone', async () => {
  const response = await fetch(`${site}/echo.js/`, { method: 'HEAD' });
  expect(response.status).toBe(202);
  expect(Number(response.headers.get('content-length'))).toBeGreaterThan(100);
  expect(await response.text()).toBe('');
});

test.skipIf(!there)('the validator found nothing, and would have said so', async () => {
  const log = (): string => readFileSync(join(folder, 'scripts.log'), 'utf8');
  expect(log()).toBe('');
  await (await fetch(`${site}/echo.js/?odd`)).text();
  expect(log()).toContain('[L-36]');
});
