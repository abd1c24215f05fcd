import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { checkImports, findImports, MIDDLEWARE_PACKAGES } from '../../tools/check-imports.mjs';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A small repository that keeps every rule, with `files` added or put in place of its own. */
function tree(files: Record<string, string> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'waygate-imports-'));
  folders.push(root);
  const all: Record<string, string> = {
    'core/index.ts': "export { run } from './run.ts';\n",
    'core/run.ts': 'export const run = 1;\n',
    'adapters/node/index.ts': "import http from 'node:http';\nimport { run } from '../../core/index.ts';\n",
    'adapters/fetch/index.ts': "import { run } from '../../core/run.ts';\nexport * from './request.ts';\n",
    'adapters/fetch/request.ts': 'export const request = 1;\n',
    'adapters/cloudflare-workers/index.ts':
      "import type { ExecutionContext } from '@cloudflare/workers-types';\nimport '../fetch/index.ts';\n",
    'adapters/aws-lambda/index.ts': "import type { Context } from 'aws-lambda';\nimport 'node:stream';\n",
    'middleware/index.ts': "export * from './mount.ts';\n",
    'middleware/mount.ts': "import type { Application } from '../core/index.ts';\n",
    'testing/index.ts': "import '../core/index.ts';\n",
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const problems = (files?: Record<string, string>): string[] => checkImports(tree(files)).problems;

describe('the layers', () => {
  it('finds nothing wrong in a tree that keeps them', () => {
    expect(problems()).toEqual([]);
  });

  it.each([
    ['core from an adapter', 'core/a.ts', "import '../adapters/fetch/index.ts';"],
    ['core from outside, a type only', 'core/a.ts', "import type { A } from '../middleware/index.ts';"],
    ['core from a module of Node', 'core/a.ts', "import { Buffer } from 'node:buffer';"],
    ['core from a module of Node, a type only', 'core/a.ts', "import type { Buffer } from 'node:buffer';"],
    ['core from a module of Node without its prefix', 'core/a.ts', "import 'buffer';"],
    ['core from the types of Node', 'core/a.ts', '/// <reference types="node" />'],
    ['core from a package', 'core/a.ts', "export * from 'hono';"],
    ['core from the package itself', 'core/a.ts', "import { run } from 'waygate';"],
    ['an adapter from another', 'adapters/node/a.ts', "import '../fetch/index.ts';"],
    ['fetch from cloudflare-workers', 'adapters/fetch/a.ts', "import '../cloudflare-workers/index.ts';"],
    ['fetch from a module of Node', 'adapters/fetch/a.ts', "await import('node:stream');"],
    ['an adapter from middleware', 'adapters/aws-lambda/a.ts', "import '../../middleware/index.ts';"],
    ['an adapter from a package', 'adapters/node/a.ts', "import type { Hono } from 'hono';"],
    ['an adapter from a package, a value', 'adapters/aws-lambda/a.ts', "import { a } from 'aws-lambda';"],
    ['inline types keep the import', 'adapters/aws-lambda/a.ts', "import { type A } from 'aws-lambda';"],
    ['middleware from any package', 'middleware/a.ts', "import { a } from 'hono';"],
    ['core from a package of middleware', 'core/a.ts', "import a from 'negotiator';"],
    ['an adapter from a package of middleware', 'adapters/node/a.ts', "import a from 'negotiator';"],
    ['middleware from an adapter', 'middleware/a.ts', "import '../adapters/fetch/index.ts';"],
    ['testing from a module of Node', 'testing/a.ts', "import 'node:assert';"],
    ['testing from the tests', 'testing/a.ts', "import '../tests/helper.ts';"],
    ['an import that cannot be read', 'core/a.ts', 'const load = (name: string) => import(name);'],
    ['a file that is not there', 'core/a.ts', "import './missing.ts';"],
    ['a file without its extension', 'core/a.ts', "import './run';"],
  ])('refuses: %s', (_, path, text) => {
    const found = problems({ [path]: `\n${text}\n` });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path}:2: `));
  });

  it('lets middleware import its packages, which are the dependencies of the package', () => {
    const files = [...MIDDLEWARE_PACKAGES].map((name, index) => `import a${index} from '${name}';`);
    expect(problems({ 'middleware/mount.ts': files.join('\n') })).toEqual([]);
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
    // Types leave no trace at run time.
    const names = Object.keys(dependencies).filter((name) => !name.startsWith('@types/'));
    expect(names.sort()).toEqual([...MIDDLEWARE_PACKAGES].sort());
  });

  it('names both sides, and what is allowed', () => {
    expect(problems({ 'adapters/node/a.ts': "import '../fetch/index.ts';" })).toEqual([
      'adapters/node/a.ts:1: adapters/node/ imports adapters/fetch/index.ts; it may import only adapters/node/, core/',
    ]);
  });
});

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

  it('follows imports out of its own folder', () => {
    const found = problems({ 'middleware/mount.ts': "import '../adapters/node/index.ts';" });
    expect(found).toContain(
      "adapters/node/index.ts:1: 'node:http' is reached where there is no Node: " +
        'middleware/index.ts -> middleware/mount.ts -> adapters/node/index.ts',
    );
  });

  it('stops at a cycle, and does not follow types', () => {
    const files = {
      'core/index.ts': "export * from './run.ts';",
      'core/run.ts': "export * from './index.ts';",
    };
    expect(problems(files)).toEqual([]);
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

describe('findImports', () => {
  const specifiers = (source: string) => findImports(source).map(({ specifier }) => specifier);

  it('reads every form', () => {
    const source = [
      "import a from 'm1';",
      "import * as b from 'm2'",
      'import c, { d as e, \'f g\' as h } from "m3";',
      "import 'm4';",
      "export * from 'm5';",
      "export * as i from 'm6';",
      "export {\n  j,\n  k,\n} from 'm7';",
      "const l = await import('m8');",
      'const m = import(`m9`);',
      "import data from './m10.json' with { type: 'json' };",
      "type N = typeof import('m11');",
      "const o = require('m12');",
      `const p = \`\${await import('m13')}\`;`,
    ].join('\n');
    expect(specifiers(source)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((n) => `${n === 10 ? './m10.json' : `m${n}`}`),
    );
  });

  it('tells types from values', () => {
    const source = [
      "import type A from 't1';",
      "import type { B } from 't2';",
      "import type * as C from 't3';",
      "export type { D } from 't4';",
      "export type * from 't5';",
      "import type from 'v1';",
      "import type, { E } from 'v2';",
      "import { type F } from 'v3';",
    ].join('\n');
    const found = findImports(source);
    expect(found.filter(({ typeOnly }) => typeOnly).map(({ specifier }) => specifier)).toEqual([
      't1',
      't2',
      't3',
      't4',
      't5',
    ]);
    expect(found.filter(({ typeOnly }) => !typeOnly).map(({ specifier }) => specifier)).toEqual(['v1', 'v2', 'v3']);
  });

  it('is not misled by comments, strings, templates, regular expressions or names', () => {
    const source = [
      "// import 'a';",
      "/* import 'b'; */",
      "/**\n * @example import { c } from 'c';\n */",
      'const d = "import \'d\'";',
      `const e = \`import 'e' $${'{'}1 / 2} import('e')\`;`,
      "const f = /[/'\"]import 'f'/;",
      "const g = value.replace(/\\/\\*/g, ''); // '",
      'const h = import.meta.url;',
      "object.import('h');",
      "export const from = 'i';",
      "export default 'j';",
      "export type K = 'k' | 'from';",
      'export { l };',
      'const m = Array.from([1]) / 2 / 3;',
    ].join('\n');
    expect(specifiers(source)).toEqual([]);
    expect(specifiers(`${source}\nimport 'real';`)).toEqual(['real']);
  });
});

describe('the command', () => {
  const command = fileURLToPath(new URL('../../tools/check-imports.mjs', import.meta.url));
  const check = (root: string) => spawnSync(process.execPath, [command, root], { encoding: 'utf8' });

  it('says so and exits 0 when nothing is wrong', () => {
    const { status, stdout, stderr } = check(tree());
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'imports: 10 files, nothing wrong\n', stderr: '' });
  });

  it('lists what is wrong and exits 1', () => {
    const { status, stdout, stderr } = check(tree({ 'core/a.ts': "import 'node:fs';" }));
    expect(status).toBe(1);
    expect(stderr).toBe("core/a.ts:1: core/ imports 'node:fs', a module of Node\n");
    expect(stdout).toBe('imports: 1 found wrong\n');
  });
});
