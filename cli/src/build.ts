// `waygate build`: an app as one minified ES module for a target, and around it what the target's own tool uploads.

import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { archive } from './archive.ts';
import { type BundleContents, bundleApp } from './build-bundle.ts';
import { copyFiles, includedFiles, type PackedFile, tracedFiles } from './build-files.ts';
import { type BuildOptions, checkBuildOptions } from './build-options.ts';
import { addonWarnings, architectureWarnings, decoratorWarnings, fileWarnings } from './build-warnings.ts';
import { findFile, runBuild, shownPath } from './bundle.ts';
import { CommandError, usageError } from './errors.ts';
import { formatSize } from './format.ts';
import { FASTIFY_IN_WORKERD, findApp, type Kind } from './kind.ts';
import { loadEntry } from './load.ts';
import { nameOf } from './name.ts';
import type { Output } from './output.ts';
import { type AppImport, TARGETS, type Target } from './targets.ts';
import { edgeTemplate, lambdaTemplate, webFunctionTemplate, wranglerConfig } from './templates.ts';
import { clearCode, ENTRY, writeEntry } from './web-function/files.ts';
import { isWithin, makeFolder, writeOutput } from './write.ts';

export type { BuildOptions } from './build-options.ts';

/** What was built. */
export interface Built {
  /** Absolute path of the folder. */
  folder: string;
  /** What the target knows the app under. */
  name: string;
  /** Absolute path of the folder of the bundle and what goes with it: `folder`, or what of it is uploaded. */
  code: string;
  /** Absolute path of the bundle. */
  main: string;
  /** Absolute path of the target's configuration, `wrangler.toml` or `template.yaml`, where it has one. */
  config: string | undefined;
  /** The names of all files that were made, except for those that go with the bundle. */
  files: string[];
  /** What goes with the bundle: for Lambda in the zip, else beside it. */
  packed: PackedFile[];
  /** Absolute paths of the user's files in the bundle. */
  inputs: string[];
  /** Whether a Node listener is hosted in the bundle. */
  hostsNode: boolean;
  /** What will not work where it runs, a line each. */
  warnings: string[];
}

const MAIN = 'index.mjs';
/** What Lambda takes at most, unpacked, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAMBDA_LIMIT = 250 * 1024 * 1024;
/** The same for a Web Function. */
const WEB_FUNCTION_LIMIT = 512 * 1024 * 1024;

/**
 * Builds an app and prints what was made, with sizes.
 *
 * @throws {CommandError} when the app cannot be found, loaded or bundled
 */
export async function buildCommand(path: string, options: BuildOptions, output: Output): Promise<Built> {
  const { title } = TARGETS[options.target];
  const built = await output.progress(`Building ${path} for ${title}`, () => buildApp(path, options, output.io.cwd));
  await printSizes(built, output);
  for (const warning of built.warnings) output.warn(warning);
  return built;
}

/**
 * Builds an app.
 *
 * @throws {CommandError} when an option has no effect, or the app cannot be found, loaded or bundled
 */
export async function buildApp(path: string, options: BuildOptions, cwd: string): Promise<Built> {
  checkBuildOptions(options);
  const target = TARGETS[options.target];
  const file = await findFile(path, cwd);
  const folder = resolve(cwd, options.out ?? join('dist', target.name));
  const name = await nameOf(file, target.name, cwd, options.name);
  // Places of files are taken from the folder that the command runs in, where the app is in it.
  const root = await realpath(isWithin(cwd, file) ? cwd : dirname(file));
  const app = await appImport(path, file, options, cwd);
  const inWorkerd = (why: string | undefined): void => {
    if (target.name !== 'workers' || why === undefined) return;
    throw new CommandError(`${path} cannot run in workerd: ${why}. Build it for another target.`);
  };
  inWorkerd(app.notInWorkerd);
  if (target.lacksNode === true && app.kind === 'node') {
    throw new CommandError(`${path} is an app for Node, and ${target.title} has no Node. Build it for another target.`);
  }
  const packs = options.bundle === false || (options.include ?? []).length > 0;
  if (packs && isWithin(folder, root)) {
    throw usageError(`--out ${options.out} holds the sources themselves; choose a folder of its own for the result.`);
  }
  await makeFolder(folder, cwd);
  const code = join(folder, target.codeFolder ?? '.');
  const main = join(code, MAIN);
  const bundle = await bundleApp({ target, app, file, root, outfile: main, options });
  // The server that was taken from a program does not say whose it is.
  const hasFastify = Object.keys(bundle.metafile.inputs).some((each) => /node_modules\/fastify\//.test(each));
  if (app.program !== undefined && hasFastify) inWorkerd(FASTIFY_IN_WORKERD);
  if (target.name === 'lambda-web') {
    await clearCode(code, cwd);
    await writeEntry(code);
  }
  for (const { path: written, contents } of bundle.files) await writeOutput(written, contents);
  const { packed, warnings } = await packedFiles(bundle, options, { root, folder, cwd });
  const made = await addConfiguration(target, { folder, code, name }, packed, bundle, options);
  const { inputs, hostsNode } = bundle;
  const config = made.files.find((each) => each === 'wrangler.toml' || each === 'template.yaml');
  const own = [MAIN, `${MAIN}.map`].map((each) => join(target.codeFolder ?? '.', each));
  warnings.push(...made.warnings);
  return {
    folder,
    name,
    code,
    main,
    config: config && join(folder, config),
    files: [...own, ...made.files],
    packed,
    inputs,
    hostsNode,
    warnings,
  };
}

/** Finds out how to import the app: by loading it, unless `--kind` says what it is. */
async function appImport(path: string, file: string, options: BuildOptions, cwd: string): Promise<AppImport> {
  const from = `./${basename(file)}`;
  if (options.kind === undefined) {
    try {
      // What is built runs in production, where a program may not start its development server.
      process.env.NODE_ENV ||= 'production';
      const { exports, others, taken, index, waits } = await loadEntry(path, cwd);
      const { kind, exportName, expression, notInWorkerd } = await findApp(exports, path);
      const program = taken === undefined && others.length === 0 ? undefined : { index, waits };
      return { from, kind, exportName, expression, notInWorkerd, program };
    } catch (error) {
      if (!(error instanceof CommandError) || !(error.cause instanceof Error)) throw error;
      throw new CommandError(
        `${error.message}. It is loaded here to see what kind of app it is; where that cannot be, --kind says it.`,
        { cause: error.cause },
      );
    }
  }
  return { from, kind: options.kind, ...(await exported(path, file, options.kind, cwd)) };
}

/** How the app is exported, by reading the module without running it. */
async function exported(
  path: string,
  file: string,
  kind: Kind,
  cwd: string,
): Promise<Pick<AppImport, 'exportName' | 'expression' | 'program'>> {
  const result = await runBuild({ entryPoints: [file], bundle: false, format: 'esm', write: false, outdir: '.' }, cwd);
  const names = Object.values(result.metafile?.outputs ?? {}).flatMap(({ exports }) => exports);
  if (Object.values(result.metafile?.inputs ?? {}).some(({ format }) => format === 'cjs')) {
    return { exportName: 'default', expression: '(app.default ?? app.app ?? app)' };
  }
  if (names.includes('default')) return { exportName: 'default', expression: 'app' };
  if (names.includes('app')) return { exportName: 'app', expression: 'app' };
  // It is not run here to see whether it listens: `--kind` was given since it runs elsewhere only.
  if (kind !== 'app') return { exportName: 'default', expression: 'app', program: { index: 0, waits: false } };
  throw new CommandError(`${path} has no app: it has neither a default export nor one named \`app\`.`);
}

/** What goes with the bundle, and what should and does not. */
async function packedFiles(
  bundle: BundleContents,
  options: BuildOptions,
  { root, folder, cwd }: { root: string; folder: string; cwd: string },
): Promise<Pick<Built, 'packed' | 'warnings'>> {
  const target = TARGETS[options.target];
  const packed = new Map<string, PackedFile>();
  const warnings: string[] = [];
  if (options.bundle === false) {
    const { conditions = [] } = target.bundler;
    const entries = [...bundle.inputs, ...bundle.kept];
    const { files, native } = await tracedFiles(entries, root, ['node', ...conditions]);
    for (const file of files) packed.set(file.name, file);
    if (target.name.startsWith('lambda')) {
      const arch = target.name === 'lambda-edge' ? 'x86_64' : (options.arch ?? 'arm64');
      warnings.push(...(await architectureWarnings(native, arch, root)));
    }
  }
  for (const file of await includedFiles(options.include ?? [], root, folder, cwd, target.name === 'lambda-web'))
    packed.set(file.name, file);
  const all = [...packed.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  warnings.push(...(await addonWarnings(bundle, all, target.name, root)));
  warnings.push(...(await fileWarnings(bundle, all, target.name, root)));
  warnings.push(...(await decoratorWarnings(bundle, root)));
  return { packed: all, warnings };
}

/** Writes what the target's own tool needs. Returns the names of the files. */
async function addConfiguration(
  target: Target,
  { folder, code, name }: Pick<Built, 'folder' | 'code' | 'name'>,
  packed: readonly PackedFile[],
  { metafile }: BundleContents,
  options: BuildOptions,
): Promise<Pick<Built, 'files' | 'warnings'>> {
  const write = async (file: string, content: string | Uint8Array): Promise<string> => {
    await writeOutput(join(folder, file), content);
    return file;
  };
  if (target.name === 'workers') {
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
    const usesNode = imported.some(({ path }) => path.startsWith('node:'));
    const config = wranglerConfig({ name, main: MAIN, usesNode });
    return { files: [await write('wrangler.toml', config)], warnings: [] };
  }
  if (target.files !== undefined) {
    await copyFiles(packed, code);
    const files = Object.entries(target.files(name));
    return { files: await Promise.all(files.map(([file, content]) => write(file, content))), warnings: [] };
  }
  const edge = target.name === 'lambda-edge';
  const web = target.name === 'lambda-web';
  if (target.name !== 'lambda' && !edge) await copyFiles(packed, code);
  if (target.name !== 'lambda' && !edge && !web) return { files: [], warnings: [] };
  // Source maps count against the 1 MB of a function at the viewer's side, where no option could turn them on anyway.
  const names = edge ? [MAIN] : [...(web ? [ENTRY] : []), MAIN, `${MAIN}.map`];
  const own = await Promise.all(names.map(async (each) => ({ name: each, content: await readFile(join(code, each)) })));
  const others = await Promise.all(
    packed.map(async ({ name: place, source, mode, link }) => ({
      name: place,
      content: link === undefined ? await readFile(source) : Buffer.from(link),
      mode,
      isLink: link !== undefined,
    })),
  );
  const contents = [...own, ...others];
  const { runtime, arch, memory, stream, authType, source = 'function-url' } = options;
  const template = edge
    ? edgeTemplate({ name, runtime, memory })
    : web
      ? webFunctionTemplate({ name, authType })
      : lambdaTemplate({ name, source, stream, runtime, arch, memory });
  const files = [await write('function.zip', archive(contents)), await write('template.yaml', template)];
  const size = contents.reduce((sum, { content }) => sum + content.byteLength, 0);
  if (web) files.unshift(join(target.codeFolder ?? '.', ENTRY));
  const most = web ? WEB_FUNCTION_LIMIT : LAMBDA_LIMIT;
  if (size <= most) return { files, warnings: [] };
  const limit = formatSize(most);
  return { files, warnings: [`The function is ${formatSize(size)} unpacked, and Lambda takes no more than ${limit}.`] };
}

async function printSizes({ folder, files, packed }: Built, output: Output): Promise<void> {
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
  if (packed.length === 0) return;
  const places = new Set(packed.map(({ name }) => name.split('/')[0]));
  const where = files.includes('function.zip') ? 'In function.zip' : 'Beside it';
  output.print(`${where}: ${packed.length} files of ${[...places].join(', ')}`);
}

function gzipSize(file: string, content: Uint8Array): string {
  return file.endsWith('.zip') ? '' : formatSize(gzipSync(content, { level: 9 }).byteLength);
}
