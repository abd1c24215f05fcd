// The Node versions that Waygate is held to, and where their programs are: the npm package `node`, which holds the binary
// for this machine, installed into `.runtimes/` on first use.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** One release of each line that is supported, oldest first. `engines` of package.json says since when. */
export const NODE_VERSIONS = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

/** Those on which the unit tests do not run when this process runs them. */
export const OTHER_NODE_VERSIONS = NODE_VERSIONS.filter(
  (version) => version.split('.')[0] !== process.versions.node.split('.')[0],
);

/**
 * The path of a Node of this version: the running one where it is that, else one from npm.
 *
 * @param {string} version a full version, for example `'24.21.0'`
 * @returns {string} the path of the program
 * @throws when npm cannot install it
 */
export function nodeRuntime(version) {
  if (version === process.versions.node) return process.execPath;
  const folder = `${ROOT}.runtimes/node-${version}`;
  const path = `${folder}/node_modules/node/bin/node`;
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    // With the scripts of the package: they put the binary for this machine in place.
    const args = ['install', '--no-save', '--no-package-lock', '--ignore-scripts=false', '--no-audit', '--no-fund'];
    execFileSync('npm', [...args, '--prefix', folder, `node@${version}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return path;
}
