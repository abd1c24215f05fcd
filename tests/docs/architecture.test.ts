// docs/architecture.md keeps its word: the files of its walks exist and have what the walks name, in an order that a reader can
// follow; and the two changes that it shows are all that it takes, in a copy of the library.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { LambdaSource } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { conformance } from 'waygate/testing';
import { importsOf, nodesOf, type SyntaxNode } from '../../tools/source-tree.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');

interface Named {
  name: string;
  file: string;
}

/** Section → its steps → what each names, in order. */
const walks = new Map(
  page
    .split(/^## /m)
    .map((section): [title: string, steps: Named[][]] => {
      const steps = section.matchAll(/^\d+\. (.*(?:\n {3}.*)*)/gm);
      return [section.slice(0, section.indexOf('\n')), [...steps].map(([, text]) => namedIn(text as string))];
    })
    .filter(([, steps]) => steps.length > 0),
);

function namedIn(step: string): Named[] {
  const text = step.replace(/\s+/g, ' ');
  return [...text.matchAll(/`([\w.]+)` in \[[^\]]+\]\(\.\.\/([^)]+)\)/g)].map(([, name, file]) => ({
    name: name as string,
    file: file as string,
  }));
}

const trees = new Map<string, SyntaxNode[]>();
function treeOf(file: string): SyntaxNode[] {
  const tree = trees.get(file) ?? nodesOf(file, readFileSync(join(ROOT, file), 'utf8'));
  trees.set(file, tree);
  return tree;
}

/** Whether a file declares a function, class or constant, or a method of one of its classes. */
function declares(file: string, name: string): boolean {
  const [owner, member] = name.split('.');
  return treeOf(file).some(({ type, id, body }) => {
    if (!/^(?:FunctionDeclaration|ClassDeclaration|VariableDeclarator)$/.test(type) || id?.name !== owner) return false;
    if (member === undefined) return true;
    const members = (body as { body?: { key?: { name?: string } }[] } | undefined)?.body;
    return Array.isArray(members) && members.some(({ key }) => key?.name === member);
  });
}

/** The files that a file imports, by any of their names. */
function importedBy(file: string): string[] {
  return importsOf(treeOf(file)).flatMap(({ specifier }) =>
    specifier?.startsWith('.') ? [posix.join(posix.dirname(file), specifier)] : [],
  );
}

it('has a walk for each way that a reader may go', () => {
  expect([...walks.keys()]).toEqual([
    'An HTTP API event through `toLambda`',
    'A request through `toNode`',
    'A `Request` through `toFetch`',
    'An Express app hosted on Lambda',
    '`waygate serve`',
  ]);
});

it('links to files and folders that exist', () => {
  const links = [...page.matchAll(/\]\(\.\.\/([^)#]+)\)/g)].map(([, path]) => path as string);
  expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

describe.each([...walks])('the walk: %s', (_, steps) => {
  const files = steps.map((named) => [...new Set(named.map(({ file }) => file))]);

  it('names functions that are in its files', () => {
    expect(steps.filter((named) => named.length === 0)).toEqual([]);
    expect(steps.flat().filter(({ file, name }) => !declares(file, name))).toEqual([]);
  });

  it('needs at most four files for a step', () => {
    expect(files.filter((step) => step.length > 4)).toEqual([]);
  });

  it('goes back up at most once', () => {
    const firsts = files.map(([first]) => first as string);
    const back = firsts.filter((first, step) => first !== firsts[step - 1] && firsts.slice(0, step).includes(first));
    expect(back.length).toBeLessThanOrEqual(1);
  });

  it('goes along imports: each file is imported by one that was named before', () => {
    const begun = new Set(files[0]);
    const unreached = files.slice(1).flatMap((step) =>
      step.filter((file) => {
        const isReached = begun.has(file) || [...begun].some((each) => reaches(each, file));
        begun.add(file);
        return !isReached;
      }),
    );
    expect(unreached).toEqual([]);
  });
});

/** Whether a file imports another one, at most by way of one more; the command imports the library by its name. */
function reaches(from: string, to: string): boolean {
  if (from.startsWith('cli/') && !to.startsWith('cli/')) return true;
  const imported = importedBy(from).filter((file) => existsSync(join(ROOT, file)));
  return imported.includes(to) || imported.some((file) => importedBy(file).includes(to));
}

// The two changes, in a copy.

const folder = (() => {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  return mkdtempSync(join(ROOT, 'build', 'newcomer-'));
})();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

for (const part of ['core', 'adapters', 'middleware', 'testing']) {
  cpSync(join(ROOT, part), join(folder, part), { recursive: true });
}

/** The program that the page shows for a file. */
function shown(path: string): string {
  const found = page.split(`\`${path}\`:`)[1]?.match(/^\s*```ts\n([\s\S]*?)^```$/m)?.[1];
  if (found === undefined) throw new Error(`docs/architecture.md shows no ${path}.`);
  return found;
}

const NEW_FILES = ['adapters/aws-lambda/sources/carrier-pigeon.ts', 'middleware/tenant.ts'];
for (const path of NEW_FILES) writeFileSync(join(folder, path), shown(path));

/** Applies the diff of the page, which is of one file. */
const added = (() => {
  const [, diff = ''] = /```diff\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const lines = diff.split('\n').filter((line) => line !== '');
  const file = join(folder, 'adapters/aws-lambda/sources/index.ts');
  const before = readFileSync(file, 'utf8');
  const text = (omitted: string) =>
    lines
      .filter((line) => !line.startsWith(omitted))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  if (!before.includes(text('+'))) throw new Error('The diff of docs/architecture.md does not apply.');
  writeFileSync(file, before.replace(text('+'), text('-')));
  return lines.filter((line) => !line.startsWith(' '));
})();

it('a new event source is one new file and one line', () => {
  expect(added).toEqual(["+export { carrierPigeon, carrierPigeonEmulator } from './carrier-pigeon.ts';"]);
});

it('both changes compile, and applications have the type of the new key', () => {
  const use = `
import type { Application } from 'waygate';
import { toLambda } from './adapters/aws-lambda/index.ts';
import { carrierPigeon } from './adapters/aws-lambda/sources/index.ts';
import { tenant } from './middleware/tenant.ts';

const app: Application = (environ, startResponse) => {
  const name: string | undefined = environ['app.tenant']?.name;
  // @ts-expect-error a tenant has no such member
  environ['app.tenant']?.nickname;
  startResponse('200 OK', []);
  return [new TextEncoder().encode(name)];
};
toLambda(tenant(app), { sources: [carrierPigeon] });
`;
  writeFileSync(join(folder, 'use.ts'), use);
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { rootDir: '../..', paths: { waygate: ['./core/index.ts'] }, isolatedDeclarations: true },
    include: ['core', 'adapters', 'middleware', 'testing', 'use.ts'],
    exclude: [],
  };
  // The options of the whole project; declarations are checked too, as the library has them.
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      ...config,
      compilerOptions: { ...config.compilerOptions, declaration: true, allowJs: false, checkJs: false },
    }),
  );
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
}, 120_000);

interface Copy {
  carrierPigeon: LambdaSource;
  carrierPigeonEmulator: LambdaSource;
}
const load = (path: string) => import(/* @vite-ignore */ join(folder, path));
const { carrierPigeon, carrierPigeonEmulator } = (await load('adapters/aws-lambda/sources/index.ts')) as Copy;
const { fromLambda, toLambda } = (await load('adapters/aws-lambda/index.ts')) as typeof import('waygate/aws-lambda');
const { tenant } = await load('middleware/tenant.ts');

conformance(
  'toLambda behind the post of carrier pigeons',
  (app, given) => {
    const handler = toLambda(app, { ...given, sources: [carrierPigeon] });
    return { fetch: toFetch(fromLambda(handler, { source: carrierPigeonEmulator }), { errors: () => {} }) };
  },
  {
    describe,
    // What these platforms lack takes time to show, and tests/adapters/aws-lambda/conformance.test.ts shows it.
    it: (title, body) => (title.startsWith('lacks ') ? undefined : it(title, body)),
    capabilities: {
      ...{ raw: false, requestStreaming: false, abortedUpload: false, headerBytes: false, streaming: false },
      ...{ earlyHead: false, disconnect: false, brokenConnection: 'status-500', reason: false },
    },
  },
);

it('the new middleware adds its key', async () => {
  const { run } = (await load('core/index.ts')) as typeof import('waygate');
  const { testEnviron } = (await load('testing/index.ts')) as typeof import('waygate/testing');
  let found: unknown;
  const app = tenant((environ: { 'app.tenant': unknown }, startResponse: (status: string, headers: []) => unknown) => {
    found = environ['app.tenant'];
    startResponse('204 No Content', []);
    return [];
  });
  await run(app, testEnviron({ HTTP_HOST: 'acme.example.com' }));
  expect(found).toEqual({ name: 'acme' });
});
