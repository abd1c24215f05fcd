// The programs of the pages compile in strict mode, as a reader would paste them.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { blocks, readPage } from './lib/pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the programs import from the reader's own files. */
const OWN_FILES: Record<string, string> = {
  'app.ts': `import type { Application } from 'waygate';
export declare const app: Application;`,
  'telemetry.ts': 'export declare const provider: { forceFlush(): Promise<void> };',
  'store.ts':
    'export declare function store(file: ReadableStream<Uint8Array>, type: string | undefined): Promise<void>;',
};

/** Pages whose programs stand alone. */
const SINGLE = ['middleware', 'hosted-apps', 'proxies'];
/** Pages whose programs have names, and import each other. Those of Deno and Bun are run by tests/e2e/pages.test.ts. */
const NAMED = [
  ...['guide', 'cookbook', 'start/node', 'start/lambda', 'start/workers'],
  ...[
    'serverless-http',
    'serverless-express',
    'hono-aws-lambda',
    'hono-node-server',
    'serverless-offline',
    'python',
  ].map((name) => `migrate/${name}`),
];

/** Writes the programs of a page, in one folder until a name comes again: then all of them so far are in the next one. */
function writeNamed(folder: string, page: string): number {
  const files = new Map<string, string>();
  let step = 0;
  const flush = () => {
    const at = join(folder, `${page.replace('/', '-')}-${++step}`);
    mkdirSync(at);
    for (const [name, code] of files) writeFileSync(join(at, name), `${code}\nexport {};\n`);
  };
  const programs = blocks(readPage(`docs/${page}.md`)).filter(({ lang }) => lang === 'ts');
  for (const { info, code } of programs) {
    expect(info, `${page}: ${code}`).toMatch(/^[\w.-]+\.ts$/);
    if (files.has(info)) flush();
    files.set(info, code);
  }
  flush();
  return programs.length;
}

test('every program of the pages compiles', () => {
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build', 'programs-'));
  try {
    for (const [name, text] of Object.entries(OWN_FILES)) writeFileSync(join(folder, name), text);
    let programs = 0;
    for (const page of SINGLE) {
      for (const { code } of blocks(readPage(`docs/${page}.md`)).filter(({ lang }) => lang === 'ts')) {
        writeFileSync(join(folder, `${page}-${++programs}.ts`), `${code}\nexport {};\n`);
      }
    }
    for (const page of NAMED) programs += writeNamed(folder, page);
    expect(programs).toBeGreaterThan(35);
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false },
      include: ['**/*.ts'],
      exclude: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
