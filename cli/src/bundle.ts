// Bundles a user's module with esbuild into one ESM file that this process imports. The user's own files are in it.
// Packages stay outside, under the absolute path that their importer means: the bundle runs from a temporary folder.

import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { RUNTIME_NAMES, RUNTIMES, runtimeNames } from './entry/runtime-names.ts';
import { CommandError, errorCode } from './errors.ts';
import { LOCATION_NAMES, locations, ownLocation } from './locations.ts';
import { workerModules } from './worker-modules.ts';

/** A bundle that was written. */
export interface Bundle {
  /** Absolute path of the file. */
  file: string;
  /** Absolute paths of the user's files in it, the entry first: what `--watch` watches. */
  inputs: string[];
}

/**
 * @param path a file as the user named it, relative to `cwd`
 * @returns its absolute path
 * @throws {CommandError} when there is no such file
 */
export async function findFile(path: string, cwd: string): Promise<string> {
  const file = resolve(cwd, path);
  let what: string;
  try {
    if ((await stat(file)).isFile()) return file;
    what = 'is not a file';
  } catch (error) {
    what = errorCode(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${errorCode(error)})`;
  }
  throw new CommandError(`${path} ${what}; expected a TypeScript or JavaScript module. Looked in ${cwd}.`);
}

/**
 * Bundles a module for this version of Node.
 *
 * @param entry absolute path of the module
 * @param outfile where the bundle goes, with an inline source map
 * @throws {CommandError} for a file that cannot be read or parsed, or an import that leads nowhere
 */
export async function bundleForNode(entry: string, outfile: string, cwd: string): Promise<Bundle> {
  const result = await runBuild(
    {
      entryPoints: [entry],
      outfile,
      platform: 'node',
      format: 'esm',
      target: `node${process.versions.node}`,
      sourcemap: 'inline',
      // Node's own conditions; esbuild's default adds "module", which Node does not know.
      conditions: [],
      define: { ...LOCATION_NAMES, ...RUNTIME_NAMES },
      inject: [RUNTIMES, RESERVED],
      banner: { js: requireBanner(pathToFileURL(entry).href) },
      plugins: [runtimeNames(), reservedNames(), locations(ownLocation), workerModules(), packagesOutside()],
    },
    cwd,
  );
  const inputs = userFiles(result, cwd);
  return { file: outfile, inputs: [entry, ...inputs.filter((path) => path !== entry)] };
}

/** Absolute paths of the files in a bundle that are neither a package's nor the command's own. */
export function userFiles(result: esbuild.BuildResult, cwd: string): string[] {
  const own = fileURLToPath(new URL('./', import.meta.url));
  return Object.keys(result.metafile?.inputs ?? {})
    .filter(
      (path) =>
        !path.includes('node_modules') && path !== '<stdin>' && !path.includes('<') && !path.startsWith(RESERVED),
    )
    .map((path) => resolve(cwd, path))
    .filter((path) => !path.startsWith(own));
}

/**
 * In an ES module nobody defines `require`, which bundled CommonJS files call.
 *
 * @param from the URL of the file that requires; the bundle's own when left out
 */
export function requireBanner(from?: string): string {
  const base = from === undefined ? 'import.meta.url' : JSON.stringify(from);
  return `import{createRequire as __waygateRequire}from'node:module';const require=__waygateRequire(${base});`;
}

const RESERVED = 'waygate-reserved-names';

/**
 * Keeps the names of {@link requireBanner} for it. A bundle of another build, such as one of `waygate build`, declares them
 * in a line of its own.
 */
function reservedNames(): esbuild.Plugin {
  return {
    name: RESERVED,
    setup(build) {
      build.onResolve({ filter: /^waygate-reserved-names$/ }, ({ path }) => ({ path, namespace: RESERVED }));
      const contents = 'void [typeof require, typeof __waygateRequire];';
      build.onLoad({ filter: /./, namespace: RESERVED }, () => ({ contents }));
    },
  };
}

/**
 * Runs esbuild, silently, and turns its messages into one line.
 *
 * @throws {CommandError}
 */
export async function runBuild(options: esbuild.BuildOptions, cwd: string): Promise<esbuild.BuildResult> {
  try {
    return await esbuild.build({
      bundle: true,
      metafile: true,
      logLevel: 'silent',
      absWorkingDir: cwd,
      // A program such as Express's bin/www has no extension.
      loader: { '': 'js' },
      ...options,
    });
  } catch (error) {
    const { errors } = error as Partial<esbuild.BuildFailure>;
    const first = errors?.[0];
    if (errors === undefined || first === undefined) throw error;
    const at = first.location ? `${first.location.file}:${first.location.line}:${first.location.column + 1}: ` : '';
    const hint = unresolvedHint(errors);
    const rest = errors.length === 1 || hint !== '' ? hint : ` (and ${errors.length - 1} more; --verbose shows all)`;
    const details = (await esbuild.formatMessages(errors, { kind: 'error', color: false })).join('').trim();
    throw new CommandError(`${at}${first.text}${rest}`, { details });
  }
}

/** Marks a resolution that a plugin asks for itself. */
export const RESOLVED: unique symbol = Symbol('resolved');

/** What to do about packages that packages import and that are not installed: most are optional. */
function unresolvedHint(errors: readonly esbuild.Message[]): string {
  const names = errors.map(({ text, location }) => {
    const [, specifier] = /^Could not resolve "([^"]+)"/.exec(text) ?? [];
    const name = specifier && packageName(specifier);
    return location?.file.includes('node_modules') ? name : undefined;
  });
  if (names.includes(undefined)) return '';
  const flags = [...new Set(names)].map((name) => `--external ${name}`).join(' ');
  return `; if the app does without, as it does while they are not installed, build with ${flags}`;
}

/** The package that a bare specifier names, or undefined for a path, a URL and `#internal`. */
export function packageName(specifier: string): string | undefined {
  return /^(?:@[^/\s:]+\/)?[^@./#\s:][^/\s:]*(?=\/|$)/.exec(specifier)?.[0];
}

/** Leaves packages outside the bundle. */
function packagesOutside(): esbuild.Plugin {
  return {
    name: 'packages-outside',
    setup(build) {
      // Neither relative nor absolute: a package, an alias of tsconfig.json, or a module of the platform.
      build.onResolve({ filter: /^[^./]/ }, async (args) => {
        if (args.pluginData === RESOLVED || args.kind === 'entry-point') return;
        const found = await build.resolve(args.path, {
          kind: args.kind,
          importer: args.importer,
          namespace: args.namespace,
          resolveDir: args.resolveDir,
          pluginData: RESOLVED,
        });
        const own = found.errors.length > 0 ? ownPackage(args.path) : undefined;
        if (own !== undefined) return { path: outsidePath(own, args.kind), external: true };
        // What leads nowhere may be optional, or a module of another platform: Node says so when it gets there.
        if (found.errors.length > 0)
          return isPlatformModule(args.path) ? { path: args.path, external: true } : undefined;
        if (found.external || !found.path.includes('node_modules')) return found;
        return { path: outsidePath(found.path, args.kind), external: true };
      });
    },
  };
}

/** `import` takes URLs, `require` takes paths. */
function outsidePath(path: string, kind: esbuild.ImportKind): string {
  return kind === 'require-call' || kind === 'require-resolve' ? path : pathToFileURL(path).href;
}

function isPlatformModule(specifier: string): boolean {
  return /^(?:cloudflare|workerd|bun|node|npm|jsr|https?|data|file):/.test(specifier);
}

/** The command's own copy of the library, for an app in a folder where it is not installed; else undefined. */
export function ownPackage(specifier: string): string | undefined {
  if (!/^waygate(?:\/|$)/.test(specifier)) return undefined;
  try {
    return fileURLToPath(import.meta.resolve(specifier));
  } catch {
    return undefined;
  }
}

/** A bundler plugin that finds the library in the command's own copy where the app's folder has none. */
export function ownLibrary(): esbuild.Plugin {
  return {
    name: 'own-library',
    setup(build) {
      build.onResolve({ filter: /^waygate(?:\/|$)/ }, async (args) => {
        if (args.pluginData === RESOLVED) return;
        const found = await build.resolve(args.path, {
          kind: args.kind,
          resolveDir: args.resolveDir,
          pluginData: RESOLVED,
        });
        if (found.errors.length === 0) return found;
        const own = ownPackage(args.path);
        return own === undefined ? undefined : { path: own };
      });
    },
  };
}

/** Where a package that the user may have installed stands: found from the app, then from the command. */
export function findPackage(name: string, from: string): string | undefined {
  for (const base of [pathToFileURL(from).href, import.meta.url]) {
    try {
      return dirname(createRequire(base).resolve(`${name}/package.json`));
    } catch {}
  }
  return undefined;
}

/** A path as it is shown: relative to `cwd` when it stands below. */
export function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short !== '' && !short.startsWith('..') && !isAbsolute(short) ? short : path;
}
