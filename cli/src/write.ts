// Writing into a user's folders without following what somebody else put there.

import { randomUUID } from 'node:crypto';
import { lstat, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { CommandError, errorCode, oneLine } from './errors.ts';

/** Whether a path is a folder or stands in it. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/**
 * Makes a folder for a result.
 *
 * @param folder absolute path
 * @param cwd where the command runs: below it, no symbolic link may lead out of it
 * @throws {CommandError} when one does, or the folder cannot be made
 */
export async function makeFolder(folder: string, cwd: string): Promise<void> {
  if (isWithin(cwd, folder)) {
    const root = await realpath(cwd);
    for (let at = folder; at !== cwd && isWithin(cwd, at); at = dirname(at)) {
      const target = await linkTarget(at);
      if (target !== undefined && !isWithin(root, target)) {
        throw new CommandError(
          `${relative(cwd, at)} is a symbolic link to ${target}, outside of this folder; nothing was written. ` +
            'Remove the link, or name the folder itself with --out.',
        );
      }
    }
  }
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
    throw new CommandError(`${folder} cannot be a folder: a file stands in its way. Choose another.`);
  }
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return undefined;
  } catch {
    return undefined;
  }
  try {
    return await realpath(path);
  } catch (error) {
    throw new CommandError(`${path} is a symbolic link that leads nowhere (${oneLine(error)}); remove it.`);
  }
}

/**
 * Writes a file whole or not at all. A symbolic link in its place is replaced, not followed.
 *
 * @param mode the permissions of the file
 * @throws {CommandError} when a folder stands in its place
 */
export async function writeOutput(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.waygate-${randomUUID()}`);
  try {
    await writeFile(temporary, content, { flag: 'wx', mode });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (errorCode(error) === 'EISDIR') throw new CommandError(`${path} cannot be written: a folder has its name.`);
    throw error;
  }
}
