// `--env-file`: variables for the app from files, as Node's own option of that name reads them.

import { parseEnv } from 'node:util';
import type { Io } from './output.ts';
import { readInput } from './request.ts';

/**
 * Adds the variables of files to the environment of this process, and so to that of the processes it starts. What the
 * environment has already stays as it is; of several files the later one wins.
 *
 * @param files paths as the user named them
 * @throws {CommandError} for a file that cannot be read
 */
export async function loadEnvFiles(files: readonly string[], io: Io): Promise<void> {
  const variables: Record<string, string> = {};
  for (const file of files) Object.assign(variables, parseEnv((await readInput(file, io)).toString()));
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
}
