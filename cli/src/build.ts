// `waygate build`: an app as one minified ES module for a target, and around it what the target's own tool uploads.

import { readFile, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'esbuild';
import { archive } from './archive.ts';
import { findFile, ownLibrary, requireBanner, runBuild, shownPath, userFiles } from './bundle.ts';
import { CommandError, usageError } from './errors.ts';
import type { Kind } from './kind.ts';
import { loadApp } from './load.ts';
import { formatSize, type Output } from './output.ts';
import { type AppImport, PRODUCTION, TARGETS, type Target, type TargetName } from './targets.ts';
import { edgeTemplate, type FrontDoor, lambdaTemplate, wranglerConfig } from './templates.ts';

/** Options of `waygate build`. */
export interface BuildOptions {
  target: TargetName;
  /** The folder for the result; `dist/<target>` when left out. */
  out?: string;
  kind?: Kind;
  /** `lambda`: whether responses are streamed. */
  stream?: boolean;
  /** `lambda`: the front door that the template sets up. */
  source?: FrontDoor;
  /** `workers`: whether the validator stands around the app. */
  validate?: boolean;
  /** The name that the target knows the app under; that of the app's folder when left out. */
  name?: string;
}

/** What was built. */
export interface Built {
  /** Absolute path of the folder. */
  folder: string;
  /** What the target knows the app under. */
  name: string;
  /** Absolute path of the bundle. */
  main: string;
  /** Absolute path of the target's configuration, `wrangler.toml` or `template.yaml`, where it has one. */
  config: string | undefined;
  /** The names of all files that were made. */
  files: string[];
  /** Absolute paths of the user's files in the bundle. */
  inputs: string[];
  /** Whether a Node listener is hosted in the bundle. */
  hostsNode: boolean;
}

const MAIN = 'index.mjs';

/**
 * Builds an app and prints what was made, with sizes.
 *
 * @throws {CommandError} when the app cannot be found, loaded or bundled
 */
export async function buildCommand(path: string, options: BuildOptions, output: Output): Promise<Built> {
  const { title } = TARGETS[options.target];
  const built = await output.progress(`Building ${path} for ${title}`, () => buildApp(path, options, output.io.cwd));
  await printSizes(built, output);
  return built;
}

/**
 * Builds an app.
 *
 * @throws {CommandError} when the app cannot be found, loaded or bundled
 */
export async function buildApp(path: string, options: BuildOptions, cwd: string): Promise<Built> {
  const target = TARGETS[options.target];
  if (options.stream && options.target === 'lambda' && options.source === 'http-api') {
    throw usageError('An HTTP API does not stream; --stream goes with --source function-url or rest-api.');
  }
  if (options.stream && options.target !== 'lambda') {
    throw usageError(`--stream is for the target lambda; ${options.target} has no such choice.`);
  }
  const file = await findFile(path, cwd);
  const folder = resolve(cwd, options.out ?? join('dist', target.name));
  const app = await appImport(path, file, options, cwd);
  if (target.name === 'workers' && app.notInWorkerd !== undefined) {
    throw new CommandError(`${path} cannot run in workerd: ${app.notInWorkerd}. Build it for another target.`);
  }
  const main = join(folder, MAIN);
  const { inputs, hostsNode } = await bundleApp(target, app, file, main, options);
  const name = deploymentName(options.name ?? (basename(dirname(file)) || 'app'));
  const made = await addConfiguration(target, folder, name, options);
  const config = made.find((each) => each === 'wrangler.toml' || each === 'template.yaml');
  const files = [MAIN, `${MAIN}.map`, ...made];
  return { folder, name, main, config: config && join(folder, config), files, inputs, hostsNode };
}

/** Finds out how to import the app: by loading it, unless `--kind` says what it is. */
async function appImport(path: string, file: string, options: BuildOptions, cwd: string): Promise<AppImport> {
  const from = `./${basename(file)}`;
  if (options.kind === undefined) {
    try {
      const { kind, exportName, expression, notInWorkerd } = await loadApp(path, cwd);
      return { from, kind, exportName, expression, notInWorkerd };
    } catch (error) {
      if (!(error instanceof CommandError) || !(error.cause instanceof Error)) throw error;
      throw new CommandError(
        `${error.message}. It is loaded here to see what kind of app it is; where that cannot be, --kind says it.`,
        { cause: error.cause },
      );
    }
  }
  return { from, kind: options.kind, ...(await exported(path, file, cwd)) };
}

/** How the app is exported, by reading the module without running it. */
async function exported(
  path: string,
  file: string,
  cwd: string,
): Promise<Pick<AppImport, 'exportName' | 'expression'>> {
  const result = await runBuild({ entryPoints: [file], bundle: false, format: 'esm', write: false, outdir: '.' }, cwd);
  const names = Object.values(result.metafile?.outputs ?? {}).flatMap(({ exports }) => exports);
  if (Object.values(result.metafile?.inputs ?? {}).some(({ format }) => format === 'cjs')) {
    return { exportName: 'default', expression: '(app.default ?? app.app ?? app)' };
  }
  if (names.includes('default')) return { exportName: 'default', expression: 'app' };
  if (names.includes('app')) return { exportName: 'app', expression: 'app' };
  throw new CommandError(`${path} has no app: it has neither a default export nor one named \`app\`.`);
}

async function bundleApp(
  target: Target,
  app: AppImport,
  file: string,
  outfile: string,
  options: BuildOptions,
): Promise<Pick<Built, 'inputs' | 'hostsNode'>> {
  const bundlers = target.nodeBundler !== undefined && app.kind === 'node' ? target.nodeBundler : target.bundler;
  const { define, ...bundler } = { ...PRODUCTION, ...bundlers };
  const root = dirname(file);
  const result = await runBuild(
    {
      ...bundler,
      define,
      stdin: {
        contents: target.entry(app, options),
        resolveDir: root,
        // As an .mts file it gets the exports of a CommonJS module as Node gives them: as one object.
        sourcefile: `waygate-${target.name}.mts`,
        loader: 'ts',
      },
      outfile,
      format: 'esm',
      minify: true,
      // Error names and the names of functions in stacks are for people.
      keepNames: true,
      sourcemap: true,
      legalComments: 'none',
      charset: 'utf8',
      banner: target.needsRequire ? { js: requireBanner() } : {},
      plugins: [nodeModules(target.needsRequire), ownLibrary()],
    },
    // The same paths in the source map, wherever the project stands.
    root,
  );
  const bundled = Object.values(result.metafile?.outputs ?? {}).flatMap(({ inputs }) => Object.keys(inputs));
  // The library's own file: that of fromNode, which is left out where nobody calls it.
  const hostsNode = bundled.some((each) => /\badapters\/node\/hosted-call\.[jt]s$/.test(each));
  return { inputs: userFiles(result, root), hostsNode };
}

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

/** Writes what the target's own tool needs. Returns the names of the files. */
async function addConfiguration(
  target: Target,
  folder: string,
  name: string,
  options: BuildOptions,
): Promise<string[]> {
  const write = async (file: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, file), content);
    return file;
  };
  if (target.name === 'workers') {
    const code = await readFile(join(folder, MAIN), 'utf8');
    return [await write('wrangler.toml', wranglerConfig(name, MAIN, /["']node:/.test(code)))];
  }
  if (target.name !== 'lambda' && target.name !== 'lambda-edge') return [];
  const edge = target.name === 'lambda-edge';
  // Source maps count against the 1 MB of a function at the viewer's side, where no option could turn them on anyway.
  const files = edge ? [MAIN] : [MAIN, `${MAIN}.map`];
  const zip = archive(
    await Promise.all(files.map(async (file) => ({ name: file, content: await readFile(join(folder, file)) }))),
  );
  const template = edge
    ? edgeTemplate(name)
    : lambdaTemplate(name, options.source ?? 'function-url', options.stream === true);
  return [await write('function.zip', zip), await write('template.yaml', template)];
}

/** A name that Workers, CloudFormation and Lambda all take: lower-case letters, digits and hyphens. */
export function deploymentName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '')
    .slice(0, 54);
  return name === '' ? 'app' : name;
}

async function printSizes({ folder, files }: Built, output: Output): Promise<void> {
  const { colors } = output;
  const rows = await Promise.all(
    files.map(async (file) => {
      const content = await readFile(join(folder, file));
      return [shownPath(join(folder, file), output.io.cwd), formatSize(content.byteLength), gzipSize(file, content)];
    }),
  );
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  for (const [file = '', size = '', gzip = ''] of rows) {
    output.print(
      `${file.padEnd(widths[0] as number)}  ${size.padStart(widths[1] as number)}${gzip && colors.dim(`  gzip ${gzip}`)}`,
    );
  }
}

function gzipSize(file: string, content: Uint8Array): string {
  return file.endsWith('.zip') ? '' : formatSize(gzipSync(content, { level: 9 }).byteLength);
}
