// Builds the library into dist/: the declarations with tsc, one for each source, and the code with rolldown, as one file for
// each entry of the package. What entries share lies in dist/shared/, each source in one file only, so that all entries have
// the same classes. A program then loads four files where it would load a hundred, and that is most of what an import costs.
//
// usage: node tools/build.mjs

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(1);

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** @type {Record<string, string>} each entry without its extension, and the source that it is made of */
const input = {};
for (const entry of Object.values(exports)) {
  if (typeof entry !== 'object') continue;
  const name = entry.default.replace(/^\.\/dist\//, '').replace(/\.js$/, '');
  input[name] = join(root, `${name}.ts`);
}

const bundle = await rolldown({
  cwd: root,
  input,
  // Modules of Node, and the packages that middleware is allowed.
  external: (id) => !/^[./]/.test(id) && !/^[A-Z]:/i.test(id),
  platform: 'neutral',
  tsconfig: false,
  // An entry exports what its source exports, and nothing for other files of the library.
  preserveEntrySignatures: 'strict',
  transform: { target: 'es2022' },
  onLog(level, log) {
    throw new Error(`rolldown, ${level}: ${log.message}`);
  },
});
await bundle.write({
  dir: dist,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'shared/[name].js',
  codeSplitting: {
    groups: [
      { name: 'core', test: /[\\/]core[\\/]/ },
      { name: 'fetch', test: /[\\/]adapters[\\/]fetch[\\/](?!light|hosted|presets|from-)/, minShareCount: 2 },
      // Hosted apps have light classes, which do something when they are loaded: a Worker's bundle must not keep that.
      { name: 'hosted-fetch', test: /[\\/]adapters[\\/]fetch[\\/](?:hosted|from-)/, minShareCount: 2 },
      // package.json names this chunk among those with an effect.
      { name: 'light-classes', test: /[\\/]adapters[\\/]fetch[\\/]light[\\/]/, minShareCount: 2 },
      { name: 'aws-lambda', test: /[\\/]adapters[\\/]aws-lambda[\\/]/, minShareCount: 2 },
      // What Google Cloud's functions take of it.
      { name: 'node', test: /[\\/]adapters[\\/]node[\\/]/, minShareCount: 2 },
    ],
  },
  // A bundler is told what has no effect; what a function does stands in its declaration.
  comments: { annotation: true, legal: false, jsdoc: false },
  sourcemap: true,
});
await bundle.close();
