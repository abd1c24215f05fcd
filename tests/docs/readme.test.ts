// The documents keep their word: every named block of code in README.md is run, links lead somewhere, and the commands
// it gives exist.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The blocks opened by ```ts NAME.ts, by that name. */
function namedBlocks(markdown: string): Map<string, string> {
  const blocks = markdown.matchAll(/^```ts ([\w-]+\.ts)\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, name, code]) => [name as string, code as string]));
}

/** Where the options of everything that has some are declared. */
const OPTIONS: [file: string, name: string][] = [
  ['core/types.ts', 'GatewayOptions'],
  ['adapters/node/options.ts', 'NodeOptions'],
  ['adapters/node/serve/serve.ts', 'ServeOptions'],
  ['adapters/fetch/to-fetch.ts', 'FetchOptions'],
  ['adapters/cloudflare-workers/from-worker.ts', 'HostedWorkerOptions'],
  ['adapters/aws-lambda/options.ts', 'LambdaOptions'],
  ['adapters/aws-lambda/emulator/options.ts', 'EmulatorOptions'],
  ['adapters/aws-lambda/emulator/options.ts', 'FunctionOptions'],
  ['adapters/aws-lambda/emulator/options.ts', 'FromLambdaOptions'],
  ['middleware/compress.ts', 'CompressOptions'],
  ['middleware/conditional.ts', 'ConditionalOptions'],
  ['middleware/static-files.ts', 'StaticFilesOptions'],
  ['middleware/proxy-fix.ts', 'ProxyFixOptions'],
  ['middleware/access-log.ts', 'AccessLogOptions'],
  ['middleware/basic-auth.ts', 'BasicAuthOptions'],
  ['middleware/cascade.ts', 'CascadeOptions'],
  ['middleware/error-page.ts', 'ErrorPageOptions'],
  ['middleware/timeout.ts', 'TimeoutOptions'],
  ['middleware/cookies.ts', 'CookieOptions'],
  ['core/form.ts', 'FormOptions'],
  ['middleware/cors.ts', 'CorsOptions'],
  ['middleware/method-override.ts', 'MethodOverrideOptions'],
  ['middleware/opentelemetry.ts', 'OpenTelemetryOptions'],
  ['middleware/redirect-to-https.ts', 'RedirectToHttpsOptions'],
  ['middleware/redirect-to-https.ts', 'HstsOptions'],
  ['middleware/request-id.ts', 'RequestIdOptions'],
  ['middleware/secure-headers.ts', 'SecureHeadersOptions'],
  ['middleware/secure-headers.ts', 'CspOptions'],
  ['testing/conformance.ts', 'ConformanceOptions'],
];

const blocks = namedBlocks(readme);
let folder = '';

beforeAll(() => {
  mkdirSync(join(root, 'build'), { recursive: true });
  folder = mkdtempSync(join(root, 'build', 'readme-'));
  for (const [name, code] of blocks) writeFileSync(join(folder, name), code.replaceAll('port: 8000', 'port: 0'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const load = (name: string) => import(/* @vite-ignore */ pathToFileURL(join(folder, name)).href);

test('README.md opens with an application of ten lines that answers on a real port', async () => {
  const [first] = blocks.keys();
  expect(first).toBe('hello.ts');
  expect(blocks.get('hello.ts')?.trim().split('\n').length).toBeLessThanOrEqual(10);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const listen = vi.spyOn(http.Server.prototype, 'listen');
  try {
    await load('hello.ts');
    const url = /http:\S+/.exec(String(log.mock.calls[0]?.[0]))?.[0];
    const response = await fetch(`${url}/some/path`);
    expect(await response.text()).toBe('You asked for /some/path\n');
    expect(await (await fetch(`${url}/caf%C3%A9`)).text()).toBe('You asked for /café\n');
  } finally {
    log.mockRestore();
    for (const server of listen.mock.contexts) (server as http.Server).close();
    listen.mockRestore();
  }
});

test('the blocks of README.md type-check as a user would write them', () => {
  const config = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

test('the middleware and the test of README.md do what they say', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const { response } = await load('named.ts');
  expect(log.mock.calls).toEqual([[200, 'waygate', 'Hello, Ada!\n']]);
  expect(await response.text()).toBe('Hello, Ada!\n');
  log.mockRestore();
});

test('the validator of README.md finds what it says', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const { errors } = await load('checked.ts');
  expect(log.mock.calls[0]?.[0]).toMatch(/\[STR-04\]$/);
  expect(errors).toHaveLength(1);
  log.mockRestore();
});

test('the program of docs/hosted-apps.md serves a Hono app, and is all the code there', async () => {
  const page = readFileSync(join(root, 'docs', 'hosted-apps.md'), 'utf8');
  const [program, ...more] = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
  expect(more).toEqual([]);
  const serving = program?.replace(
    'await serve(fromFetch(hono))',
    'export default await serve(fromFetch(hono), { port: 0 })',
  );
  writeFileSync(join(folder, 'hosted.ts'), serving as string);
  const { default: served } = await load('hosted.ts');
  try {
    expect(await (await fetch(served.url)).text()).toBe('hello');
  } finally {
    await served.close();
  }
});

test('every block of code in README.md is run here', () => {
  expect([...blocks.keys()]).toEqual(['hello.ts', 'greet.ts', 'named.ts', 'checked.ts']);
  expect(readme.match(/^```\S/gm)).toHaveLength(blocks.size + readme.split('\n```sh\n').length - 1);
});

/** For each adapter: at how many kinds of event it was checked, and how many checks passed of how many. */
function fidelity(): string[][] {
  const page = readFileSync(join(root, 'docs/fidelity.md'), 'utf8');
  return [...page.matchAll(/^\| (\S+) \|((?: (?:·|\d+\/\d+) \|)+)$/gm)].map(([, adapter, cells]) => {
    const counts = [...(cells as string).matchAll(/(\d+)\/(\d+)/g)];
    const sum = (index: number) => counts.reduce((total, count) => total + Number(count[index]), 0);
    return [adapter === 'waygate' ? 'Waygate' : (adapter as string), `${counts.length}`, `${sum(1)} of ${sum(2)}`];
  });
}

test('the table about fidelity has the sums of docs/fidelity.md', () => {
  const [table = ''] = /^\| adapter \| kinds of event [\s\S]*?\n\n/m.exec(readme) ?? [];
  const rows = [...table.matchAll(/^\| (\S+) \| (\d+) \| (.+?) \|$/gm)].map((row) => row.slice(1));
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.sort()).toEqual(fidelity().sort());
});

/** What npm itself has. */
const NPM_COMMANDS = ['install', 'init', 'pkg', 'create'];

test('the commands of README.md and CONTRIBUTING.md are scripts of package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(readme).toContain('npm install && npm start\n');
  expect(readme).toContain('npm install && npm test\n');
  const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  for (const [, name] of `${readme}${contributing}`.matchAll(/npm (?:run )?([\w:]+)/g)) {
    if (!NPM_COMMANDS.includes(name as string)) expect(scripts, `npm run ${name}`).toHaveProperty([name as string]);
  }
});

/** The names that links to the headings of a page have. */
function anchors(markdown: string): string[] {
  const text = markdown.replace(/^```[\s\S]*?^```$/gm, '');
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
  return [...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id as string)];
}

test('links of every page lead to files and headings that exist', () => {
  const found = ['docs', 'examples', 'cli'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...found.filter((name) => /^(?!.*node_modules|docs\/site\/).*\.md$/.test(name)),
  ];
  expect(pages.length).toBeGreaterThan(8);
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```$|`[^`\n]*`/gm, 'CODE');
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link as string)) continue;
      const [path = '', anchor] = (link as string).split('#');
      const target = path === '' ? join(root, page) : resolve(root, dirname(page), path);
      expect(existsSync(target), `${page} links to ${link}`).toBe(true);
      if (anchor !== undefined)
        expect(anchors(readFileSync(target, 'utf8')), `${page} links to ${link}`).toContain(anchor);
    }
  }
});

test('everything that can be imported, and every option, is in the documents', async () => {
  const names = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  const text = ['README.md', ...names].map((name) => readFileSync(join(root, name), 'utf8')).join('');
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = new Set<string>();
  for (const path of Object.keys(exports)) {
    if (path === './package.json') continue;
    for (const name of Object.keys(await import(/* @vite-ignore */ `waygate${path.slice(1)}`))) wanted.add(name);
  }
  for (const [file, name] of OPTIONS) {
    const body = new RegExp(`interface ${name} .*?\\{\\n(.*?)\\n\\}`, 's').exec(
      readFileSync(join(root, file), 'utf8'),
    )?.[1];
    for (const [, option] of (body ?? '').matchAll(/^ {2}(\w+)\??:/gm)) wanted.add(option as string);
  }
  expect(wanted.size).toBeGreaterThan(70);
  expect([...wanted].filter((name) => !new RegExp(`\`[^\`\\n]*\\b${name}\\b`).test(text))).toEqual([]);
});

test('every import that README.md names is in the exports of package.json', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [, name] of readme.matchAll(/[`']waygate(\/[\w-]+)?[`']/g))
    expect(exports).toHaveProperty([`.${name ?? ''}`]);
});
