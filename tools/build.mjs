// Builds the library into dist/: declarations by tsc, one for each source; and the code with esbuild as one file for each
// entry of the package, with what entries share in files of its own under dist/shared/. A program then loads a few files where
// it would load a hundred, which is most of what importing costs; and each module is in one file only, so that all entries
// have the same classes.
//
// usage: node tools/build.mjs

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(1);

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** @type {string[]} */
const files = Object.values(exports).flatMap((entry) => (typeof entry === 'object' ? [entry.default] : []));

await build({
  absWorkingDir: root,
  // dist/core/index.js is made of core/index.ts.
  entryPoints: files.map((file) => file.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts')),
  outdir: 'dist',
  outbase: '.',
  bundle: true,
  splitting: true,
  chunkNames: 'shared/[hash]',
  format: 'esm',
  // What runs without Node imports nothing of Node: tools/check-imports.mjs.
  platform: 'neutral',
  packages: 'external',
  target: 'es2022',
  charset: 'utf8',
  tsconfig: join(root, 'tsconfig.build.json'),
  sourcemap: 'linked',
  sourcesContent: true,
  logLevel: 'warning',
});
