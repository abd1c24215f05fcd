// The static checks find what they are there for: the lint rules of biome.json, which say what a folder may import, and
// tools/check-structure.mjs, which says what no lint rule can.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { checkStructure, middlewarePackages } from '../../tools/check-structure.mjs';
import { importsOf, nodesOf } from '../../tools/source-tree.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A small repository that keeps every rule, with `files` added or put in place of its own. */
function tree(files: Record<string, string> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'waygate-structure-'));
  folders.push(root);
  const all: Record<string, string> = {
    'package.json': '{ "dependencies": { "cookie": "1", "@types/a": "1" } }',
    'core/index.ts': "export { run } from './run.ts';\n",
    'core/run.ts': 'export const run = 1;\n',
    'adapters/node/index.ts': "import http from 'node:http';\nimport { run } from '../../core/index.ts';\n",
    'adapters/fetch/index.ts': "import { run } from '../../core/run.ts';\nexport * from './request.ts';\n",
    'adapters/fetch/request.ts': 'export const request = 1;\n',
    'adapters/fetch/presets/vercel/index.ts':
      "import '../../request.ts';\nimport '../../../../core/index.ts';\nimport './a.ts';\n",
    'adapters/fetch/presets/vercel/a.ts': '',
    'adapters/node/presets/google-cloud/index.ts': "import '../../index.ts';\nimport 'node:http';\n",
    'adapters/cloudflare-workers/index.ts':
      "import type { ExecutionContext } from '@cloudflare/workers-types';\nimport '../fetch/index.ts';\n",
    'adapters/aws-lambda/index.ts': "import type { Context } from 'aws-lambda';\nimport 'node:stream/promises';\n",
    'middleware/index.ts': "export * from './mount.ts';\n",
    'middleware/mount.ts': "import type { Application } from '../core/index.ts';\nimport 'cookie';\n",
    'testing/index.ts': "import '../core/index.ts';\n",
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** The places of what the lint rules about imports find. */
function linted(root: string): string[] {
  copyFileSync(join(ROOT, 'biome.json'), join(root, 'biome.json'));
  const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const { stdout, stderr } = spawnSync(process.execPath, [biome, 'lint', '--max-diagnostics=none', '.'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const rule = /^(\S+?:\d+):\d+ lint\/\w+\/(?:noRestrictedImports|noNodejsModules|noImportCycles) /gm;
  return [...`${stdout}${stderr}`.matchAll(rule)].map(([, place]) => place as string);
}

const REFUSED: [what: string, path: string, text: string][] = [
  ['core from an adapter', 'core/a.ts', "import '../adapters/fetch/index.ts';"],
  ['core from outside, a type only', 'core/b.ts', "import type { A } from '../middleware/index.ts';"],
  ['core from a module of Node', 'core/c.ts', "import { Buffer } from 'node:buffer';"],
  ['core from a module of Node, a type only', 'core/d.ts', "import type { Buffer } from 'node:buffer';"],
  ['core from a module of Node without its prefix', 'core/e.ts', "import 'buffer';"],
  ['core from a package', 'core/f.ts', "export * from 'hono';"],
  ['core from a part of a package', 'core/g.ts', "export * from '@scope/hono/part';"],
  ['core from the package itself', 'core/h.ts', "import { run } from 'waygate';"],
  ['core from a package of middleware', 'core/i.ts', "import a from 'negotiator';"],
  ['node from fetch', 'adapters/node/a.ts', "import '../fetch/index.ts';"],
  ['a folder of node from fetch', 'adapters/node/hosted/a.ts', "import '../../fetch/index.ts';"],
  ['fetch from cloudflare-workers', 'adapters/fetch/a.ts', "import '../cloudflare-workers/index.ts';"],
  ['fetch from a module of Node', 'adapters/fetch/b.ts', "await import('node:stream');"],
  ['cloudflare-workers from a module of Node', 'adapters/cloudflare-workers/a.ts', "import 'node:stream';"],
  ['vercel from netlify', 'adapters/fetch/presets/vercel/b.ts', "import '../netlify/index.ts';"],
  ['google-cloud from fetch', 'adapters/node/presets/google-cloud/a.ts', "import '../../../fetch/index.ts';"],
  ['cloudflare-workers from aws-lambda', 'adapters/cloudflare-workers/b.ts', "import '../aws-lambda/index.ts';"],
  ['an adapter from middleware', 'adapters/aws-lambda/a.ts', "import '../../middleware/index.ts';"],
  ['an adapter from a package', 'adapters/node/b.ts', "import type { Hono } from 'hono';"],
  ['an adapter from a package of middleware', 'adapters/node/c.ts', "import a from 'negotiator';"],
  ['middleware from any package', 'middleware/a.ts', "import { a } from 'hono';"],
  ['middleware from an adapter', 'middleware/b.ts', "import '../adapters/fetch/index.ts';"],
  ['middleware from a module of Node', 'middleware/c.ts', "import 'node:fs';"],
  ['testing from a module of Node', 'testing/a.ts', "import 'node:assert';"],
  ['testing from the tests', 'testing/b.ts', "import '../tests/helper.ts';"],
];

describe('the lint rules', () => {
  it('find nothing wrong in a tree that keeps the layers', () => {
    expect(linted(tree())).toEqual([]);
  });

  it('refuse what a folder may not import', () => {
    const found = linted(tree(Object.fromEntries(REFUSED.map(([, path, text]) => [path, `\n${text}\n`]))));
    const missed = REFUSED.filter(([, path]) => !found.includes(`${path}:2`)).map(([what]) => what);
    expect(missed).toEqual([]);
    expect(found.filter((place) => !REFUSED.some(([, path]) => place === `${path}:2`))).toEqual([]);
  });

  it('refuse a circle', () => {
    const files = { 'core/a.ts': "export * from './b.ts';\n", 'core/b.ts': "export * from './a.ts';\n" };
    expect(linted(tree(files))).toEqual(['core/a.ts:1', 'core/b.ts:1']);
  });

  it('let middleware import the dependencies of the package, and no other packages', () => {
    const rules = JSON.stringify(JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8')).overrides);
    const [, allowed = ''] = /"group":\[([^\]]*)\],"message":"Middleware/.exec(rules) ?? [];
    const names = [...allowed.matchAll(/"!([a-z][^"]*)"/g)].map(([, name]) => name);
    expect(names.sort()).toEqual(middlewarePackages(ROOT).sort());
  });
});

const problems = (files?: Record<string, string>): string[] => checkStructure(tree(files)).problems;

describe('what runs without Node', () => {
  it('reaches no module of Node, through any number of files', () => {
    const found = problems({
      'adapters/cloudflare-workers/index.ts': "import '../fetch/index.ts';",
      'adapters/fetch/request.ts': "import 'node:util';",
    });
    expect(found).toContain(
      "adapters/fetch/request.ts:1: 'node:util' is reached where there is no Node: " +
        'adapters/cloudflare-workers/index.ts -> adapters/fetch/index.ts -> adapters/fetch/request.ts',
    );
  });

  it('is followed out of its own folder', () => {
    const found = problems({ 'testing/index.ts': "import '../adapters/node/index.ts';" });
    expect(found).toEqual([
      "adapters/node/index.ts:1: 'node:http' is reached where there is no Node: testing/index.ts -> adapters/node/index.ts",
    ]);
  });

  it('may import types, which leave no trace', () => {
    expect(problems({ 'testing/index.ts': "import type { A } from '../adapters/node/index.ts';" })).toEqual([]);
  });
});

describe('the structure', () => {
  it('is right in a tree that keeps the rules, and in this repository', () => {
    expect(problems()).toEqual([]);
    expect(checkStructure(ROOT).problems).toEqual([]);
  });

  it.each([
    ['an adapter from a package, a value', 'adapters/aws-lambda/a.ts', "import { a } from 'aws-lambda';"],
    ['inline types, which keep the import', 'adapters/aws-lambda/a.ts', "import { type A } from 'aws-lambda';"],
    ['the types of Node', 'core/a.ts', '/// <reference types="node" />'],
    ['an import that cannot be read', 'core/a.ts', 'const load = (name: string) => import(name);'],
    ['a file that is not there', 'core/a.ts', "import './missing.ts';"],
    ['a file without its extension', 'core/a.ts', "import './run';"],
    ['a long file', 'core/a.ts', 'const line = 1;\n'.repeat(351)],
    [
      'a function assigned to a member',
      'core/a.ts',
      'export const a = (b: { c: () => void }): void => { b.c = () => {}; };',
    ],
    [
      'one with a type',
      'adapters/a.ts',
      "export const a = (b: any): void => { b['c'] = (function () {}) as () => void; };",
    ],
    ['a large class', 'core/a.ts', `class A { ${Array.from({ length: 13 }, (_, n) => `#f${n} = 0;`).join(' ')} }`],
  ])('refuses: %s', (_, path, text) => {
    const found = problems({ [path]: text });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path}:\\d+: `));
  });

  it('allows functions in fields, in literals, and those that have a name', () => {
    const text = `const f = () => {}; class A { f = () => {}; #g; constructor(b) { this.#g = f; b.h = f; b.i = { j: () => {} }; } }`;
    expect(problems({ 'core/a.ts': text })).toEqual([]);
  });

  it('counts what a class keeps: no methods, no functions bound to it, nothing of the class itself', () => {
    const fields = Array.from({ length: 12 }, (_, n) => `f${n} = 0;`).join(' ');
    const text = `class A { ${fields} static x = 1; readonly #bound = () => {}; method() {} get y() { return 1; } }`;
    expect(problems({ 'core/a.ts': text })).toEqual([]);
  });

  it('counts the fields that a class inherits, from its own file and from others', () => {
    const fields = (name: string, count: number): string =>
      Array.from({ length: count }, (_, n) => `#${name}${n} = 0;`).join(' ');
    const base = `export abstract class Base { abstract a: number; ${fields('f', 6)} }`;
    const middle = `import { Base as Root } from './base.ts';\nclass Middle extends Root { ${fields('g', 3)} }`;
    const last = (count: number): string => `${middle}\nexport class Last extends Middle { ${fields('h', count)} }`;
    expect(problems({ 'core/base.ts': base, 'core/last.ts': last(3) })).toEqual([]);
    expect(problems({ 'core/base.ts': base, 'core/last.ts': last(4) })).toEqual([
      'core/last.ts:3: Last has 13 fields of state with those it inherits; 12 is the most',
    ]);
    expect(problems({ 'core/base.ts': '', 'core/last.ts': last(3) })).toEqual([
      'core/last.ts:2: Middle extends core/base.ts: Base, which is not there; import it from its own file',
    ]);
  });

  it('refuses circles, also of types and through several files', () => {
    const files = {
      'core/a.ts': "import type { B } from './b.ts';",
      'core/b.ts': "export type { C as B } from './c.ts';",
      'core/c.ts': "export * from './a.ts';",
      'core/d.ts': "import './a.ts';",
    };
    expect(problems(files)).toEqual(['core/a.ts:1: 3 files import each other: core/a.ts, core/b.ts, core/c.ts']);
  });
});

describe('names that belong to one machine', () => {
  // Put together here, so that this file passes the check itself.
  const registry = ['registry', 'npmjs', 'org'].join('.');
  const home = ['', 'home', 'someone', 'project'].join('/');
  const top = ['', 'root', 'a'].join('/');

  it.each([
    ['a registry in the lock file', 'package-lock.json', `{ "resolved": "https://${registry}/a" }`],
    ['a registry in the documents', 'docs/a.md', `from ${registry}`],
    ['a registry in CI', '.ci/run', `npm install --registry https://${registry}`],
    ['a home folder', 'tests/a.test.ts', `readFile('${home}')`],
    ['a home folder in a comment', 'core/a.ts', `// see ${home}`],
    ['a home folder of Windows', 'bench/run.mjs', `const a = 'C:${'\\\\'}Users${'\\\\'}someone';`],
  ])('refuses: %s', (_, path, text) => {
    const found = problems({ [path]: text });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path}:1: names a `));
  });

  it('leaves paths of requests and of the platforms alone, and what others installed', () => {
    const found = problems({
      'core/a.ts': `// '/home', '/users/1/posts', '${top}', https://example.com/home/a/b, /var/task/index.mjs`,
      'bench/node_modules/a/package.json': `"https://${registry}/"`,
    });
    expect(found).toEqual([]);
  });
});

it('reads every form of an import, and types apart from values', () => {
  const source = [
    "import a from 'v1';",
    'import c, { d as e, \'f g\' as h } from "v2";',
    "import 'v3';",
    "export * as i from 'v4';",
    "export {\n  j,\n  k,\n} from 'v5';",
    ['const p = `$', "{await import('v6')}`;"].join(''),
    "import { type F } from 'v7';",
    "import type, { E } from 'v8';",
    "import type { B } from 't1';",
    "export type { D } from 't2';",
    "export type * from 't3';",
    "// import 'x'; import('x')",
    'const g = \'import "x"\';',
    'export { l };',
  ].join('\n');
  const found = importsOf(nodesOf('a.ts', source));
  const names = (types: boolean) =>
    found.filter(({ typeOnly }) => typeOnly === types).map(({ specifier }) => specifier);
  expect(names(false).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `v${n}`));
  expect(names(true).sort()).toEqual(['t1', 't2', 't3']);
});

describe('the command', () => {
  const command = join(ROOT, 'tools/check-structure.mjs');
  const check = (root: string) => spawnSync(process.execPath, [command, root], { encoding: 'utf8' });

  it('says so and exits 0 when nothing is wrong', () => {
    const { status, stdout, stderr } = check(tree());
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'structure: 14 files, nothing wrong\n',
      stderr: '',
    });
  });

  it('lists what is wrong and exits 1', () => {
    const { status, stdout, stderr } = check(tree({ 'core/a.ts': "import './b.ts';" }));
    expect(status).toBe(1);
    expect(stderr).toBe("core/a.ts:1: './b.ts' is not a file; name it in full, with its extension\n");
    expect(stdout).toBe('structure: 1 found wrong\n');
  });
});
