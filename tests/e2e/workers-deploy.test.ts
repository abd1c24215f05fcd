// What `wrangler deploy` would send, and examples/worker as `wrangler dev` runs it: by the wrangler for Node 20, and by that of
// today on Node 24.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  OWN_WRANGLER,
  type Running,
  start,
  WRANGLER_ENV,
  type Wrangler,
  wranglerDevBy,
  wranglerOfToday,
} from './runtimes/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'waygate-deploy-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `wrangler deploy --dry-run` and returns what it prints. */
function dryRun({ node, script }: Wrangler, ...args: string[]): string {
  const command = [script, 'deploy', '--dry-run', '--outdir', folder, ...args];
  return execFileSync(node, command, { env: { ...process.env, ...WRANGLER_ENV }, encoding: 'utf8' });
}

const today = wranglerOfToday();
const WRANGLERS: Wrangler[] = [OWN_WRANGLER, today];

describe.each(WRANGLERS)('$title deploy --dry-run', (wrangler) => {
  test('takes the wrangler.toml at the top, with its bindings', () => {
    const output = dryRun(wrangler);
    expect(output).toContain('env.NOTES');
    expect(output).toContain('env.VISITS (Visits)');
    expect(output).toContain('--dry-run: exiting now.');
  });

  test('the bundle of the smallest application has no import left, and its size is known', async () => {
    const config = ['--config', 'tests/e2e/workers/scenarios.toml', '--minify'];
    dryRun(wrangler, 'tests/e2e/workers/hello.ts', ...config);
    const bundle = readFileSync(
      join(folder, readdirSync(folder).find((name) => name === 'hello.js') as string),
      'utf8',
    );
    expect(bundle).not.toMatch(/\bimport\s*[("'{*]|\brequire\(/);
    const whole = gzipSync(bundle, { level: 9 }).byteLength;

    // The same without core/, which no platform of Waygate can be without.
    const { outputFiles } = await build({
      entryPoints: ['tests/e2e/workers/hello.ts'],
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
      plugins: [
        {
          name: 'without-core',
          setup({ onResolve }) {
            onResolve({ filter: /^waygate$|\/core\// }, ({ path }) => ({ path, external: true }));
          },
        },
      ],
    });
    const adapter = gzipSync(outputFiles[0]?.contents as Uint8Array, { level: 9 }).byteLength;
    console.log(`The smallest Worker, minified and gzipped: ${whole} bytes, ${adapter} of them the adapter’s.`);
    expect(adapter).toBeLessThan(4000);
    expect(whole).toBeLessThan(15_500);
  });
});

describe.each(WRANGLERS)('examples/worker in $title dev', (wrangler) => {
  let dev: Running;
  beforeAll(async () => {
    const state = mkdtempSync(join(folder, 'state-'));
    dev = await wranglerDevBy(wrangler, 'wrangler.toml', '--persist-to', state);
  });
  afterAll(() => dev?.stop());

  test('keeps notes in KV', async () => {
    const url = `${dev.url}/notes/caf%C3%A9`;
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(url, { method: 'PUT', body: 'flat white' })).status).toBe(204);
    expect(await (await fetch(url)).text()).toBe('flat white');
    expect(await (await fetch(`${dev.url}/notes`)).text()).toBe('café\n');
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
    expect(await (await fetch(`${dev.url}/notes`)).text()).toBe('');
    expect((await fetch(url, { method: 'POST' })).headers.get('Allow')).toBe('GET, PUT, DELETE');
  });

  test('counts visits in a Durable Object for each page, and logs them', async () => {
    expect(await (await fetch(`${dev.url}/a`)).text()).toBe('Visit number 1 of /a.\n');
    expect(await (await fetch(`${dev.url}/a`)).text()).toBe('Visit number 2 of /a.\n');
    expect(await (await fetch(`${dev.url}/notesy`)).text()).toBe('Visit number 1 of /notesy.\n');
    await expect.poll(() => dev.output(), { timeout: 5000 }).toContain('visit 2 of /a from 127.0.0.1');
  });
});

test('waygate serve --platform workers runs the wrangler of today, on Node 24', async () => {
  const project = mkdtempSync(join(today.folder, 'project-'));
  writeFileSync(
    join(project, 'app.ts'),
    `export default (environ: any, startResponse: any) => {
      startResponse('200 OK', []);
      return [new TextEncoder().encode(environ['waygate.gateway'] + ' ' + environ.PATH_INFO)];
    };`,
  );
  const command = fileURLToPath(new URL('../../cli/bin/waygate.js', import.meta.url));
  const args = [command, 'serve', 'app.ts', '--platform', 'workers', '--port', '0'];
  const served = await start(today.node, args, {}, project);
  try {
    expect(await (await fetch(`${served.url}/a`)).text()).toBe('cloudflare-workers /a');
  } finally {
    await served.stop();
    rmSync(project, { recursive: true });
  }
});
