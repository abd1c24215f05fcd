// Waygate as it was built: the one of this checkout, or of the checkout that WAYGATE_ROOT names (`--before=FOLDER`).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The checkout whose build is measured. */
export const root = process.env.WAYGATE_ROOT ?? fileURLToPath(new URL('../..', import.meta.url));

/**
 * The file behind an entry of the package, as its package.json has it.
 *
 * @param {string} entry such as `waygate/node`
 * @param {string} [folder] the checkout
 * @returns {string} an absolute path
 */
export function fileOf(entry, folder = root) {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const found = exports[entry.replace(/^waygate/, '.')];
  if (found === undefined) throw new Error(`${folder} exports no ${entry}`);
  return join(folder, typeof found === 'string' ? found : found.default);
}

/** Imports an entry of the package. */
export const load = (entry) => import(pathToFileURL(fileOf(entry)).href);
