// Every command from the packed tarballs, in a folder that has nothing else.

import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ECHO } from '../cli/harness.ts';
import { Project } from './cli/project.ts';

const project = new Project();
beforeAll(() => {
  project.install();
  project.write({
    'echo.ts': ECHO,
    'app.ts': VERSION('one'),
    'hono.ts':
      "import { Hono } from 'hono';\nexport default new Hono().get('/h/:name', (c) => c.text(c.req.param('name')));\n",
    'express.cjs': `const express = require('express');
      module.exports = express().get('/e/:name', (request, response) => response.send(request.params.name));`,
    'syntax.ts': 'export default (;\n',
    'hangs.ts': 'await new Promise(() => {});\nexport default () => [];\n',
    'silent.ts': 'export default () => new Promise(() => {});\n',
  });
}, 300_000);
afterAll(() => project.remove());

/** An app that tells its version and process, is slow on demand, and fails on demand. */
function VERSION(version: string): string {
  return `import { type Application, encode } from 'waygate';

const app: Application = async (environ, startResponse) => {
  if (environ.PATH_INFO === '/slow') await new Promise((done) => setTimeout(done, 3000));
  if (environ.PATH_INFO === '/fail') throw new Error('planted');
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [encode(\`version ${version} of \${process.pid}\\n\`)];
};

export default app;
`;
}

/** A connection for each request: one that is kept may be closed by its server at the moment it is used again. */
const agent = new http.Agent({ keepAlive: false });
const text = (url: string): Promise<string> => get(url);

describe('the package', () => {
  it('has the command and what it needs, and no sources', async () => {
    const folder = join(project.folder, 'node_modules', 'waygate-cli');
    expect(existsSync(join(folder, 'templates', 'gitignore'))).toBe(true);
    expect(existsSync(join(folder, 'src'))).toBe(false);
    expect((await project.sh('waygate --version')).stdout).toBe('0.1.0\n');
    expect((await project.sh('npx --no-install waygate --help')).stdout).toMatch(/^Usage: waygate /);
  });
});

describe('the library in a project of its own', () => {
  it('runs the first program of README.md, in TypeScript as it stands', async () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const program = /^```ts hello\.ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] as string;
    project.write({
      'own/package.json': '{ "private": true, "type": "module" }',
      'own/hello.ts': program.replace('port: 8000', 'port: 0'),
    });
    const line = 'cd own && npm install --no-audit --no-fund ../packed/waygate-0.1.0.tgz node@24';
    expect((await project.sh(line)).code).toBe(0);
    const started = project.start('own/node_modules/.bin/node', ['own/hello.ts']);
    const [, url] = await started.prints(/^Listening on (http:\S+)$/m);
    expect(await text(`${url}/some/path`)).toBe('You asked for /some/path\n');
    expect(await started.stop()).toBe(0);
    expect(started.stderr()).toBe('');
  }, 120_000);

  it('is loaded by require too', async () => {
    const program =
      "const { encode } = require('waygate'); console.log(typeof require('waygate/node').serve, encode('a'))";
    project.write({ 'own.cjs': program });
    expect(await project.sh('node own.cjs')).toEqual({
      code: 0,
      stdout: 'function Uint8Array(1) [ 97 ]\n',
      stderr: '',
    });
  });

  it('brings the contract that its errors name, and no link of its pages leads to a page that is not there', () => {
    const home = join(project.folder, 'node_modules', 'waygate');
    const names = readdirSync(join(home, 'docs'), { recursive: true, encoding: 'utf8' });
    const pages = ['README.md', ...names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
    expect(pages).toContain('docs/contract.md');
    for (const page of pages) {
      for (const [, link] of readFileSync(join(home, page), 'utf8').matchAll(/\]\(([^)#\s]+\.md)[)#]/g)) {
        // They stand in the repository alone.
        if (link?.includes('examples/') || link === 'CONTRIBUTING.md') continue;
        expect(existsSync(join(home, dirname(page), link as string)), `${page} links to ${link}`).toBe(true);
      }
    }
  });
});

describe('waygate init', () => {
  it('writes an app whose tests, types and checks pass', async () => {
    expect(await project.sh('waygate init hello')).toMatchObject({ code: 0, stderr: '' });
    project.npm('typescript@5', 'vitest@~4.1', '@types/node@20');
    expect(await project.sh('cd hello && tsc')).toMatchObject({ code: 0, stdout: '' });
    const tested = await project.sh('cd hello && NO_COLOR=1 vitest run');
    expect(tested.code, tested.stdout + tested.stderr).toBe(0);
    expect(tested.stdout).toMatch(/Tests +4 passed/);
    expect(await project.sh('cd hello && waygate check app.ts / /echo')).toMatchObject({ code: 0, stderr: '' });
    const served = await project.serve('hello/app.ts', '--validate');
    expect(await text(`${served.url}/`)).toBe('Hello from Waygate!\n');
    await served.stop();
  }, 180_000);
});

describe('waygate serve', () => {
  it('serves, keeps an access log, and ends with 0 when it is told to', async () => {
    const served = await project.serve('app.ts');
    expect(await text(`${served.url}/a?b=%20c`)).toMatch(/^version one of \d+\n$/);
    await served.prints(/^\d\d:\d\d:\d\d GET \/a\?b=%20c 200 \d+ B [\d.]+ ms$/m);
    expect((await fetch(`${served.url}/fail`)).status).toBe(500);
    await served.prints(/Error: planted\n +at app \(.*app\.ts:5:\d+\)/);
    expect(await served.stop()).toBe(0);
    expect(served.stderr()).not.toContain('\u001b');
  });

  it('gives the app and its packages the light classes with --light-fetch alone', async () => {
    const shown = '[Response, Request, Headers, fetch].map((each) => each === light[each.name])';
    project.write({
      'node_modules/pages/package.json': '{ "name": "pages", "type": "module", "exports": "./pages.js" }',
      'node_modules/pages/pages.js': `export const shown = (light) => ${shown};\n`,
      'node_modules/old-pages/package.json': '{ "name": "old-pages", "main": "./pages.js" }',
      'node_modules/old-pages/pages.js': `exports.shown = (light) => ${shown};\n`,
      'light.ts': `import * as light from 'waygate/light-fetch/classes';
import { shown } from 'pages';
import old from 'old-pages';

const version = 'one' as string;
export default {
  fetch: (request: Request) => {
    if (request.url.endsWith('/fail')) throw new Error('planted');
    return Response.json([version, new Set([${shown}, shown(light), old.shown(light)].flat()).size === 1, Response === light.Response]);
  },
};
`,
    });
    const next = readFileSync(join(project.folder, 'light.ts'), 'utf8').replace("'one'", "'two'");
    for (const [flags, isLight] of [
      [[], false],
      [['--light-fetch'], true],
      [['--light-fetch', '--processes', '2'], true],
    ] as const) {
      const served = await project.serve('light.ts', ...flags);
      expect(JSON.parse(await text(`${served.url}/`))).toEqual(['one', true, isLight]);
      expect((await fetch(`${served.url}/fail`)).status).toBe(500);
      await served.prints(/Error: planted\n +at .*fetch \(.*light\.ts:8:\d+\)/);
      expect(await served.stop()).toBe(0);
    }
    const watched = await project.serve('light.ts', '--light-fetch', '--watch');
    project.write({ 'light.ts': next });
    await watched.prints(/Serving the new light\.ts/);
    expect(JSON.parse(await text(`${watched.url}/`))).toEqual(['two', true, true]);
    expect(await watched.stop()).toBe(0);
  });

  it('serves the next version after one that never gets ready', async () => {
    project.write({ 'stuck.ts': VERSION('one') });
    const served = await project.serve('stuck.ts', '--watch', '--quiet');
    project.write({ 'stuck.ts': `await new Promise(() => {});\n${VERSION('two')}` });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await text(`${served.url}/`)).toMatch(/^version one /);
    project.write({ 'stuck.ts': VERSION('three') });
    await served.prints(/^Serving the new stuck\.ts$/m);
    expect(await text(`${served.url}/`)).toMatch(/^version three /);
    expect(await served.stop()).toBe(0);
    expect(served.stderr()).toBe('');
  });

  it('ends at the first SIGINT while an app that never gets ready is being loaded', async () => {
    const line = ['serve', 'hangs.ts', '--watch', '--port', '0'];
    const served = project.start('waygate', line);
    await served.prints(/^Starting hangs\.ts …$/m);
    expect(await served.stop('SIGINT')).toBe(0);
    expect(served.stdout()).toBe('');
  });

  it('finishes a running request after SIGINT', async () => {
    const served = await project.serve('app.ts');
    const slow = text(`${served.url}/slow`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const ended = served.stop('SIGINT');
    expect(await slow).toMatch(/^version one/);
    expect(await ended).toBe(0);
  });

  it('replaces the app when its file changes, and finishes what runs', async () => {
    project.write({ 'watched.ts': VERSION('one') });
    const served = await project.serve('watched.ts', '--watch');
    const before = await text(`${served.url}/`);
    const slow = text(`${served.url}/slow`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    project.write({ 'watched.ts': VERSION('two') });
    await served.prints(/Serving the new watched\.ts/);
    expect(await text(`${served.url}/`)).toMatch(/^version two/);
    expect(await slow).toBe(before);

    project.write({ 'watched.ts': `${VERSION('three')}\n;;(` });
    await served.prints(/^waygate: watched\.ts:\d+:\d+: .*\nThe version before goes on serving\.$/m);
    expect(await text(`${served.url}/`)).toMatch(/^version two/);
    project.write({ 'watched.ts': VERSION('four') });
    await served.prints(/Serving the new watched\.ts[\s\S]*Serving the new watched\.ts/);
    expect(await text(`${served.url}/`)).toMatch(/^version four/);
    expect(await served.stop()).toBe(0);
  });

  it('loses no request while it is replaced again and again', async () => {
    project.write({ 'busy.ts': VERSION('0') });
    const served = await project.serve('busy.ts', '--watch', '--quiet');
    const seen = new Set<string>();
    const failures: unknown[] = [];
    let over = false;
    const client = async (): Promise<void> => {
      while (!over)
        await get(`${served.url}/`).then(
          (body) => seen.add(body.slice(0, 9)),
          (error) => failures.push(error),
        );
    };
    const clients = Array.from({ length: 4 }, client);
    for (let version = 1; version <= 3; version++) {
      project.write({ 'busy.ts': VERSION(String(version)) });
      await served.prints(new RegExp(`(?:Serving the new busy\\.ts[\\s\\S]*){${version}}`));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    over = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect([...seen].sort()).toEqual(['version 0', 'version 1', 'version 2', 'version 3']);
    await served.stop();
  });

  it('serves from several processes, and replaces one that crashes', async () => {
    project.write({ 'crash.ts': VERSION('one').replace("throw new Error('planted')", 'process.exit(7)') });
    const served = await project.serve('crash.ts', '--processes', '3');
    const pids = async (): Promise<Set<string>> =>
      new Set(await Promise.all(Array.from({ length: 12 }, () => get(`${served.url}/`))));
    expect((await pids()).size).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await expect(get(`${served.url}/fail`)).rejects.toThrow();
    await served.prints(/waygate: A process ended with exit code 7; starting another\./);
    await expect.poll(async () => (await pids()).size, { timeout: 10_000, interval: 200 }).toBe(3);
    expect(await served.stop()).toBe(0);
  });

  it('starts a process again that crashes as soon as it is ready, later each time, until one goes on', async () => {
    // It lives for ever from its fourth start on.
    const text = `import { existsSync, writeFileSync } from 'node:fs';
      const mark = ['1', '2', '3'].map((each) => import.meta.dirname + '/crashed-' + each).find((each) => !existsSync(each));
      if (mark !== undefined) setTimeout(() => { writeFileSync(mark, ''); process.exit(9); }, 300);
      ${VERSION('one')}`;
    for (const option of [['--watch'], ['--processes', '2']]) {
      const folder = `crashes${option.length}`;
      project.write({ [`${folder}/app.ts`]: text });
      const served = await project.serve(`${folder}/app.ts`, ...option);
      await served.prints(/A process ended with exit code 9, \S+ ms after it was ready; starting another in 100 ms\./);
      await served.prints(/starting another in 400 ms\./);
      await expect
        .poll(() => get(`${served.url}/`).catch(() => ''), { timeout: 20_000, interval: 200 })
        .toMatch(/^version one/);
      expect(await served.stop()).toBe(0);
    }
  });

  it('ends at a signal while it waits to start a process again', async () => {
    project.write({ 'dies.ts': `setTimeout(() => process.exit(9), 100);\n${VERSION('one')}` });
    const served = await project.serve('dies.ts', '--watch');
    await served.prints(/starting another in 1\.60 s\./);
    const start = performance.now();
    expect(await served.stop()).toBe(0);
    expect(performance.now() - start).toBeLessThan(1500);
  });

  it('listens on this machine only, and says so; on all addresses where it is told to', async () => {
    const started = project.start('waygate', ['serve', 'app.ts', '--port', '0']);
    const [, port] = await started.prints(/^Serving app\.ts on http:\/\/127\.0\.0\.1:(\d+)\/$/m);
    expect(await text(`http://127.0.0.1:${port}/`)).toMatch(/^version one/);
    // The whole of 127.0.0.0/8 is this machine; the server has one address of it.
    await expect(text(`http://127.0.0.2:${port}/`)).rejects.toThrow('ECONNREFUSED');
    expect(await started.stop()).toBe(0);
    const open = project.start('waygate', ['serve', 'app.ts', '--port', '0', '--host', '0.0.0.0']);
    const printed = /^Serving app\.ts on http:\/\/localhost:(\d+)\/, and on all addresses of this machine$/m;
    const [, everywhere] = await open.prints(printed);
    expect(await text(`http://127.0.0.2:${everywhere}/`)).toMatch(/^version one/);
    expect(await open.stop()).toBe(0);
  });

  it('takes its port from PORT, also of an --env-file', async () => {
    const free = http.createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    project.write({ 'port.env': `PORT=${port}\n` });
    for (const [more, env] of [
      [[], { PORT: String(port) }],
      [['--env-file', 'port.env'], {}],
    ] as const) {
      const started = project.start('waygate', ['serve', 'app.ts', ...more], env);
      await started.prints(new RegExp(`^Serving app\\.ts on http://127\\.0\\.0\\.1:${port}/$`, 'm'));
      expect(await started.stop()).toBe(0);
    }
  });

  it.each([
    ['lambda:http-api', [404, 'Not Found']],
    ['lambda:rest-api', [403, 'Forbidden']],
  ])('serves the stage of %s under its name, as API Gateway does', async (platform, [status, message]) => {
    const args = ['serve', 'echo.ts', '--platform', platform, '--stage', 'live', '--port', '0'];
    const started = project.start('waygate', args);
    const [, url, through] = await started.prints(/^Serving echo\.ts on (http:\S+)\/live\/ through (\S+)$/m);
    expect(through).toBe(platform);
    for (const [path, seen] of [
      ['/live/a%20b?c', '/a b'],
      ['/live', '/'],
      ['/live/', '/'],
    ]) {
      expect(JSON.parse(await text(`${url}${path}`))).toMatchObject({ SCRIPT_NAME: '/live', PATH_INFO: seen });
    }
    for (const path of ['/', '/lively', '/a']) {
      const answer = await fetch(`${url}${path}`);
      expect([answer.status, await answer.json()]).toEqual([status, { message }]);
    }
    expect(await started.stop()).toBe(0);
  });

  it('serves a Lambda handler as its event source would call it, and streams', async () => {
    project.write({
      'handler.ts': `export const handler = async (event: { rawPath: string }) => ({ statusCode: 201, body: event.rawPath });`,
      'streams.ts': `export const handler = awslambda.streamifyResponse(async (_event: unknown, stream: any) => {
        stream.write('first ');
        await new Promise((done) => setTimeout(done, 700));
        stream.end('last');
      });`,
    });
    const plain = await project.serve(
      'handler.ts',
      '--kind',
      'lambda',
      '--source',
      'lambda:http-api',
      '--stage',
      'live',
    );
    const answer = await fetch(`${plain.url}/a%20b`);
    expect([answer.status, await answer.text()]).toEqual([201, '/live/a b']);
    await plain.stop();
    const streams = await project.serve('streams.ts', '--kind', 'lambda', '--watch');
    const begun = performance.now();
    const response = await fetch(streams.url);
    const first = await response.body?.getReader().read();
    expect(Buffer.from(first?.value as Uint8Array).toString()).toBe('first ');
    expect(performance.now() - begun).toBeLessThan(600);
    await streams.stop();
  });

  it.each([[[]], [['--processes', '2']]])(
    'serves HTTPS and HTTP/2, with a certificate of its own or one that is given %j',
    async (more) => {
      const { generate } = await import('selfsigned');
      const own = await generate([{ name: 'commonName', value: 'own.test' }], { keyType: 'ec' });
      project.write({ 'tls/cert.pem': own.cert, 'tls/key.pem': own.private });
      for (const options of [['--tls'], ['--cert', 'tls/cert.pem', '--key', 'tls/key.pem']]) {
        const started = project.start('waygate', ['serve', 'app.ts', '--port', '0', '--http2', ...options, ...more]);
        const [, url = ''] = await started.prints(/^Serving app\.ts on (https:\/\/127\.0\.0\.1:\d+)\//m);
        const session = http2.connect(url, { rejectUnauthorized: false });
        const stream = session.request({ ':path': '/two' });
        let body = '';
        for await (const chunk of stream) body += chunk;
        expect(body).toMatch(/^version one/);
        const certificate = (session.socket as TLSSocket).getPeerX509Certificate();
        if (options.length === 1) expect(certificate?.checkIP('127.0.0.1')).toBe('127.0.0.1');
        else expect(certificate?.subject).toBe('CN=own.test');
        session.close();
        await started.prints(new RegExp(` GET /two 200 ${body.length} B [\\d.]+ m?s$`, 'm'));
        const request = https.get(url, { rejectUnauthorized: false, agent: false });
        const [response] = (await once(request, 'response')) as [http.IncomingMessage];
        expect([response.httpVersion, response.statusCode]).toEqual(['1.1', 200]);
        response.resume();
        expect(await started.stop()).toBe(0);
      }
    },
  );

  it('shows its URL in a browser with --open', async () => {
    project.write({ 'browser.sh': '#!/bin/sh\necho "$@" > opened\n' });
    await project.sh('chmod +x browser.sh');
    const args = ['serve', 'app.ts', '--port', '0', '--open'];
    const started = project.start('waygate', args, { BROWSER: './browser.sh' });
    const [, url] = await started.prints(/^Serving app\.ts on (http:\S+)$/m);
    await expect.poll(() => existsSync(join(project.folder, 'opened'))).toBe(true);
    await expect.poll(() => readFileSync(join(project.folder, 'opened'), 'utf8')).toBe(`${url}\n`);
    await started.stop();
    const none = project.start('waygate', args, { BROWSER: './no-browser' });
    await none.prints(/waygate: No browser was opened: \.\/no-browser cannot be run\. Go to http:\S+ yourself\./);
    expect(await none.stop()).toBe(0);
  });

  it('leaves no process behind when it is killed', async () => {
    const served = await project.serve('app.ts', '--processes', '2');
    const pid = Number(/of (\d+)/.exec(await text(served.url))?.[1]);
    expect(await served.stop('SIGKILL')).toBe(null);
    await expect.poll(() => isRunning(pid), { timeout: 5000 }).toBe(false);
  });

  it('says that the port is in use', async () => {
    const served = await project.serve('app.ts');
    const { port } = new URL(served.url);
    for (const more of ['', '--watch', '--processes 2']) {
      const { code, stdout, stderr } = await project.sh(`waygate serve app.ts --host 127.0.0.1 --port ${port} ${more}`);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^waygate: Port \d+ of 127\.0\.0\.1 is in use; stop what uses it, or choose another with --port\.\n$/,
      );
    }
    await served.stop();
  });

  it('serves Hono and Express apps, through Lambda too', async () => {
    project.npm('hono@4', 'express@5');
    for (const platform of ['node', 'fetch', 'lambda:alb']) {
      const hono = await project.serve('hono.ts', '--platform', platform);
      expect(await text(`${hono.url}/h/a%20b`)).toBe('a b');
      const express = await project.serve('express.cjs', '--platform', platform, '--validate');
      expect(await text(`${express.url}/e/a%20b`)).toBe('a b');
      expect([hono.stderr(), express.stderr()]).toEqual(['', '']);
      await Promise.all([hono.stop(), express.stop()]);
    }
  }, 120_000);
});

describe('waygate fetch, event, invoke and check', () => {
  it('go through pipes', async () => {
    const { code, stdout, stderr } = await project.sh(
      "printf 'a body' | waygate event lambda:http-api POST '/p?x=1' -d @- | waygate invoke echo.ts --event -",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(JSON.parse(stdout).body)).toMatchObject({ PATH_INFO: '/p', body: 'a body' });
  });

  it('fetch prints the body, and ends where an app left something open', async () => {
    project.write({ 'open.ts': `setInterval(() => {}, 1000);\n${ECHO}` });
    const { code, stdout } = await project.sh("waygate fetch open.ts '/a b' -d x");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ PATH_INFO: '/a b', body: 'x' });
  });

  it('a pipe that closes early is not a failure', async () => {
    const { stdout, stderr } = await project.sh('waygate fetch large.ts / | head -c 5');
    expect({ stdout, stderr }).toEqual({
      stdout: '',
      stderr: 'waygate: large.ts does not exist; expected a TypeScript or JavaScript module. Looked in '.concat(
        project.folder,
        '.\n',
      ),
    });
    const body = "start('200 OK', []); for (let n = 0; n < 200; n++) yield new Uint8Array(65536).fill(97);";
    project.write({
      'large.ts': `export default function* (_: unknown, start: (s: string, h: []) => void) { ${body} }`,
    });
    expect(await project.sh('waygate fetch large.ts / | head -c 5')).toEqual({ code: 0, stdout: 'aaaaa', stderr: '' });
  });

  it('check reports, and its exit code says so', async () => {
    expect(await project.sh('waygate check app.ts /')).toMatchObject({ code: 0, stderr: '' });
    const found = await project.sh('waygate check app.ts /fail');
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(/^FAIL GET \/fail \(a page\) 500 .*\n {5}planted$/m);
  });

  it('a promise that never settles is an error, not a silent end', async () => {
    for (const command of ['fetch hangs.ts /', 'fetch silent.ts /', 'build hangs.ts --target node', 'serve hangs.ts']) {
      const { code, stderr } = await project.sh(`waygate ${command}`);
      expect({ code, stderr }, command).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^waygate: A promise of the app never settles: .*\n$/),
      });
    }
  });

  it('errors are one line, and a stack with --verbose', async () => {
    const plain = await project.sh('waygate fetch syntax.ts /');
    expect(plain).toEqual({ code: 1, stdout: '', stderr: 'waygate: syntax.ts:1:17: Unexpected ";"\n' });
    expect((await project.sh('waygate fetch syntax.ts / --verbose')).stderr).toContain('export default (;');
  });
});

describe('waygate deploy', () => {
  it('prints the command and runs it with its arguments', async () => {
    const tool = '#!/bin/sh\nprintf "%s|" "$@" > sam-arguments\nexit 3\n';
    project.write({ 'tools/sam': tool });
    const line =
      'chmod +x tools/sam; PATH=$PWD/tools:$PATH waygate deploy echo.ts -t lambda --name a -- --no-confirm-changeset';
    const { code, stdout, stderr } = await project.sh(line);
    expect(stdout).toContain(
      '$ sam deploy --template-file dist/lambda/template.yaml --stack-name a --resolve-s3 --capabilities CAPABILITY_IAM --no-confirm-changeset\n',
    );
    expect(readFileSync(join(project.folder, 'sam-arguments'), 'utf8')).toBe(
      'deploy|--template-file|dist/lambda/template.yaml|--stack-name|a|--resolve-s3|--capabilities|CAPABILITY_IAM|--no-confirm-changeset|',
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'waygate: sam ended with 3.\n' });
  });

  it('says how to get a tool that is missing', async () => {
    for (const [target, message] of [
      ['lambda --function-name f', /^waygate: aws is not installed; install the AWS CLI: https:/],
      ['workers', /^waygate: wrangler is not installed; install it with `npm install --save-dev wrangler`\.\n$/],
    ] as const) {
      const bin = join(project.folder, 'node_modules', '.bin');
      const { code, stderr } = await project.sh(
        `PATH=${bin}:/none ${process.execPath} ${bin}/waygate deploy echo.ts -t ${target}`,
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
    }
    const served = await project.sh('waygate serve echo.ts --platform workers --port 0');
    expect(served.code).toBe(1);
    expect(served.stderr).toMatch(
      /wrangler, which runs Workers, is not installed; `npm install --save-dev wrangler`\.\n$/,
    );
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** One request on a connection of its own. */
async function get(url: string): Promise<string> {
  const request = http.get(url, { agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response) body += chunk;
  return body;
}

describe('a program that listens', () => {
  it('is served without a port of its own, ends with the server, and runs as a build', async () => {
    project.write({
      'listens.js': `import { createServer } from 'node:http';
        const server = createServer((request, response) => response.end('listened: ' + request.url));
        server.listen(39172, () => console.log('listening on', server.address().port));
        process.once('SIGUSR2', () => server.close(() => console.log('closed')));`,
    });
    const served = await project.serve('listens.js');
    expect(await text(`${served.url}/a`)).toBe('listened: /a');
    expect(served.stdout()).toContain('listening on 39172\n');
    await expect(text('http://127.0.0.1:39172/')).rejects.toThrow(/ECONNREFUSED/);
    served.child.kill('SIGUSR2');
    await served.prints(/^closed$/m);
    if (served.child.exitCode === null) await once(served.child, 'exit');
    expect(served.child.exitCode).toBe(0);
    expect((await project.sh('waygate build listens.js --target node')).code).toBe(0);
    const built = project.start('node', ['dist/node/index.mjs'], { PORT: '39173', HOST: '127.0.0.1' });
    await built.prints(/^Listening on /m);
    expect(await text('http://127.0.0.1:39173/b')).toBe('listened: /b');
    expect(await built.stop()).toBe(0);
  });
});

describe('record', () => {
  it('writes requests without their secrets, which diff and test-events take', async () => {
    const recording = project.start('waygate', ['record', 'echo.ts', '--port', '0']);
    const [, url = ''] = await recording.prints(/^Recording echo\.ts on (http:\S+)\/ into fixtures$/m);
    expect((await fetch(`${url}/users?a=1`, { method: 'POST', body: 'é', headers: { cookie: 'sid=1' } })).status).toBe(
      200,
    );
    expect(await recording.stop('SIGINT')).toBe(0);
    const fixture = JSON.parse(readFileSync(join(project.folder, 'fixtures/0001-post-users.json'), 'utf8'));
    expect(fixture).toMatchObject({
      request: { method: 'POST', target: '/users?a=1', body: 'é' },
      response: { status: 200 },
    });
    expect(fixture.request.headers).toContainEqual(['cookie', 'sid=***']);
    expect((await project.sh('waygate test-events')).stdout).toBe(
      'fixtures/0001-post-users.json  POST /users?a=1 200\n',
    );
    expect((await project.sh('waygate diff echo.ts fixtures')).stdout).toMatch(/ POST \/users\?a=1 200 /);
  });
});
