// The bundle of `waygate build`: the app's module, the adapter around it, and, unless --no-bundle is given, its packages.

import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname } from 'node:path';
import type { Metafile, OutputFile, Plugin } from 'esbuild';
import type { BuildOptions } from './build-options.ts';
import { ownLibrary, RESOLVED, requireBanner, runBuild, userFiles } from './bundle.ts';
import { RUNTIME_NAMES, RUNTIMES, runtimeNames } from './entry/runtime-names.ts';
import { isAssignment, LIGHT_CLASSES, lightClasses, wantsLightClasses } from './light-classes.ts';
import { LOCATION_BANNER, LOCATION_NAMES, locations, placedLocation, placeOf } from './locations.ts';
import { type AppImport, PRODUCTION, type Target } from './targets.ts';

/** What is bundled, and where to. */
export interface BundleTask {
  target: Target;
  app: AppImport;
  /** Absolute path of the app's module. */
  file: string;
  /** Absolute path of the folder that the bundle's folder stands for: places of files are taken from here. */
  root: string;
  /** Absolute path of the bundle. */
  outfile: string;
  options: BuildOptions;
}

/** What is in a bundle. */
export interface BundleContents {
  /** Absolute paths of the user's files. */
  inputs: string[];
  /** Whether a Node listener is hosted in it. */
  hostsNode: boolean;
  /** Absolute paths of the packages' files that it imports and that are not in it. */
  kept: string[];
  /** The bundle and its source map, yet to be written. */
  files: OutputFile[];
  /** What esbuild says about it; its paths start from the root. */
  metafile: Metafile;
}

/** @throws {CommandError} for a file that cannot be read or parsed, or an import that leads nowhere */
export async function bundleApp(task: BundleTask): Promise<BundleContents> {
  const light = wantsLightClasses(task.target, task.app, task.options);
  try {
    return await bundle(task, light);
  } catch (error) {
    if (!light || !isAssignment(error)) throw error;
    return bundle(task, false);
  }
}

async function bundle(
  { target, app, file, root, outfile, options }: BundleTask,
  light: boolean,
): Promise<BundleContents> {
  const bundlers = target.nodeBundler !== undefined && app.kind === 'node' ? target.nodeBundler : target.bundler;
  const { define, external = [], ...bundler } = { ...PRODUCTION, ...bundlers };
  const kept = new Set<string>();
  const plugins = [runtimeNames(), nodeModules(target.needsRequire), addons(root)];
  if (options.bundle === false) plugins.push(keepPackages(root, kept));
  plugins.push(ownLibrary());
  if (light) plugins.push(lightClasses(dirname(file)));
  // Without Node's modules a module has no place: Workers have no file system.
  if (target.needsRequire) plugins.push(locations(placedLocation(root)));
  const result = await runBuild(
    {
      ...bundler,
      external: [...external, ...(options.external ?? [])],
      define: { ...define, ...RUNTIME_NAMES, ...(target.needsRequire ? LOCATION_NAMES : {}) },
      stdin: {
        contents: target.entry(app, options),
        resolveDir: dirname(file),
        // As an .mts file it gets the exports of a CommonJS module as Node gives them: as one object.
        sourcefile: `waygate-${target.name}.mts`,
        loader: 'ts',
      },
      inject: light ? [LIGHT_CLASSES, RUNTIMES] : [RUNTIMES],
      outfile,
      write: false,
      format: 'esm',
      // The names of errors and of functions in stacks are for people. A module with short names also takes longer to load,
      // an Express app a tenth. But where there is no file system, the size of a module is limited.
      minifyWhitespace: true,
      minifySyntax: true,
      minifyIdentifiers: !target.needsRequire,
      keepNames: !target.needsRequire,
      sourcemap: true,
      legalComments: 'none',
      charset: 'utf8',
      banner: target.needsRequire ? { js: requireBanner() + LOCATION_BANNER } : {},
      plugins,
    },
    // The same paths in the source map, wherever the project stands.
    root,
  );
  const metafile = result.metafile as Metafile;
  const hostsNode =
    Object.values(metafile.outputs).some(({ imports }) => imports.some(({ path }) => path === 'node:http')) ||
    (result.outputFiles ?? []).some(({ text }) => ASKS_FOR_HTTP.test(text));
  // The entry is not a file.
  const inputs = userFiles(result, root).filter((path) => existsSync(path));
  return { inputs, hostsNode, kept: [...kept], metafile, files: result.outputFiles ?? [] };
}

/** What hosts a Node listener makes its requests of the classes of node:http, for which the library asks in this way. */
const ASKS_FOR_HTTP = /getBuiltinModule\(["'`]node:http["'`]\)/;

const REQUIRED = 'required-module-of-node';

/**
 * Modules of Node stay outside, under the names that every runtime knows.
 *
 * @param canRequire whether `require` reaches them; else they are imported for it
 */
function nodeModules(canRequire: boolean): Plugin {
  const names = new Set(builtinModules);
  return {
    name: 'node-modules',
    setup(build) {
      build.onResolve({ filter: /^(?:node:)?[a-z_/0-9]+$/ }, ({ path, kind }) => {
        const bare = path.replace(/^node:/, '');
        if (path === bare && !names.has(bare)) return;
        if (kind === 'require-call' && !canRequire) return { path: `node:${bare}`, namespace: REQUIRED };
        return { path: `node:${bare}`, external: true, sideEffects: false };
      });
      build.onLoad({ filter: /./, namespace: REQUIRED }, ({ path }) => ({
        contents: `import required from ${JSON.stringify(path)};\nmodule.exports = required;\n`,
      }));
    },
  };
}

/** Native addons stay files: the bundle loads them from their place beside it, where --include puts them. */
function addons(root: string): Plugin {
  return {
    name: 'addons',
    setup(build) {
      build.onResolve({ filter: /\.node$/ }, async (args) => {
        if (args.pluginData === RESOLVED) return;
        const { path, errors } = await build.resolve(args.path, { ...resolution(args), pluginData: RESOLVED });
        return errors.length > 0 ? undefined : { path: `./${placeOf(path, root)}`, external: true };
      });
    },
  };
}

/**
 * Leaves packages outside, under their own names. A package that the bundle would not find from its own place is bundled
 * all the same, such as one that only a workspace has.
 *
 * @param kept gets the files that are left outside
 */
function keepPackages(root: string, kept: Set<string>): Plugin {
  return {
    name: 'keep-packages',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async (args) => {
        if (args.pluginData === RESOLVED || args.kind === 'entry-point') return;
        const asked = { ...resolution(args), pluginData: RESOLVED };
        const found = await build.resolve(args.path, asked);
        if (found.errors.length > 0 || found.external || !found.path.includes('node_modules')) return undefined;
        const fromRoot = await build.resolve(args.path, { ...asked, resolveDir: root, importer: '' });
        if (fromRoot.path !== found.path) return undefined;
        kept.add(found.path);
        return { path: args.path, external: true };
      });
    },
  };
}

type Asked = Parameters<Parameters<Parameters<Plugin['setup']>[0]['onResolve']>[1]>[0];

function resolution({ kind, importer, namespace, resolveDir }: Asked): Omit<Asked, 'path' | 'pluginData' | 'with'> {
  return { kind, importer, namespace, resolveDir };
}
