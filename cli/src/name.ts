// The names under which a target knows an app: found in the project, or given with --name.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { CommandError, errorCode, oneLine, usageError } from './errors.ts';
import type { TargetName } from './targets.ts';

/** The longest name that is made: a Worker's is a label of a host name, and wrangler adds to it for previews. */
const LONGEST = 54;

/** What --name may be on each target that has names. */
const ALLOWED: Partial<Record<TargetName, { pattern: RegExp; words: string }>> = {
  workers: {
    pattern: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    words: 'a Worker: 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end',
  },
  lambda: stackName(),
  'lambda-edge': stackName(),
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-webfunction.html
  'lambda-web': {
    pattern: /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}[A-Za-z0-9]$/,
    words: 'a Web Function: 2 to 64 letters, digits, hyphens and underscores, with a letter or digit at both ends',
  },
  'google-cloud': packageName(),
  'azure-functions': packageName(),
  fastly: packageName(),
};

/** It becomes the name of a package. https://docs.npmjs.com/cli/configuring-npm/package-json#name */
function packageName(): { pattern: RegExp; words: string } {
  return {
    pattern: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    words: 'a function: 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end',
  };
}

function stackName(): { pattern: RegExp; words: string } {
  return {
    pattern: /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
    words: 'a CloudFormation stack: a letter, then up to 127 letters, digits and hyphens',
  };
}

/**
 * Makes a name that Workers and CloudFormation both take: lower-case letters, digits and hyphens. Two texts that are too
 * long, or have nothing that may stay, get different names.
 */
export function deploymentName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '');
  if (text === '') return 'app';
  if (name === '') return `app-${digest(text)}`;
  if (name.length <= LONGEST) return name;
  return `${name.slice(0, LONGEST - 9).replace(/-+$/, '')}-${digest(text)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** A project: the folder that holds its package.json, and what that says. */
export interface Project {
  /** Absolute path of the folder. */
  folder: string;
  /** What package.json holds; empty where there is none. */
  manifest: Record<string, unknown>;
}

/**
 * Finds the project that a folder belongs to: the nearest folder at or above it with a package.json.
 *
 * @param folder absolute path
 * @returns undefined when there is none
 * @throws {CommandError} for a package.json that is not valid JSON
 */
export async function findProject(folder: string): Promise<Project | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'package.json');
    try {
      const manifest: unknown = JSON.parse(await readFile(file, 'utf8'));
      return { folder: at, manifest: manifest !== null && typeof manifest === 'object' ? { ...manifest } : {} };
    } catch (error) {
      if (error instanceof SyntaxError) throw new CommandError(`${file} is not valid JSON: ${oneLine(error)}.`);
      if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errorCode(error) ?? '')) throw error;
    }
    if (dirname(at) === at) return undefined;
  }
}

/**
 * The name of an app for a target: the one that was asked for, else one made of its project's name.
 *
 * @param file absolute path of the app
 * @param asked the value of --name
 * @throws {CommandError} for a --name that the target does not take
 */
export async function nameOf(file: string, target: TargetName, cwd: string, asked?: string): Promise<string> {
  if (asked !== undefined) {
    const allowed = ALLOWED[target];
    if (allowed?.pattern.test(asked) === false) {
      throw usageError(`"${asked}" cannot name ${allowed.words}. Choose another --name.`);
    }
    return asked;
  }
  const project = await findProject(dirname(file));
  const own = project?.manifest.name;
  // Without a package.json the folder that the command runs in is the project, where it holds the app.
  const folder = project?.folder ?? (relative(cwd, file).startsWith('..') ? dirname(file) : cwd);
  const name = deploymentName(typeof own === 'string' && own !== '' ? own : basename(folder));
  // Both are stacks: with one name the second to be deployed would replace the first.
  if (target === 'lambda-edge') return `${name}-edge`;
  return target === 'lambda-web' && name.length === 1 ? `${name}-web` : name;
}
