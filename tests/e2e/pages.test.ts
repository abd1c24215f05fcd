// The guide, the first pages of each platform and the pages about migration, followed line by line in empty folders, with the
// packages as they would be published. It takes minutes: tools/nightly.sh sets WAYGATE_PAGES=1, and without it these tests are
// skipped. The same programs run on the sources in tests/docs/walk.test.ts and tests/docs/migrate.test.ts.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocks, readPage } from '../docs/lib/pages.ts';
import { Project, type Started } from './cli/project.ts';
import { runtime } from './runtimes/process.ts';

/** What a reader of the page has installed already. */
const INSTALLED: Record<string, string> = {
  'migrate/serverless-http': 'express@5 serverless-http@4',
  'migrate/serverless-express': 'express@5 @vendia/serverless-express@4',
  'migrate/hono-aws-lambda': 'hono@4',
  'migrate/hono-node-server': 'hono@4 @hono/node-server@2',
};

/** The lines that start a server, which goes on until the page starts another one. */
const SERVER = /^npx (?:waygate serve|wrangler dev|tsx server)|^(?:deno run|bun server)/;

/** The wrangler that runs on this project's oldest Node; the newest wants a newer one. */
const WRANGLER = 'wrangler@4.86.0';

describe.runIf(process.env.WAYGATE_PAGES)('the pages, followed line by line', () => {
  const project = new Project();
  let packed: Record<string, string> = {};
  beforeAll(() => {
    packed = project.pack();
  }, 300_000);
  afterAll(() => project.remove());

  /** A line with what was packed instead of what is published, and a port that is free. */
  function local(line: string, port: number): string {
    const own = (name: string) => packed[name] ?? (name === 'wrangler' ? WRANGLER : name);
    return line
      .replace(/^bun init -y$/, 'npm init -y && npm pkg set type=module')
      .replace(/^bun add/, 'npm install')
      .replace(/(npm install(?: --save-dev)?)(.*)/, (_, install: string, names: string) => {
        return install + names.replace(/(?<= )[\w-]+(?= |$)/g, own);
      })
      .replaceAll(/\b8000\b/g, String(port))
      .replace(/^(npx waygate serve (?!.*--port).*)$/, `$1 --port ${port}`)
      .replace(
        /^npx wrangler dev/,
        'npx wrangler dev --ip 127.0.0.1 --inspector-port 0 --show-interactive-dev-session=false',
      )
      .replace(/^npx /, 'node_modules/.bin/')
      .replace(/^(deno|bun) /, (_, name: 'deno' | 'bun') => `${runtime(name)} `);
  }

  /** Follows a page, and returns how many of its answers were compared. */
  async function follow(page: string): Promise<number> {
    const folder = page.replace('/', '-');
    const path = join(project.folder, folder);
    mkdirSync(path);
    const port = await freePort();
    const quiet = 'export npm_config_prefer_offline=true npm_config_audit=false npm_config_fund=false LC_ALL=C.UTF-8';
    const sh = (line: string) => project.sh(`${quiet}; cd ${folder} && ${line}`);
    const run = async (line: string): Promise<string> => {
      const done = await sh(line);
      expect(done.code, `${page}: ${line}\n${done.stdout}${done.stderr}`).toBe(0);
      return done.stdout;
    };
    if (INSTALLED[page]) await run(`npm init -y && npm pkg set type=module && npm install ${INSTALLED[page]}`);
    let server: Started | undefined;
    let restarts = 0;
    let answers = 0;
    const all = blocks(readPage(`docs/${page}.md`));
    for (const [index, { lang, info, code }] of all.entries()) {
      if (/^[\w.-]+\.(?:ts|toml)$/.test(info)) {
        mkdirSync(dirname(join(path, info)), { recursive: true });
        // Deno would ask the registry for what is not published.
        writeFileSync(
          join(path, info),
          code.replaceAll(/\b8000\b/g, String(port)).replaceAll("'npm:waygate", "'waygate"),
        );
        if (server?.child.spawnargs.join(' ').includes('--watch') && info === 'app.ts') {
          await expect
            .poll(
              () =>
                server
                  ?.stdout()
                  .concat(server.stderr())
                  .match(/Serving the new/g)?.length,
              { timeout: 60_000 },
            )
            .toBe(++restarts);
        }
      }
      if (lang !== 'sh' || info !== '') continue;
      let printed = '';
      for (const line of code.trim().split('\n')) {
        if (page === 'start/deno' && SERVER.test(line)) await run(`npm init -y && npm install ${packed.waygate}`);
        if (SERVER.test(line)) {
          await server?.stop();
          server = project.start('sh', ['-c', `${quiet}; cd ${folder} && exec ${local(line, port)}`]);
          await listens(port, server);
        } else printed += await run(local(line, port));
      }
      const next = all[index + 1];
      if (next?.lang !== 'text') continue;
      expect(printed.replaceAll('\r', '').trimEnd(), `${page}: ${code}`).toBe(next.code.trimEnd());
      answers++;
    }
    await server?.stop();
    return answers;
  }

  test.each([
    ['guide', 5],
    ['start/node', 1],
    ['start/lambda', 1],
    ['start/workers', 1],
    ['start/deno', 1],
    ['start/bun', 1],
    ['migrate/serverless-http', 0],
    ['migrate/serverless-express', 0],
    ['migrate/hono-aws-lambda', 0],
    ['migrate/hono-node-server', 0],
    ['migrate/serverless-offline', 1],
  ])(
    '%s',
    async (page, answers) => {
      expect(await follow(page)).toBeGreaterThanOrEqual(answers);
    },
    600_000,
  );
});

describe.runIf(process.env.WAYGATE_PAGES)('serverless-offline beside waygate serve', () => {
  const project = new Project();
  afterAll(() => project.remove());

  test('the function of the page answers alike', async () => {
    project.install();
    // The last versions that need no account.
    project.npm('serverless@3', 'serverless-offline@13');
    const page = blocks(readPage('docs/migrate/serverless-offline.md'));
    const code = (name: string) => page.find(({ info }) => info === name)?.code as string;
    const handler = await transform(code('handler.ts'), { loader: 'ts' });
    project.write({ 'serverless.yml': code('serverless.yml'), 'handler.mjs': handler.code });
    const before = page.find(({ info }) => info === 'before')?.code.trim() as string;
    const port = await freePort();
    const others = ['--lambdaPort', String(await freePort())];
    const started = project.start(
      'node_modules/.bin/serverless',
      [...before.replace('npx serverless ', '').replace('8000', String(port)).split(' '), ...others],
      { SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
    );
    await started.prints(/Server ready/, 120);
    const own = await project.serve('handler.mjs', '--kind', 'lambda', '--source', 'lambda:http-api');
    const ask = async (url: string) => {
      const response = await fetch(url);
      const type = response.headers.get('content-type')?.replace(/; charset=utf-8$/, '');
      return [response.status, type, response.headers.getSetCookie(), await response.text()];
    };
    for (const path of ['/users?id=7', '/', '/a/b?x=1&x=2&y=']) {
      const answer = await ask(`${own.url}${path}`);
      expect(answer[0]).toBe(200);
      expect(answer, path).toEqual(await ask(`http://localhost:${port}${path}`));
    }
    await own.stop();
    await started.stop();
  }, 600_000);
});

test.runIf(process.env.WAYGATE_PAGES)(
  'JSR would take the library, but for the types of the environ keys',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'waygate-jsr-'));
    try {
      const root = fileURLToPath(new URL('../..', import.meta.url));
      const copied = [
        'core',
        'adapters',
        'middleware',
        'testing',
        'package.json',
        'README.md',
        'SECURITY.md',
        'LICENSE',
      ];
      for (const each of copied) cpSync(join(root, each), join(folder, each), { recursive: true });
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      const manifest = JSON.parse(readFileSync(join(root, 'jsr.json'), 'utf8'));
      writeFileSync(join(folder, 'jsr.json'), JSON.stringify({ ...manifest, name: '@owner/waygate' }));
      const publish = (...more: string[]) =>
        spawnSync(runtime('deno'), ['publish', '--dry-run', '--allow-dirty', '--no-check', ...more], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
        });
      const loose = publish('--allow-slow-types');
      expect(loose.stderr).toContain('Success Dry run complete');
      const kinds = [...publish().stderr.matchAll(/^error\[([^\]]+)\]/gm)].map(([, kind]) => kind);
      expect([...new Set(kinds)].sort()).toEqual(['unsupported-ambient-module', 'unsupported-global-module']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listens(port: number, { child, stdout, stderr }: Started): Promise<void> {
  const connects = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  await expect
    .poll(async () => (child.exitCode === null ? connects() : `${stdout()}${stderr()}`), {
      timeout: 120_000,
      interval: 200,
    })
    .toBe(true);
}
