// The programs of the pages about middleware, hosted apps and proxies compile in strict mode, as a reader would paste them.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the programs import from the reader's own files. */
const OWN_FILES: Record<string, string> = {
  'app.ts': `import type { Application } from 'waygate';
export declare const app: Application;`,
  'telemetry.ts': 'export declare const provider: { forceFlush(): Promise<void> };',
  'store.ts':
    'export declare function store(file: ReadableStream<Uint8Array>, type: string | undefined): Promise<void>;',
};

test('every program of middleware.md, hosted-apps.md and proxies.md compiles', () => {
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build', 'programs-'));
  try {
    for (const [name, text] of Object.entries(OWN_FILES)) writeFileSync(join(folder, name), text);
    let programs = 0;
    for (const page of ['middleware', 'hosted-apps', 'proxies']) {
      const text = readFileSync(join(root, 'docs', `${page}.md`), 'utf8');
      for (const [, code] of text.matchAll(/^```ts[^\n]*\n([\s\S]*?)^```$/gm)) {
        writeFileSync(join(folder, `${page}-${++programs}.ts`), `${code}\nexport {};\n`);
      }
    }
    expect(programs).toBeGreaterThan(8);
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false },
      include: ['*.ts'],
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
