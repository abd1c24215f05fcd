// Wrangler, which runs and deploys Workers: where it is installed, and with which configuration it is called.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Built } from './build.ts';
import { findPackage, shownPath } from './bundle.ts';
import { CommandError } from './errors.ts';

/** The names of wrangler's configuration, in the order in which it looks for them. */
const CONFIGS = ['wrangler.jsonc', 'wrangler.json', 'wrangler.toml'];

/** From this date on workerd has the parts of `node:http` that a hosted listener is made of. */
const NODE_HTTP_DATE = '2025-09-01';
/** The flags that stand for that date. https://developers.cloudflare.com/workers/configuration/compatibility-flags/ */
const NODE_HTTP_FLAGS = ['enable_nodejs_http_modules', 'enable_nodejs_http_server_modules'];

/** How wrangler is run: by this Node, from where the app's project has it; undefined when it is not installed. */
export function wranglerFile(from: string): string[] | undefined {
  const folder = findPackage('wrangler', from);
  return folder === undefined ? undefined : [process.execPath, join(folder, 'bin', 'wrangler.js')];
}

/** The configuration of a project is better than the one that was built: the first of these files, else the latter. */
export function projectFile(names: readonly string[], built: string | undefined, cwd: string): string {
  const own = names.map((name) => join(cwd, name)).find((file) => existsSync(file));
  return shownPath(own ?? (built as string), cwd);
}

/**
 * The wrangler configuration to use, as it is shown: the project's own, with its bindings, before the one that was built.
 *
 * @param args what else wrangler is told; a compatibility date or flag among it is taken at its word
 * @throws {CommandError} when the project's own gives workerd no `node:http` and a Node listener is in the bundle
 */
export async function wranglerConfigOf(built: Built, cwd: string, args: readonly string[] = []): Promise<string> {
  const config = projectFile(CONFIGS, built.config, cwd);
  if (!built.hostsNode || args.some((each) => each.startsWith('--compatibility-'))) return config;
  const lack = whatNodeLacks(await readFile(resolve(cwd, config), 'utf8'));
  if (lack === undefined) return config;
  throw new CommandError(
    `${config} ${lack}; a Node listener in workerd needs the compatibility flag "nodejs_compat" and a ` +
      `compatibility date of ${NODE_HTTP_DATE} or later.`,
  );
}

/**
 * What of the text of a configuration keeps workerd from having `node:http`, or undefined. An environment may override the
 * rest of the file: where any part of it says what is needed, wrangler is left to judge.
 */
export function whatNodeLacks(text: string): string | undefined {
  // Comments go, strings stay: one of them may hold what begins a comment.
  const plain = text.replace(/("(?:\\.|[^"\\\n])*"|'[^'\n]*')|#.*|\/\/.*|\/\*[\s\S]*?\*\//g, '$1');
  const names = (flag: string): boolean => new RegExp(`["']${flag}["']`).test(plain);
  if (!names('nodejs_compat(?:_v2)?')) return 'has no compatibility flag "nodejs_compat"';
  if (NODE_HTTP_FLAGS.every(names)) return undefined;
  const dates = [...plain.matchAll(/compatibility_date["']?\s*[=:]\s*["']?([\d-]+)/g)].map(([, date = '']) => date);
  const newest = dates.sort().at(-1);
  return newest !== undefined && newest < NODE_HTTP_DATE ? `has the compatibility date ${newest}` : undefined;
}
