// `npm run release:version`: turns the files of .changeset/ into the next version. `changeset version` raises the versions and writes
// the changelogs; this adds the two places that it does not know: the range of `waygate` in the command's peer dependencies,
// and jsr.json. All packages have one version.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The versions of `waygate` that a command of this version works with: from its own up to the next major one. */
export const peerRange = (/** @type {string} */ version) => `>=${version} <${Number.parseInt(version, 10) + 1}.0.0`;

/** @param {string} root the folder of the repository */
export function followVersion(root) {
  const read = (/** @type {string} */ path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const write = (/** @type {string} */ path, /** @type {object} */ value) =>
    writeFileSync(join(root, path), `${JSON.stringify(value, null, 2)}\n`);
  const { version } = read('package.json');
  const cli = read('cli/package.json');
  cli.peerDependencies.waygate = peerRange(version);
  write('cli/package.json', cli);
  write('jsr.json', { ...read('jsr.json'), version });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.cwd();
  const changeset = fileURLToPath(new URL('../node_modules/@changesets/cli/bin.js', import.meta.url));
  if (!existsSync(join(root, '.changeset/config.json'))) {
    console.error(`There is no .changeset/config.json in ${root}. Run this in the folder of the repository.`);
    process.exit(2);
  }
  const { status } = spawnSync(process.execPath, [changeset, 'version'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  followVersion(root);
}
