// What build makes for the platforms whose adapters are presets. tests/e2e/presets-build.test.ts runs it in their own tools.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ECHO, folderOf, run } from './harness.ts';

/** Builds the echo app. */
async function build(target: string, ...args: string[]): Promise<string> {
  const cwd = folderOf({ 'app.ts': ECHO, 'package.json': '{ "name": "My App" }' });
  const { code, stderr } = await run(cwd, ['build', 'app.ts', '--target', target, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return join(cwd, 'dist', target);
}

const load = (file: string) => import(/* @vite-ignore */ pathToFileURL(file).href);
const readJson = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

describe('build', () => {
  it.each([
    ['vercel', ['config.json', 'functions/index.func/.vc-config.json'], 'functions/index.func/'],
    ['vercel-edge', ['config.json', 'functions/index.func/.vc-config.json'], 'functions/index.func/'],
    ['netlify', ['netlify.toml', 'public/.gitkeep'], 'functions/'],
    ['google-cloud', ['package.json'], ''],
    ['azure-functions', ['host.json', 'package.json'], ''],
    ['deno-deploy', [], ''],
    ['fastly', ['fastly.toml', 'package.json'], ''],
    ['bunny', [], ''],
  ])('for %s makes the files of its tool', async (target, files, folder) => {
    const out = await build(target);
    const made = readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1));
    expect(made.sort()).toEqual([...files, `${folder}index.mjs`, `${folder}index.mjs.map`].sort());
  });

  it.each(['vercel-edge', 'fastly', 'bunny'])(
    'for %s refuses an app for Node, and puts no Node into a bundle',
    async (target) => {
      const cwd = folderOf({
        'app.ts': "import http from 'node:http';\nexport default http.createServer(() => {});\n",
      });
      const { code, stderr } = await run(cwd, ['build', 'app.ts', '--target', target]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/app\.ts is an app for Node, and .* has no Node\. Build it for another target\./);
      expect(
        readFileSync(
          join(await build(target), target === 'vercel-edge' ? 'functions/index.func' : '.', 'index.mjs'),
          'utf8',
        ),
      ).not.toMatch(/from ?["']node:/);
    },
  );

  it.each([
    ['--memory', 'vercel', ['--memory', '512']],
    ['--stream', 'netlify', ['--stream']],
    ['--name', 'bunny', ['--name', 'a']],
    ['--include', 'fastly', ['--include', 'app.ts']],
    ['--no-bundle', 'netlify', ['--no-bundle']],
  ])('refuses %s for %s', async (flag, target, args) => {
    const cwd = folderOf({ 'app.ts': ECHO });
    const { code, stderr } = await run(cwd, ['build', 'app.ts', '--target', target, ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${flag} is for the target`);
  });

  it('names the package after the project, or after --name', async () => {
    expect(readJson(await build('google-cloud'), 'package.json').name).toBe('my-app');
    const out = await build('fastly', '--name', 'other');
    expect(readFileSync(join(out, 'fastly.toml'), 'utf8')).toContain('name = "other"');
    const cwd = folderOf({ 'app.ts': ECHO });
    const { stderr } = await run(cwd, ['build', 'app.ts', '--target', 'fastly', '--name', 'A b']);
    expect(stderr).toContain('"A b" cannot name a function: 1 to 63 lower-case letters');
  });
});

describe('what was built answers', () => {
  const request = () => new Request('https://example.com/a%2Fb?c');

  it('vercel: the default export has a fetch', async () => {
    const { default: made } = await load(join(await build('vercel'), 'functions/index.func/index.mjs'));
    expect(await (await made.fetch(request())).text()).toContain('/a/b');
  });

  it('vercel-edge: the default export is a function', async () => {
    const { default: made } = await load(join(await build('vercel-edge'), 'functions/index.func/index.mjs'));
    expect(await (await made(request(), {})).text()).toContain('/a/b');
  });

  it('netlify: the default export is a function, for every path', async () => {
    const { default: made, config } = await load(join(await build('netlify'), 'functions/index.mjs'));
    expect(await (await made(request(), {})).text()).toContain('/a/b');
    expect(config).toEqual({ path: '/*', preferStatic: true });
  });

  it('google-cloud: the export app is an HTTP function', async () => {
    const { app } = await load(join(await build('google-cloud'), 'index.mjs'));
    const server = http.createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a%2Fb?c`);
      expect(await response.text()).toContain('/a/b');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

it.each([
  ['vercel', '.vercel/output/functions/index.func/index.mjs', /vercel deploy --prebuilt$/],
  ['vercel-edge', '.vercel/output/functions/index.func/index.mjs', /vercel deploy --prebuilt$/],
  ['netlify', 'dist/netlify/functions/index.mjs', /netlify-cli deploy .*--functions dist\/netlify\/functions$/],
  [
    'google-cloud',
    'dist/google-cloud/index.mjs',
    /gcloud run deploy my-site --source dist\/google-cloud --function app /,
  ],
  ['azure-functions', 'dist/azure-functions/index.mjs', /func azure functionapp publish my-site --javascript$/],
  ['deno-deploy', 'dist/deno-deploy/index.mjs', /deno deploy --prod$/],
  ['fastly', 'dist/fastly/index.mjs', /cd dist\/fastly && fastly compute publish$/],
  ['bunny', 'dist/bunny/index.mjs', undefined],
])('init --template %s writes an app whose own script builds it', async (template, main, deploys) => {
  const cwd = folderOf({});
  expect(await run(cwd, ['init', 'my-site', '--template', template])).toMatchObject({ code: 0, stderr: '' });
  const root = join(cwd, 'my-site');
  const { scripts } = readJson(root, 'package.json');
  if (deploys === undefined) expect(scripts).not.toHaveProperty([`deploy:${template}`]);
  else expect(scripts[`deploy:${template}`]).toMatch(deploys);
  writeFileSync(join(root, 'tsconfig.json'), readFileSync(join(cwd, 'tsconfig.json')));
  const [command, ...args] = scripts[`build:${template}`].split(' ');
  expect(command).toBe('waygate');
  expect(await run(root, args)).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(join(root, main))).toBe(true);
});
