// Runs the own test suites of connect packages, by themselves and with the tested middleware around a Waygate application
// (harness.cjs). docs/hosted-apps.md has the counts and what cannot hold.
//
//   node tools/connect-suites/run.mjs FOLDER...
//
// Each FOLDER is a checkout of compression, cors, morgan, serve-static, express-session or connect in which its tests run by
// themselves: its packages are installed, in it or in a folder above, and mocha is among them. helmet's tests run under
// node:test: there, wrap the middleware that test/helpers.ts calls in `through` of harness.cjs.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folders = process.argv.slice(2).map((folder) => resolve(folder));
if (folders.length === 0) {
  console.error('Expected the folders of checkouts: node tools/connect-suites/run.mjs ../compression ../cors');
  process.exit(2);
}

const waygate = join(mkdtempSync(join(tmpdir(), 'waygate-')), 'waygate.cjs');
await build({
  entryPoints: [fileURLToPath(new URL('../../adapters/node/index.ts', import.meta.url))],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  outfile: waygate,
  logLevel: 'error',
});
const harness = fileURLToPath(new URL('harness.cjs', import.meta.url));

/**
 * Runs the tests of one checkout.
 *
 * @param {string} folder
 * @param {boolean} isThrough whether the tested middleware stands around a Waygate application
 * @returns the lines that count them, and the names of those that fail
 */
function run(folder, isThrough) {
  const require = createRequire(join(folder, 'package.json'));
  // Its name differs: `mocha` in older ones, `mocha.js` in newer ones.
  const mocha = join(dirname(require.resolve('mocha/package.json')), require('mocha/package.json').bin.mocha);
  const env = existsSync(join(folder, 'test/support/env.js')) ? ['--require', 'test/support/env'] : [];
  const tests = readdirSync(join(folder, 'test')).filter((name) => name.endsWith('.js'));
  const { stdout } = spawnSync(
    process.execPath,
    [
      mocha,
      ...['--exit', '--timeout', '10000', '--reporter', 'dot', ...env],
      ...(isThrough ? ['--require', harness] : []),
      ...tests.map((name) => join('test', name)),
    ],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'test', WAYGATE: waygate, SUITE: folder } },
  );
  const counts = stdout.match(/^.*(?:passing|failing|pending|through Waygate).*$/gm) ?? ['no tests were run'];
  const failures = stdout.match(/^ {2}[0-9]+\) [\s\S]*?(?=:\n)/gm) ?? [];
  return { counts: counts.map((line) => line.trim()).join(', '), failures };
}

for (const folder of folders) {
  console.log(`${basename(folder)} by itself: ${run(folder, false).counts}`);
  const { counts, failures } = run(folder, true);
  console.log(`${basename(folder)} through Waygate: ${counts}`);
  for (const failure of failures) console.log(`  ${failure.trim().replace(/\s+/g, ' ')}`);
}
