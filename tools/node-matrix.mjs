// Runs the unit tests on every Node version of node-runtimes.mjs, one version after the other.
//
// usage: node tools/node-matrix.mjs [--only MAJOR,…] [--others] [PATH…]
//   --only MAJOR,…   these versions only, for example --only 24,26
//   --others         all versions but the major one that runs this program
//   PATH…            test files or folders; default: all unit tests

import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NODE_VERSIONS, nodeRuntime } from './node-runtimes.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const { values: options, positionals: paths } = parseArgs({
  options: { only: { type: 'string' }, others: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const major = (/** @type {string} */ version) => version.split('.')[0];
const only = options.only?.split(',');
const versions = NODE_VERSIONS.filter(
  (version) =>
    (only === undefined || only.includes(String(major(version)))) &&
    !(options.others && major(version) === major(process.versions.node)),
);
if (versions.length === 0) {
  console.error(`No version to run: expected some of ${NODE_VERSIONS.map(major).join(', ')} after --only.`);
  process.exit(2);
}

/** @type {string[]} */
const failed = [];
for (const version of versions) {
  const node = nodeRuntime(version);
  const started = performance.now();
  console.log(`Node ${version}`);
  // Tests that start `node` as a child mean this one as well.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'dot'];
  const { status } = spawnSync(node, [...args, '--reporter', './tools/closing-line-reporter.ts', ...paths], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`Node ${version}: ${status === 0 ? 'ok' : `FAILED with status ${status}`} after ${seconds} s`);
  if (status !== 0) failed.push(version);
}
if (failed.length > 0) console.log(`failed: Node ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
