// The folder that is uploaded as a Web Function: the bundle, the module that Lambda starts, and what goes with them.

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { shownPath } from '../bundle.ts';
import { CommandError, errorCode } from '../errors.ts';
import { writeOutput } from '../write.ts';

/** What Lambda starts. https://docs.aws.amazon.com/lambda/latest/dg/web-functions-nodejs.html */
export const ENTRY = 'index.js';

/** Stacks name the sources. Whether a package.json beside it makes a .js file an ES module or not, import() works in it. */
const ENTRY_CODE = "process.setSourceMapsEnabled(true);\nimport('./index.mjs');\n";

/**
 * Empties the folder of an earlier build: what is in it would be uploaded.
 *
 * @param folder absolute path
 * @throws {CommandError} for a folder that no build has made
 */
export async function clearCode(folder: string, cwd: string): Promise<void> {
  const entry = await readFile(join(folder, ENTRY), 'utf8').catch((error) => {
    const code = errorCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' ? undefined : Promise.reject(error);
  });
  if (entry === ENTRY_CODE) await rm(folder, { recursive: true });
  else if (entry !== undefined || !(await isEmpty(folder))) {
    throw new CommandError(
      `${shownPath(folder, cwd)} holds files that no build has made, and all of it would be uploaded. Choose another --out.`,
    );
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((error) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.length === 0;
}

/** Writes the module that Lambda starts. */
export async function writeEntry(folder: string): Promise<void> {
  await writeOutput(join(folder, ENTRY), ENTRY_CODE);
}
