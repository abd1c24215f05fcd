// The files that go with a bundle, at the place where the project has them. These are the files of --include, and with
// --no-bundle the packages that are used.

import { lstat, readdir, readFile, readlink, realpath, rm, stat, symlink } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';
import { transform } from 'esbuild';
import { CommandError, errorCode, usageError } from './errors.ts';
import { loaderOf, placeOf } from './locations.ts';
import { ENTRY } from './web-function/files.ts';
import { isWithin, writeOutput } from './write.ts';

/** A file that goes with a bundle. */
export interface PackedFile {
  /** Its place beside the bundle, with slashes. */
  name: string;
  /** Absolute path of the file that it is a copy of. */
  source: string;
  /** Its permissions. */
  mode: number;
  /** Where it leads, for a symbolic link: relative to its place. */
  link?: string;
}

const PLAIN = 0o644;
const EXECUTABLE = 0o755;
const LINK = 0o777;

/** What is always beside the bundle and cannot be a file of the project's. */
const TAKEN = ['index.mjs', 'index.mjs.map'];

/**
 * Finds what --include names.
 *
 * @param paths as the user wrote them, relative to `cwd`
 * @param root absolute path of the folder that places are taken from
 * @param out absolute path of the result's folder, which is never included
 * @param hasEntry whether the module that a Web Function starts is beside the bundle as well
 * @throws {CommandError} for a path that is not there or has no place
 */
export async function includedFiles(
  paths: readonly string[],
  root: string,
  out: string,
  cwd: string,
  hasEntry = false,
): Promise<PackedFile[]> {
  const files: PackedFile[] = [];
  const add = async (path: string, asked: string): Promise<void> => {
    if (path === out) return;
    const state = await stat(path).catch((error) => {
      throw new CommandError(`--include ${asked}: ${relative(cwd, path) || path} ${problemOf(error)}.`);
    });
    const real = await realpath(path);
    if (!isWithin(root, real) && !real.includes(`${sep}node_modules${sep}`)) {
      throw usageError(`--include ${asked}: ${real} is outside of ${root}, so that it has no place beside the bundle.`);
    }
    if (state.isDirectory()) {
      for (const name of (await readdir(path)).sort()) await add(join(path, name), asked);
    } else if (state.isFile()) {
      files.push({ name: placeOf(path, root), source: path, mode: modeOf(state.mode) });
    }
  };
  for (const asked of paths) {
    // The root is free of symbolic links; what leads to it need not be.
    const path = resolve(await realpath(cwd), asked);
    await add(path, asked);
  }
  const names = hasEntry ? [...TAKEN, ENTRY] : TAKEN;
  const taken = files.find(({ name }) => names.includes(name));
  if (taken !== undefined) throw usageError(`--include ${taken.name}: the bundle itself has that name.`);
  return files;
}

function problemOf(error: unknown): string {
  const code = errorCode(error);
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
}

function modeOf(mode: number): number {
  return (mode & 0o111) === 0 ? PLAIN : EXECUTABLE;
}

/** What a tracer found. */
export interface Trace {
  /** The files of packages that are loaded, and all that the code reads by its own place. */
  files: PackedFile[];
  /** Those among them that are native addons or shared libraries. */
  native: string[];
}

/**
 * Traces what modules load and read at run time.
 *
 * @param entries absolute paths of the user's modules, and of the packages' files that they import
 * @param conditions the conditions of `exports` in package.json that the target knows
 */
export async function tracedFiles(
  entries: readonly string[],
  root: string,
  conditions: readonly string[],
): Promise<Trace> {
  // Above the root there may be the node_modules of a workspace.
  const base = resolve('/');
  const own = new Set(entries.filter((path) => !path.includes('node_modules')));
  const { fileList, reasons } = await nodeFileTrace([...entries], {
    base,
    processCwd: root,
    conditions: [...conditions],
    mixedModules: true,
    readFile: readModule,
  });
  const files = new Map<string, PackedFile>();
  const native: string[] = [];
  for (const name of [...fileList].sort()) {
    const source = join(base, name);
    const { type = [] } = reasons.get(name) ?? {};
    const isPackage = source.includes(`${sep}node_modules${sep}`);
    // The user's modules are in the bundle; what else is theirs goes along where it is read, not where it is code.
    if (!isPackage && (own.has(source) || !isRead(type) || !isWithin(root, source))) continue;
    const state = await lstat(source);
    if (state.isDirectory()) continue;
    const place = placeOf(source, root);
    const before = files.get(place);
    if (before !== undefined && before.source !== source) {
      throw new CommandError(
        `${before.source} and ${source} would both be ${place} beside the bundle; install one version, or build without --no-bundle.`,
      );
    }
    if (source.endsWith('.node') || type.includes('sharedlib')) native.push(source);
    if (state.isSymbolicLink()) {
      const target = resolve(dirname(source), await readlink(source));
      // A package of the workspace itself is in the bundle.
      if (!target.includes('node_modules')) continue;
      const link = relative(dirname(place), placeOf(target, root)).split(sep).join('/');
      files.set(place, { name: place, source, mode: LINK, link });
    } else files.set(place, { name: place, source, mode: modeOf(state.mode) });
  }
  return { files: [...files.values()], native };
}

function isRead(type: readonly string[]): boolean {
  return type.includes('asset') || type.includes('sharedlib');
}

/** What the tracer knows under other names only. */
const TRACED_NAMES = { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' };

/** Reads a module for the tracer, which knows JavaScript, and of the names for a module's place the older ones. */
export async function readModule(path: string): Promise<string | Buffer | null> {
  try {
    const content = await readFile(path);
    const extension = extname(path);
    if (!/^\.[cm]?[jt]sx?$/.test(extension) || path.endsWith('.d.ts')) return content;
    const text = content.toString('utf8');
    if (/^\.[cm]?js$/.test(extension) && !/\bimport\.meta\.(?:dir|file)name\b/.test(text)) return content;
    const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
    return (await transform(text, { loader: loaderOf(path), define: TRACED_NAMES, tsconfigRaw })).code;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/**
 * Copies the files to their place.
 *
 * @param folder absolute path of the bundle's folder
 */
export async function copyFiles(files: readonly PackedFile[], folder: string): Promise<void> {
  for (const { name, source, mode, link } of files) {
    const path = join(folder, name);
    if (path === source) continue;
    if (link === undefined) await writeOutput(path, await readFile(source), mode);
    else await placeLink(path, link);
  }
}

async function placeLink(path: string, link: string): Promise<void> {
  const there = await readlink(path).catch(() => undefined);
  if (there === link) return;
  await writeOutput(path, '');
  await rm(path);
  await symlink(link, path);
}
