// Wrangler, which runs and deploys Workers: where it is installed, and with which configuration it is called.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ParseError, parse as parseJsonc, printParseErrorCode } from 'jsonc-parser';
import { parse as parseToml, TomlError } from 'smol-toml';
import type { Built } from './build.ts';
import { findPackage, shownPath } from './bundle.ts';
import { CommandError } from './errors.ts';

/** The names of wrangler's configuration, in the order in which it looks for them. */
export const WRANGLER_CONFIGS: readonly string[] = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml'];

/** From this date on workerd has the parts of `node:http` that a hosted listener is made of. */
const NODE_HTTP_DATE = '2025-09-01';
/** The flags that stand for that date. https://developers.cloudflare.com/workers/configuration/compatibility-flags/ */
const NODE_HTTP_FLAGS = ['enable_nodejs_http_modules', 'enable_nodejs_http_server_modules'];

/** How wrangler is run: by this Node, from where the app's project has it; undefined when it is not installed. */
export function wranglerFile(from: string): string[] | undefined {
  const folder = findPackage('wrangler', from);
  return folder === undefined ? undefined : [process.execPath, join(folder, 'bin', 'wrangler.js')];
}

/** The first of these files that the folder has, as it is shown. */
export function projectFile(names: readonly string[], cwd: string): string | undefined {
  const own = names.map((name) => join(cwd, name)).find((file) => existsSync(file));
  return own && shownPath(own, cwd);
}

/**
 * The wrangler configuration to use, as it is shown: the project's own, with its bindings, before the one that was built.
 *
 * @param args further arguments of wrangler; a compatibility date or flag among them is taken at its word
 * @throws {CommandError} when the project's own cannot be parsed, or gives workerd no `node:http` and a Node listener is in
 *   the bundle
 */
export async function wranglerConfigOf(built: Built, cwd: string, args: readonly string[] = []): Promise<string> {
  const config = projectFile(WRANGLER_CONFIGS, cwd) ?? shownPath(built.config as string, cwd);
  if (!built.hostsNode || args.some((each) => each.startsWith('--compatibility-'))) return config;
  const lack = whatNodeLacks(
    parseConfig(config, await readFile(resolve(cwd, config), 'utf8')),
    environmentOf(args) ?? process.env.CLOUDFLARE_ENV,
  );
  if (lack === undefined) return config;
  throw new CommandError(
    `${config} ${lack}; a Node listener in workerd needs the compatibility flag "nodejs_compat" and a ` +
      `compatibility date of ${NODE_HTTP_DATE} or later.`,
  );
}

/** The environment that `--env staging`, `--env=staging` or `-e staging` chooses. */
function environmentOf(args: readonly string[]): string | undefined {
  for (const [index, each] of args.entries()) {
    if (each === '--env' || each === '-e') return args[index + 1];
    if (each.startsWith('--env=')) return each.slice('--env='.length);
  }
  return undefined;
}

type Table = Record<string, unknown>;

/**
 * Parses a configuration: TOML, or JSON with comments and trailing commas, as wrangler reads it.
 *
 * @param file its name, which says which of the two it is
 * @throws {CommandError} saying where it cannot be parsed
 */
export function parseConfig(file: string, text: string): Table {
  if (file.endsWith('.toml')) {
    try {
      return parseToml(text);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const [first = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
      throw new CommandError(`${file} is not valid TOML: line ${error.line}, column ${error.column}: ${first}.`);
    }
  }
  const errors: ParseError[] = [];
  const value: unknown = parseJsonc(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  const [first] = errors;
  if (first !== undefined) {
    const before = text.slice(0, first.offset).split('\n');
    const column = (before.at(-1) as string).length + 1;
    const what = printParseErrorCode(first.error);
    throw new CommandError(`${file} is not valid JSON: line ${before.length}, column ${column}: ${what}.`);
  }
  return table(value);
}

function table(value: unknown): Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : {};
}

/**
 * What keeps workerd from having `node:http` with this configuration, or undefined.
 *
 * @param environment the one that wrangler is told to use. Without it, any environment that has what is needed will do:
 *   wrangler is left to judge which one is meant
 */
export function whatNodeLacks(config: Table, environment?: string): string | undefined {
  const environments = table(config.env);
  const chosen = environment !== undefined && Object.hasOwn(environments, environment) ? environment : undefined;
  const parts = chosen === undefined ? [{}, ...Object.values(environments)] : [environments[chosen]];
  // An environment inherits both from the top unless it has its own.
  const lacks = parts.map((part) => lackOf({ ...config, ...table(part) }));
  return lacks.includes(undefined) ? undefined : lacks[0];
}

function lackOf({ compatibility_flags, compatibility_date }: Table): string | undefined {
  const flags = Array.isArray(compatibility_flags) ? compatibility_flags : [];
  if (!flags.some((flag) => flag === 'nodejs_compat' || flag === 'nodejs_compat_v2')) {
    return 'has no compatibility flag "nodejs_compat"';
  }
  if (NODE_HTTP_FLAGS.every((flag) => flags.includes(flag))) return undefined;
  // TOML has dates of its own.
  const date = compatibility_date instanceof Date ? compatibility_date.toISOString().slice(0, 10) : compatibility_date;
  // Without a date wrangler takes today's or refuses: either way it says so itself.
  return typeof date === 'string' && date < NODE_HTTP_DATE ? `has the compatibility date ${date}` : undefined;
}
