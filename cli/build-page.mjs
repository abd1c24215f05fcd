// Builds the inspector's page into dist/: one script with its libraries, the styles, and their licences. Users build nothing.
//
// usage: node build-page.mjs

import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('.', import.meta.url));
const source = join(root, 'page');
const target = join(root, 'dist', 'inspect', 'page');

mkdirSync(target, { recursive: true });
await build({
  entryPoints: [join(source, 'main.ts')],
  outdir: target,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg', 'style.css', 'docs.css']) cpSync(join(source, name), join(target, name));

const { resolve } = createRequire(import.meta.url);
const licences = ['preact', 'htm'].map((name) => {
  let folder = dirname(resolve(name));
  while (!existsSync(join(folder, 'LICENSE'))) folder = dirname(folder);
  return `${name}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`;
});
writeFileSync(join(target, 'LICENSES.txt'), `The script of this page contains:\n\n${licences.join('\n\n')}`);
