// What goes with a bundle: packages, files and folders at their place; what is said about those that do not; and what a
// build never writes to.

import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { ECHO, folderOf, type Run, run } from './harness.ts';

/** An app that answers with a text. */
const app = (imports: string, text: string): string => `${imports}
export default (_environ: unknown, start: (status: string, headers: []) => void) => {
  start('200 OK', []);
  return [new TextEncoder().encode(String(${text}))];
};
`;

/** A package in node_modules. */
const pack = (name: string, files: Record<string, string>, manifest: object = {}): Record<string, string> => {
  const all = { 'package.json': JSON.stringify({ name, version: '1.0.0', ...manifest }), ...files };
  return Object.fromEntries(Object.entries(all).map(([path, text]) => [`node_modules/${name}/${path}`, text]));
};

const build = (cwd: string, target: string, ...args: string[]): Promise<Run> =>
  run(cwd, ['build', existsSync(join(cwd, 'src/app.ts')) ? 'src/app.ts' : 'app.ts', '--target', target, ...args]);

/** Unpacks the zip into a folder of its own and asks its handler. */
async function answer(cwd: string): Promise<string> {
  const task = join(cwd, 'task');
  for (const [name, content] of Object.entries(unzipSync(readFileSync(join(cwd, 'dist/lambda/function.zip'))))) {
    mkdirSync(join(task, name, '..'), { recursive: true });
    writeFileSync(join(task, name), content);
  }
  const { handler } = await import(/* @vite-ignore */ pathToFileURL(join(task, 'index.mjs')).href);
  const { stdout } = await run(cwd, ['event', 'lambda:alb', 'GET', '/']);
  return (await handler(JSON.parse(stdout), {})).body;
}

describe('--include', () => {
  const READS = app(
    "import { readFileSync } from 'node:fs';\nimport { join } from 'node:path';",
    `[
      readFileSync(new URL('./note ä.txt', import.meta.url), 'utf8'),
      readFileSync(join(import.meta.dirname, 'deep', 'b.txt'), 'utf8'),
      readFileSync(join(import.meta.dirname, '..', 'public', 'c.txt'), 'utf8'),
      import.meta.filename.endsWith('src/app.ts'),
    ]`,
  );
  const FILES = { 'src/app.ts': READS, 'src/note ä.txt': 'A', 'src/deep/b.txt': 'B', 'public/c.txt': 'C' };
  const INCLUDE = ['--include', 'src/note ä.txt', '--include', 'src/deep', '--include=./public/'];

  it('packs files and folders at their place, where the code finds them', async () => {
    const cwd = folderOf(FILES);
    const { code, stdout, stderr } = await build(cwd, 'lambda', ...INCLUDE);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('In function.zip: 3 files of public, src\n');
    expect(await answer(cwd)).toBe('A,B,C,true');
  });

  it('puts them beside the bundle of a server', async () => {
    const cwd = folderOf(FILES);
    expect(await build(cwd, 'node', ...INCLUDE)).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(cwd, 'dist/node/src/deep/b.txt'), 'utf8')).toBe('B');
    expect(readFileSync(join(cwd, 'dist/node/public/c.txt'), 'utf8')).toBe('C');
  });

  it('keeps files executable, and never packs the result itself', async () => {
    const cwd = folderOf({ 'app.ts': ECHO, 'tools/run.sh': '#!/bin/sh', 'tools/note.txt': '' });
    chmodSync(join(cwd, 'tools/run.sh'), 0o755);
    for (let times = 0; times < 2; times++) {
      expect(await build(cwd, 'lambda', '--include', '.', '--out', 'tools/out')).toMatchObject({ code: 0 });
    }
    const zip = readFileSync(join(cwd, 'tools/out/function.zip'));
    expect(Object.keys(unzipSync(zip)).sort()).toEqual([
      ...['app.ts', 'index.mjs', 'index.mjs.map', 'tools/note.txt', 'tools/run.sh', 'tsconfig.json'],
    ]);
    const modeOf = (name: string): string => (zip.readUInt32LE(zip.lastIndexOf(name) - 46 + 38) >>> 16).toString(8);
    expect(modeOf('tools/note.txt')).toBe('100644');
    expect(modeOf('tools/run.sh')).toBe('100755');
  });

  it('refuses a folder for the result that holds the sources', async () => {
    const cwd = folderOf(FILES);
    const { code, stderr } = await build(cwd, 'node', ...INCLUDE, '--out', '.');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^waygate: --out \. holds the sources themselves;/);
  });
});

describe('files that are not included', () => {
  it.each([
    ["readFileSync(new URL('./a.txt', import.meta.url))", 'a.txt'],
    ["readFileSync(join(import.meta.dirname, 'a.txt'))", 'a.txt'],
    ["readFileSync(import.meta.dirname + '/views/b.txt')", 'views/b.txt'],
  ])('are named: %s', async (text, file) => {
    const imports = "import { readFileSync } from 'node:fs';\nimport { join } from 'node:path';";
    const files = { 'app.ts': app(imports, `[${text}, join]`), 'a.txt': '', 'views/b.txt': '' };
    for (const target of ['lambda', 'node']) {
      const { code, stderr } = await build(folderOf(files), target);
      expect(code).toBe(0);
      expect(stderr).toBe(
        `waygate: app.ts reads ${file} by its own place, which is not with the bundle. Add --include ${file}.\n`,
      );
    }
    expect((await build(folderOf(files), 'lambda', '--include', file)).stderr).toBe('');
    expect((await build(folderOf(files), 'workers')).stderr).toContain('Workers have no file system.');
  });

  it('are named for packages and CommonJS modules too', async () => {
    const cwd = folderOf({
      'app.ts': app("import lib from 'lib';\nimport own from './own.cjs';", '[lib, own]'),
      'own.cjs': "module.exports = () => require('fs').readFileSync(__dirname + '/own.txt');",
      'own.txt': '',
      ...pack('lib', {
        'index.js': "module.exports = () => require('fs').readFileSync(require('path').join(__dirname, 'data/x.bin'));",
        'data/x.bin': '',
      }),
    });
    const { stderr } = await build(cwd, 'lambda');
    expect(stderr).toContain('own.cjs reads own.txt by its own place');
    expect(stderr).toContain(
      'node_modules/lib/index.js reads node_modules/lib/data/x.bin by its own place, which is not with the bundle. ' +
        'Add --include node_modules/lib/data/x.bin.',
    );
    const included = await build(cwd, 'lambda', '--include', 'own.txt', '--include', 'node_modules/lib/data');
    expect(included.stderr).toBe('');
  });

  it('do not matter where nothing is read, or what is read is not there', async () => {
    const text = "[import.meta.url, new URL('./gone.txt', import.meta.url)]";
    expect((await build(folderOf({ 'app.ts': app('', text) }), 'lambda')).stderr).toBe('');
  });
});

describe('a package with a native addon', () => {
  const elf = (machine: number): string => {
    const head = Buffer.alloc(20);
    head.write('\x7fELF', 'latin1');
    head.writeUInt16LE(machine, 18);
    return head.toString('latin1');
  };
  const FILES = {
    'app.ts': app("import { where } from 'native';", 'where'),
    ...pack('native', {
      'index.js': "try { require('./build/Release/native.node'); } catch {}\nexports.where = __dirname;",
      'build/Release/native.node': elf(62),
    }),
  };
  const OPTIONAL = {
    'app.ts': app("import { where } from 'native';", 'where'),
    ...pack('native', { 'index.js': 'exports.where = 1;' }, { optionalDependencies: { '@native/linux-x64': '1' } }),
    ...pack('@native/linux-x64', { 'native.node': elf(62) }),
  };

  it.each([
    ['in its folder', FILES, 'node_modules/native/build/Release/native.node'],
    ['in a package for the platform', OPTIONAL, 'node_modules/@native/linux-x64/native.node'],
  ])('%s is warned of', async (_where, files, addon) => {
    const { code, stderr } = await build(folderOf(files), 'lambda');
    expect(code).toBe(0);
    expect(stderr).toBe(
      `waygate: native has a native addon (${addon}), which a bundle cannot hold; where the app needs it, it fails. ` +
        'Build with --no-bundle.\n',
    );
    expect((await build(folderOf(files), 'workers')).stderr).toContain('and workerd cannot load');
  });

  it('does not matter when it is external', async () => {
    expect(await build(folderOf(FILES), 'lambda', '--external', 'native')).toMatchObject({ code: 0, stderr: '' });
  });

  it('goes along with --no-bundle, and is held against the processor of the function', async () => {
    const cwd = folderOf(FILES);
    const { code, stderr } = await build(cwd, 'lambda', '--no-bundle');
    expect(code).toBe(0);
    expect(stderr).toBe(
      'waygate: node_modules/native has a native addon for Linux on x86_64, and the function runs on Linux on arm64. ' +
        'Install it for that with npm install --os=linux --cpu=arm64, or choose another --arch.\n',
    );
    expect(await build(cwd, 'lambda', '--no-bundle', '--arch', 'x86_64')).toMatchObject({ code: 0, stderr: '' });
    expect(await answer(cwd)).toMatch(/task\/node_modules\/native$/);
  });
});

describe('--external', () => {
  const FILES = {
    'app.ts': app("import { there } from 'lib';", 'there'),
    ...pack('lib', {
      'index.js':
        "exports.there = (() => { try { return load(); } catch { return 'without'; } })();\nfunction load() { return require('not-there/deep'); }",
    }),
  };

  it('is what an error about a package that is not installed names', async () => {
    const { code, stderr } = await build(folderOf(FILES), 'lambda');
    expect(code).toBe(1);
    expect(stderr).toMatch(/Could not resolve "not-there\/deep"; .* build with --external not-there\n$/);
  });

  it('leaves a package out, with all below it', async () => {
    const cwd = folderOf(FILES);
    expect(await build(cwd, 'lambda', '--external', 'not-there')).toMatchObject({ code: 0, stderr: '' });
    expect(await answer(cwd)).toBe('without');
  });
});

describe('--no-bundle', () => {
  it('packs what is used of the packages, and bundles the app’s own modules', async () => {
    const cwd = folderOf({
      'src/app.ts': app("import { text } from 'lib';\nimport { own } from './own.ts';", 'text + own'),
      'src/own.ts': "export const own: string = ' and mine';",
      ...pack('lib', { 'index.js': "exports.text = require('inner').text;", 'unused.js': '', 'test/big.txt': '' }),
      ...pack('lib/node_modules/inner', { 'index.js': "exports.text = 'the inner one';" }),
      ...pack('inner', { 'index.js': "exports.text = 'another';" }),
    });
    const { code, stdout, stderr } = await build(cwd, 'lambda', '--no-bundle');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/In function\.zip: 4 files of node_modules\n$/);
    expect(Object.keys(unzipSync(readFileSync(join(cwd, 'dist/lambda/function.zip'))))).toEqual([
      ...['index.mjs', 'index.mjs.map', 'node_modules/lib/index.js'],
      ...['node_modules/lib/node_modules/inner/index.js', 'node_modules/lib/node_modules/inner/package.json'],
      'node_modules/lib/package.json',
    ]);
    expect(await answer(cwd)).toBe('the inner one and mine');
  });

  it('keeps the links of a package manager that makes them', async () => {
    const cwd = folderOf({
      'app.ts': app("import { text } from 'lib';", 'text'),
      'node_modules/.store/lib@1/node_modules/lib/package.json': '{ "name": "lib" }',
      'node_modules/.store/lib@1/node_modules/lib/index.js': "exports.text = 'linked';",
    });
    symlinkSync('.store/lib@1/node_modules/lib', join(cwd, 'node_modules/lib'));
    expect(await build(cwd, 'node', '--no-bundle')).toMatchObject({ code: 0, stderr: '' });
    expect(lstatSync(join(cwd, 'dist/node/node_modules/lib')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(cwd, 'dist/node/node_modules/lib/index.js'), 'utf8')).toContain('linked');
    expect(await build(cwd, 'node', '--no-bundle')).toMatchObject({ code: 0, stderr: '' });
    expect(await build(cwd, 'lambda', '--no-bundle')).toMatchObject({ code: 0, stderr: '' });
    const zip = readFileSync(join(cwd, 'dist/lambda/function.zip'));
    const link = zip.lastIndexOf('node_modules/lib');
    expect(zip.readUInt32LE(link - 46 + 38) >>> 16).toBe(0o120777);
  });

  it('packs the node_modules above a workspace, and bundles a package of the workspace itself', async () => {
    const cwd = folderOf({
      'packages/api/app.ts': app("import { text } from 'lib';\nimport { shared } from 'shared';", 'text + shared'),
      'packages/shared/package.json': '{ "name": "shared", "exports": "./index.ts" }',
      'packages/shared/index.ts': "export const shared: string = ' and shared';",
      ...pack('lib', { 'index.js': "exports.text = 'hoisted';" }),
    });
    symlinkSync('../packages/shared', join(cwd, 'node_modules/shared'));
    const api = join(cwd, 'packages/api');
    expect(await run(api, ['build', 'app.ts', '-t', 'lambda', '--no-bundle'])).toMatchObject({ code: 0, stderr: '' });
    expect(await answer(api)).toBe('hoisted and shared');
  });
});

describe('TypeScript with decorators', () => {
  it('that need types is warned of', async () => {
    const text = `function inject(..._args: unknown[]): any { return () => {}; }\n@inject()\nexport class A {}\n${app('', '1')}`;
    const cwd = folderOf({ 'src/app.ts': text });
    const options = { experimentalDecorators: true, emitDecoratorMetadata: true };
    writeFileSync(join(cwd, 'src/tsconfig.json'), `{ "compilerOptions": ${JSON.stringify(options)}, /* why */ }`);
    const { code, stderr } = await build(cwd, 'lambda');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^waygate: src\/tsconfig\.json has emitDecoratorMetadata, .* Compile with tsc first/);
  });
});

describe('symbolic links', () => {
  it('in the place of a result are replaced, not followed', async () => {
    for (const [target, names] of Object.entries({
      lambda: ['index.mjs', 'index.mjs.map', 'function.zip', 'template.yaml'],
      workers: ['index.mjs', 'index.mjs.map', 'wrangler.toml'],
    })) {
      const cwd = folderOf({ 'app.ts': ECHO, 'mine.txt': 'mine' });
      mkdirSync(join(cwd, 'dist', target), { recursive: true });
      for (const name of names) symlinkSync('../../mine.txt', join(cwd, 'dist', target, name));
      expect(await build(cwd, target)).toMatchObject({ code: 0, stderr: '' });
      expect(readFileSync(join(cwd, 'mine.txt'), 'utf8')).toBe('mine');
      expect(readdirSync(join(cwd, 'dist', target)).sort()).toEqual([...names].sort());
    }
  });

  it('that lead the result’s folder out of the current one are an error', async () => {
    const other = folderOf({});
    const cwd = folderOf({ 'app.ts': ECHO });
    symlinkSync(other, join(cwd, 'dist'));
    const { code, stderr } = await build(cwd, 'workers');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^waygate: dist is a symbolic link to .*, outside of this folder; nothing was written\./);
    expect(readdirSync(other)).toEqual(['tsconfig.json']);
  });

  it('within the current folder may be', async () => {
    const cwd = folderOf({ 'app.ts': ECHO, 'made/keep.txt': '' });
    symlinkSync('made', join(cwd, 'dist'));
    expect(await build(cwd, 'workers')).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(cwd, 'made/workers/index.mjs'))).toBe(true);
  });

  it('of --include that lead out of the project are an error', async () => {
    const other = folderOf({ 'secret.txt': 'secret' });
    const cwd = folderOf({ 'app.ts': ECHO, 'views/a.txt': '' });
    symlinkSync(join(other, 'secret.txt'), join(cwd, 'views/b.txt'));
    const { code, stderr } = await build(cwd, 'lambda', '--include', 'views');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^waygate: --include views: .*secret\.txt is outside of /);
  });
});

it('a file in the place of the result’s folder is an error in words', async () => {
  const cwd = folderOf({ 'app.ts': ECHO, dist: 'a file' });
  const { code, stderr } = await build(cwd, 'node');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^waygate: .*dist\/node cannot be a folder: a file stands in its way\. Choose another\.\n$/);
});
