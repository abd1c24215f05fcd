// What `waygate build` makes, on the real thing: the Lambda runtime client, `wrangler dev`, Node, Deno and Bun.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ECHO } from '../cli/harness.ts';
import { Project } from './cli/project.ts';
import { RuntimeApi } from './lambda/runtime-api.ts';
import { runtime } from './runtimes/process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const runtimeClient = `${root}.runtimes/lambda/node_modules/aws-lambda-ric/bin/index.mjs`;
// In CI it was installed a moment ago: there, its absence is a failure.
const missing = !existsSync(runtimeClient) && process.env.CI === undefined;
if (missing) console.log('Skipped: no Lambda runtime client; tools/install-lambda-runtime.sh installs it.');

const project = new Project();
beforeAll(() => {
  project.install();
  project.npm('hono@4', 'express@5', 'express4@npm:express@4', 'koa@3', 'wrangler@4.86.0');
  project.write({
    'app.ts': ECHO,
    'hono.ts': `import { Hono } from 'hono';
      export default new Hono().post('/p/:name', async (c) => c.json({ name: c.req.param('name'), body: await c.req.text() }));`,
    'express.ts': `import express from 'express';
      const app = express();
      app.post('/p/:name', express.text({ type: '*/*' }), (request, response) => {
        response.json({ name: request.params.name, body: request.body });
      });
      export const port = 3000;
      export { app };`,
    'express4.ts': `import express from 'express4';
      export default express().post('/p/:name', express.text({ type: '*/*' }), (request, response) => {
        response.json({ name: request.params.name, body: request.body });
      });`,
    'koa.ts': `import Koa from 'koa';
      const app = new Koa();
      app.use(async (ctx) => {
        let body = '';
        for await (const chunk of ctx.req) body += chunk;
        ctx.body = { name: decodeURIComponent(ctx.path.slice(3)), body };
      });
      export default app;`,
    'lib.cjs': "const { Buffer } = require('buffer'); exports.text = (bytes) => Buffer.from(bytes).toString('utf8');",
    'common.ts': `import { text } from './lib.cjs';
      export const app = async (request: Request) =>
        Response.json({ name: 'a b', body: text(await request.arrayBuffer()) });`,
  });
}, 300_000);
afterAll(() => project.remove());

/** Builds an app; the folder is named after it. */
async function build(app: string, target: string, ...args: string[]): Promise<string> {
  const out = join('dist', `${target}-${app.replace(/\..*/, '')}`);
  const built = await project.sh(`waygate build ${app} --target ${target} --out ${out} ${args.join(' ')}`);
  // What takes longer than a second says so.
  expect(built).toMatchObject({ code: 0, stderr: expect.stringMatching(/^(?:Building .* …\n)?$/) });
  return join(project.folder, out);
}

const post = async (url: string): Promise<unknown> =>
  (await fetch(`${url}/p/a%20b`, { method: 'POST', body: 'é' })).json();

describe('servers', () => {
  const commands: [target: string, command: () => string, args: (main: string) => string[]][] = [
    ['node', () => process.execPath, (main) => [main]],
    ['deno', () => runtime('deno'), (main) => ['run', '--allow-all', '--no-lock', main]],
    ['bun', () => runtime('bun'), (main) => [main]],
  ];
  const apps = ['app.ts', 'hono.ts', 'express.ts'];

  it.each(commands.flatMap(([target, command, args]) => apps.map((app) => ({ target, command, args, app }))))(
    'a bundle of $app serves on $target by itself',
    async ({ target, command, args, app }) => {
      const main = join(await build(app, target), 'index.mjs');
      // Nothing is installed where it runs.
      const folder = mkdtempSync(join(tmpdir(), 'waygate-alone-'));
      const alone = join(folder, 'index.mjs');
      writeFileSync(alone, readFileSync(main));
      const started = project.start(command(), args(alone), {
        PORT: '0',
        HOST: '127.0.0.1',
        DENO_NO_UPDATE_CHECK: '1',
      });
      const [, port] = await started.prints(/[Ll]istening on http:\/\/[\w.[\]:]+?:(\d+)/);
      const answer = await post(`http://127.0.0.1:${port}`);
      if (app === 'app.ts') {
        const gateway = target === 'node' ? 'node' : 'fetch';
        expect(answer).toMatchObject({ REQUEST_METHOD: 'POST', PATH_INFO: '/p/a b', body: 'é', gateway });
      } else expect(answer).toEqual({ name: 'a b', body: 'é' });
      await started.stop();
      rmSync(folder, { recursive: true });
    },
  );
});

describe('a server that was built', () => {
  const commands: [target: string, start: (main: string) => [command: string, args: string[]]][] = [
    ['node', (main) => [process.execPath, [main]]],
    ['deno', (main) => [runtime('deno'), ['run', '--allow-net', '--allow-env', '--no-lock', main]]],
    ['bun', (main) => [runtime('bun'), [main]]],
  ];
  const app = `setInterval(() => {}, 1000);
    export default async (environ, start) => {
      const wait = (time) => new Promise((done) => setTimeout(done, time));
      if (environ.PATH_INFO === '/work') environ['waygate.wait_until'](wait(1500).then(() => console.log('work done')));
      if (environ.PATH_INFO === '/slow') await wait(1500);
      start('200 OK', [['Content-Type', 'text/plain']]);
      return [new TextEncoder().encode(environ.REMOTE_ADDR + ' ' + (Number(environ.REMOTE_PORT) > 0))];
    };`;
  const start = async (target: string, command: (typeof commands)[number][1], env: NodeJS.ProcessEnv = {}) => {
    project.write({ 'timer.js': app });
    const [file, args] = command(join(await build('timer.js', target), 'index.mjs'));
    return project.start(file, args, {
      PORT: '0',
      HOST: '127.0.0.1',
      DENO_NO_UPDATE_CHECK: '1',
      NO_COLOR: '1',
      ...env,
    });
  };
  const listening = /[Ll]istening on (http:\/\/127\.0\.0\.1:\d+)/;

  it.each(commands)(
    'on %s knows its clients, and finishes requests and work on SIGTERM, with a timer open',
    async (target, command) => {
      for (const [path, signal] of [
        ['/slow', 'SIGTERM'],
        ['/work', 'SIGINT'],
        ['/idle', 'SIGTERM'],
      ] as const) {
        const started = await start(target, command);
        const [, url] = await started.prints(listening);
        const agent = new http.Agent({ keepAlive: true });
        const answer = text(`${url}${path}`, agent);
        await (path === '/slow' ? new Promise((resolve) => setTimeout(resolve, 400)) : answer);
        const begun = performance.now();
        const ended = started.stop(signal);
        if (path !== '/idle')
          await started.prints(
            /Shutting down: waiting for 1 (?:request|connection with a request|piece of work after a response)\b.*, for at most 8 s\./,
          );
        expect(await answer).toBe('127.0.0.1 true');
        expect(await ended).toBe(0);
        expect(performance.now() - begun).toBeLessThan(path === '/idle' ? 1500 : 4000);
        if (path === '/work') expect(started.stdout()).toContain('work done');
        agent.destroy();
      }
    },
    90_000,
  );

  it.each(commands)('on %s says in one line what is wrong with PORT', async (target, command) => {
    const bad = await start(target, command, { PORT: '80a' });
    await new Promise((resolve) => bad.child.once('close', resolve));
    expect([bad.child.exitCode, bad.stderr()]).toEqual([1, 'PORT is "80a"; expected a port, 0 to 65535.\n']);
    const taken = http.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const used = await start(target, command, { PORT: String((taken.address() as AddressInfo).port) });
    await new Promise((resolve) => used.child.once('close', resolve));
    taken.close();
    expect([used.child.exitCode, used.stderr()]).toEqual([1, 'The port is in use; choose another with PORT.\n']);
  });

  it('on Node keeps idle connections as long as KEEP_ALIVE_TIMEOUT says', async () => {
    const started = await start('node', commands[0]?.[1] as (typeof commands)[number][1], { KEEP_ALIVE_TIMEOUT: '65' });
    const [, url] = await started.prints(listening);
    expect((await fetch(`${url}/`)).headers.get('keep-alive')).toBe('timeout=65');
    await started.stop();
  });
});

/** The body of a response, on a connection of an agent. */
async function text(url: string, agent: http.Agent): Promise<string> {
  const [response] = (await once(http.get(url, { agent }), 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response) body += chunk;
  return body;
}

describe('workers', () => {
  it.each(['app.ts', 'hono.ts', 'common.ts', 'express.ts', 'express4.ts', 'koa.ts'])(
    'the bundle of %s runs under wrangler dev',
    async (app) => {
      const out = await build(app, 'workers');
      const args = [
        'dev',
        '--config',
        join(out, 'wrangler.toml'),
        '--ip',
        '127.0.0.1',
        '--port',
        '0',
        '--inspector-port',
        '0',
      ];
      const started = project.start('wrangler', [...args, '--show-interactive-dev-session=false']);
      const [, url = ''] = await started.prints(/Ready on (http:\/\/127\.0\.0\.1:\d+)/);
      const answer = await post(url);
      if (app === 'app.ts')
        expect(answer).toMatchObject({ gateway: 'cloudflare-workers', PATH_INFO: '/p/a b', body: 'é' });
      else expect(answer).toEqual({ name: 'a b', body: 'é' });
      await started.stop();
    },
  );

  it('are what deploy hands to wrangler, which takes them', async () => {
    const deployed = await project.sh('waygate deploy app.ts --target workers --name my-app -- --dry-run');
    expect(deployed.code, deployed.stderr).toBe(0);
    expect(deployed.stdout).toContain(
      '$ wrangler deploy dist/workers/index.mjs --config dist/workers/wrangler.toml --dry-run\n',
    );
    expect(deployed.stdout).toMatch(/Total Upload: [\d.]+ KiB/);
  });

  it('may be made of a Node listener that waygate serve --platform workers serves, if the configuration lets it', async () => {
    const served = await project.serve('express.ts', '--platform', 'workers');
    expect(await post(served.url)).toEqual({ name: 'a b', body: 'é' });
    expect(await served.stop()).toBe(0);
    project.write({
      'old/wrangler.toml': 'compatibility_date = "2025-08-31"\ncompatibility_flags = ["nodejs_compat"]\n',
    });
    const refused = await project.sh('cd old && waygate serve ../express.ts --platform workers --port 0');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^waygate: wrangler\.toml has the compatibility date 2025-08-31; a Node listener /);
  }, 90_000);

  it('are served by waygate serve --platform workers, and replaced while a request runs', async () => {
    const app = (version: string): string => `
      export default async (environ, start) => {
        if (environ.PATH_INFO === '/slow') await new Promise((done) => setTimeout(done, 6000));
        if (environ.PATH_INFO === '/fail') throw new Error('planted');
        start('200 OK', [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']]);
        return [new TextEncoder().encode('${version} on ' + environ['waygate.gateway'] + ' at ' + environ.REQUEST_URI)];
      };`;
    project.write({ 'worker.js': app('one') });
    const served = await project.serve('worker.js', '--platform', 'workers', '--watch');
    const response = await fetch(`${served.url}/a%2Fb?c`);
    expect(await response.text()).toBe('one on cloudflare-workers at /a%2Fb?c');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    await served.prints(/^\d\d:\d\d:\d\d GET \/a%2Fb\?c 200 \d+ B [\d.]+ ms$/m);
    expect((await fetch(`${served.url}/fail`)).status).toBe(500);
    await served.prints(/Error: planted\n +at \S+ \(.*worker\.js:4:50\)/);
    const slow = fetch(`${served.url}/slow`).then((each) => each.text());
    await new Promise((resolve) => setTimeout(resolve, 200));
    project.write({ 'worker.js': app('two') });
    await served.prints(/Serving the new worker\.js/);
    expect(await (await fetch(served.url)).text()).toMatch(/^two on/);
    expect(await slow).toMatch(/^one on/);
    expect(await served.stop()).toBe(0);
  }, 90_000);
});

describe('waygate serve --platform workers', () => {
  it('serves a WorkerEntrypoint class, with the variables of an --env-file, and logs what Express logs late', async () => {
    project.write({
      'entrypoint.ts': `import { WorkerEntrypoint } from 'cloudflare:workers';
        export default class extends WorkerEntrypoint<{ GREETING: string }> {
          fetch(request: Request) { return new Response(this.env.GREETING + ' ' + new URL(request.url).pathname); }
        }`,
      'vars.env': 'GREETING="good day"\n',
      'fails.ts': `import express from 'express';
        export default express().get('/', () => { throw new Error('planted'); });`,
    });
    const worker = await project.serve('entrypoint.ts', '--platform', 'workers', '--env-file', 'vars.env');
    expect(await (await fetch(`${worker.url}/a`)).text()).toBe('good day /a');
    expect(await worker.stop()).toBe(0);
    const node = await project.serve('entrypoint.ts');
    expect(await (await fetch(`${node.url}/a`)).text()).toBe('undefined /a');
    expect(await node.stop()).toBe(0);
    const failing = await project.serve('fails.ts', '--platform', 'workers');
    expect((await fetch(failing.url)).status).toBe(500);
    await failing.prints(/Error: planted/);
    await failing.stop();
  }, 120_000);

  it('ends with wrangler\u2019s error where the Worker cannot run', async () => {
    project.write({
      'object/app.ts': 'export default { fetch: () => new Response() };',
      'object/wrangler.toml': `name = "x"
compatibility_date = "2026-04-01"
[[durable_objects.bindings]]
name = "OBJECT"
class_name = "Missing"
[[migrations]]
tag = "v1"
new_classes = ["Missing"]
`,
      'throws.ts':
        'if (globalThis.navigator) throw new Error("planted at the top");\nexport default { fetch: () => new Response() };',
    });
    const missing = await project.sh('cd object && waygate serve app.ts --platform workers --port 0');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toMatch(
      /^waygate: wrangler cannot run the Worker: Your Worker depends on the following Durable Objects, which are not exported .*: Missing\. .*\n$/,
    );
    const throws = await project.sh('waygate serve throws.ts --kind fetch --platform workers --port 0');
    expect(throws).toMatchObject({ code: 1, stdout: '' });
    expect(throws.stderr).toMatch(/^waygate: wrangler .*planted at the top.*\n$/);
  }, 120_000);

  it('leaves neither wrangler nor workerd behind when it is killed', async () => {
    const served = await project.serve('worker.js', '--platform', 'workers');
    const started = descendants(served.child.pid as number);
    expect(started.length).toBeGreaterThanOrEqual(3);
    await served.stop('SIGKILL');
    await expect.poll(() => started.filter(isRunning), { timeout: 10_000, interval: 200 }).toEqual([]);
  }, 60_000);
});

/** The processes that a process has started, and those that these have started. */
function descendants(pid: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = [...table.matchAll(/(\d+) +(\d+)/g)].map(([, child, parent]) => [Number(child), Number(parent)]);
  const below = (of: number): number[] =>
    pairs.filter(([, parent]) => parent === of).flatMap(([child = 0]) => [child, ...below(child)]);
  return below(pid);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(missing)('lambda, under the real runtime client', () => {
  let api: RuntimeApi;
  let address: string;
  const clients: ChildProcess[] = [];
  beforeAll(async () => {
    api = new RuntimeApi();
    address = await api.start();
  });
  afterAll(async () => {
    for (const child of clients) child.kill('SIGKILL');
    await api?.stop();
  });

  /** Unpacks a zip as Lambda does, and runs its handler. */
  function run(out: string): void {
    const task = join(out, 'task');
    mkdirSync(task, { recursive: true });
    for (const [name, content] of Object.entries(unzipSync(readFileSync(join(out, 'function.zip'))))) {
      writeFileSync(join(task, name), content);
    }
    const env = {
      PATH: process.env.PATH,
      AWS_LAMBDA_RUNTIME_API: address,
      AWS_LAMBDA_FUNCTION_NAME: 'waygate',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_REGION: 'eu-north-1',
      LAMBDA_TASK_ROOT: task,
    };
    for (const child of clients.splice(0)) child.kill('SIGKILL');
    api.forgetClients();
    clients.push(spawn(process.execPath, [runtimeClient, 'index.handler'], { cwd: task, env, stdio: 'ignore' }));
  }

  const eventOf = async (source: string): Promise<unknown> =>
    JSON.parse((await project.sh(`waygate event ${source} POST /p/a%20b -d é`)).stdout);

  it.each(['app.ts', 'hono.ts', 'express.ts'])('the zip of %s answers', async (app) => {
    run(await build(app, 'lambda'));
    for (const source of ['lambda:http-api', 'lambda:alb', 'lambda:rest-api']) {
      const outcome = await api.invoke(await eventOf(source));
      expect(outcome.kind, outcome.body.toString()).toBe('response');
      const { statusCode, body } = JSON.parse(outcome.body.toString());
      expect(statusCode).toBe(200);
      if (app === 'app.ts')
        expect(JSON.parse(body)).toMatchObject({ PATH_INFO: '/p/a b', body: 'é', gateway: 'aws-lambda' });
      else expect(JSON.parse(body)).toEqual({ name: 'a b', body: 'é' });
    }
  });

  it('the zip of a build with --stream streams', async () => {
    run(await build('hono.ts', 'lambda', '--stream'));
    const outcome = await api.invoke(await eventOf('lambda:function-url'));
    expect(outcome.headers['content-type']).toBe('application/vnd.awslambda.http-integration-response');
    const end = outcome.body.indexOf(Buffer.alloc(8));
    expect(JSON.parse(outcome.body.subarray(0, end).toString())).toMatchObject({ statusCode: 200 });
    expect(JSON.parse(outcome.body.subarray(end + 8).toString())).toEqual({ name: 'a b', body: 'é' });
  });

  it('the zip for Lambda@Edge answers', async () => {
    run(await build('app.ts', 'lambda-edge'));
    const outcome = await api.invoke(await eventOf('lambda:edge'));
    expect(JSON.parse(outcome.body.toString())).toMatchObject({ status: '200' });
  });

  it('the zip is the same, byte for byte, when it is built again', async () => {
    const first = readFileSync(join(await build('hono.ts', 'lambda'), 'function.zip'));
    execFileSync('sleep', ['2.1']);
    const second = readFileSync(join(await build('hono.ts', 'lambda', '--name', 'other'), 'function.zip'));
    expect(second.equals(first)).toBe(true);
  });
});
