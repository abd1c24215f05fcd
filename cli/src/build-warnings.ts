// What a build cannot carry, found before it fails where it runs: native addons, and files that the code reads by its place.

import { existsSync } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';
import { parse } from 'jsonc-parser';
import type { BundleContents } from './build-bundle.ts';
import { type PackedFile, readModule } from './build-files.ts';
import { packageName } from './bundle.ts';
import { placeOf } from './locations.ts';
import type { TargetName } from './targets.ts';
import type { Architecture } from './templates.ts';

/**
 * Warns of native addons in a bundle, which holds code and nothing else.
 *
 * @param packed what goes with the bundle
 */
export async function addonWarnings(
  { metafile }: BundleContents,
  packed: readonly PackedFile[],
  target: TargetName,
  root: string,
): Promise<string[]> {
  const bundled = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = new Set(
    bundled.map((path) => packageFolder(resolve(root, path))).filter((each) => each !== undefined),
  );
  const warnings: string[] = [];
  for (const folder of folders) {
    const addon = await findAddon(folder);
    if (addon === undefined || packed.some(({ name }) => name === placeOf(addon, root))) continue;
    const name = folder.slice(folder.lastIndexOf(`node_modules${sep}`) + 'node_modules/'.length).replaceAll(sep, '/');
    const what = `${name} has a native addon (${shown(addon, root)}), which a bundle cannot hold`;
    warnings.push(
      target === 'workers'
        ? `${what} and workerd cannot load; where the app needs it, it fails.`
        : `${what}; where the app needs it, it fails. Build with --no-bundle.`,
    );
  }
  return warnings;
}

/** The folder of the package that a file belongs to. */
function packageFolder(path: string): string | undefined {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(path)?.[0];
}

/** A native addon of a package: in its folder, or in one of the packages for a platform that it may have. */
async function findAddon(folder: string): Promise<string | undefined> {
  const own = await findInFolder(folder);
  if (own !== undefined) return own;
  const { optionalDependencies = {} } = readManifest(folder);
  for (const name of Object.keys(optionalDependencies)) {
    const other = installed(name, folder);
    const found = other && (await findInFolder(other));
    if (found !== undefined) return found;
  }
  return undefined;
}

function readManifest(folder: string): { optionalDependencies?: Record<string, string> } {
  try {
    return createRequire(join(folder, 'package.json'))('./package.json');
  } catch {
    return {};
  }
}

function installed(name: string, from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(at) === at) return undefined;
  }
}

/** How many folders of a package are looked into: addons stand near its top. */
const FOLDERS = 500;

async function findInFolder(folder: string): Promise<string | undefined> {
  const folders = [folder];
  for (let index = 0; index < folders.length && index < FOLDERS; index++) {
    const at = folders[index] as string;
    const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isFile() && entry.name.endsWith('.node')) return join(at, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules') folders.push(join(at, entry.name));
    }
  }
  return undefined;
}

/**
 * Warns of files that bundled code finds by its own place (`import.meta.url`, `__dirname`) and that do not go with the
 * bundle. So it does for packages that the code loads by a name.
 */
export async function fileWarnings(
  { metafile, inputs }: BundleContents,
  packed: readonly PackedFile[],
  target: TargetName,
  root: string,
): Promise<string[]> {
  const bundled = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  const files = [...new Set(bundled.filter((path) => /\.[cm]?[jt]sx?$/.test(path) && !/^[<\w-]+:/.test(path)))]
    .map((path) => resolve(root, path))
    .filter((path) => existsSync(path));
  const own = new Set(inputs);
  const base = resolve('/');
  const byName = new Map<string, Set<string>>();
  const { reasons } = await nodeFileTrace(files, {
    base,
    processCwd: root,
    readFile: readModule,
    // Each file is looked at by itself: what it imports is in the bundle.
    resolve: async (specifier, parent) => {
      const loads = own.has(parent) ? packageName(specifier) : await requiresItself(parent);
      if (loads && !isBuiltin(specifier) && !isImported(metafile, root, parent, specifier)) {
        byName.set(parent, (byName.get(parent) ?? new Set()).add(specifier));
      }
      return [];
    },
  });
  const places = new Set(packed.map(({ name }) => name));
  const read = new Map<string, string[]>();
  for (const [name, { type, parents }] of reasons) {
    const path = join(base, name);
    const place = placeOf(path, root);
    if (!type.includes('asset') || places.has(place) || place.endsWith('.node')) continue;
    for (const parent of parents) {
      const from = join(base, parent);
      read.set(from, [...(read.get(from) ?? []), shown(path, root)]);
    }
  }
  const warnings = [...read].map(([from, paths]) => readWarning(shown(from, root), paths, target));
  for (const [parent, specifiers] of byName) {
    const lost = [...specifiers].filter((each) => isLost(each, parent, places));
    if (lost.length === 0) continue;
    const more = lost.length > NAMED ? ` and ${lost.length - NAMED} more` : '';
    warnings.push(
      `${shown(parent, root)} loads ${lost.slice(0, NAMED).join(', ')}${more} by name while it runs, so that it is not in the ` +
        `bundle. ${target === 'workers' ? 'Import it.' : 'Import it, or build with --no-bundle.'}`,
    );
  }
  return warnings;
}

/** Whether a module makes a `require` of its own, which the bundler does not follow. */
async function requiresItself(path: string): Promise<boolean> {
  return /\bcreateRequire\s*\(/.test(await readFile(path, 'utf8'));
}

/** Whether what is loaded by name will be missing: a package that is installed here and not packed, or a module's own file. */
function isLost(specifier: string, parent: string, places: ReadonlySet<string>): boolean {
  const name = packageName(specifier);
  if (name === undefined) return true;
  return !places.has(`node_modules/${name}/package.json`) && installed(name, dirname(parent)) !== undefined;
}

function isImported(metafile: BundleContents['metafile'], root: string, parent: string, specifier: string): boolean {
  const input = metafile.inputs[placeOf(parent, root)] ?? metafile.inputs[relative(root, parent)];
  return (
    input === undefined || input.imports.some(({ path, original }) => original === specifier || path === specifier)
  );
}

/** How many files are named one by one; of more, their folder is. */
const NAMED = 3;

function readWarning(from: string, paths: string[], target: TargetName): string {
  const sorted = [...new Set(paths)].sort();
  const what = sorted.length <= NAMED ? sorted : commonFolders(sorted);
  const list = what.join(', ');
  if (target === 'workers') {
    return `${from} reads ${list} by its own place; Workers have no file system. Import the content, or serve it as a static asset.`;
  }
  return `${from} reads ${list} by its own place, which is not with the bundle. Add ${what.map((path) => `--include ${path}`).join(' ')}.`;
}

/** The folders of many files: of each folder below the deepest one that holds them all. */
function commonFolders(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split('/').slice(0, -1));
  const [first = []] = parts;
  let depth = 0;
  while (depth < first.length && parts.every((each) => each[depth] === first[depth])) depth++;
  const folders = new Set(parts.map((each) => each.slice(0, Math.max(depth, 1)).join('/') || '.'));
  return [...folders];
}

function shown(path: string, root: string): string {
  return relative(root, path).split(sep).join('/');
}

/**
 * Warns of TypeScript whose decorators need the types of what they decorate, as dependency injection in NestJS does: a
 * bundler knows no types.
 */
export async function decoratorWarnings({ inputs }: BundleContents, root: string): Promise<string[]> {
  const configs = new Set<string>();
  for (const path of inputs) {
    const config = /\.[cm]?tsx?$/.test(path) ? tsconfigOf(dirname(path)) : undefined;
    if (config === undefined || configs.has(config) || !/^\s*@\w+\(/m.test(await readFile(path, 'utf8'))) continue;
    const settings: unknown = parse(await readFile(config, 'utf8'), [], { allowTrailingComma: true });
    const { compilerOptions } = (settings ?? {}) as { compilerOptions?: Record<string, unknown> };
    if (compilerOptions?.emitDecoratorMetadata === true) configs.add(config);
  }
  return [...configs].map(
    (config) =>
      `${shown(config, root)} has emitDecoratorMetadata, and the types that this hands to decorators are lost in a bundle. ` +
      'Compile with tsc first, and build the JavaScript file.',
  );
}

function tsconfigOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'tsconfig.json');
    if (existsSync(file)) return file;
    if (dirname(at) === at) return undefined;
  }
}

/** The processors as an ELF file says them. */
const MACHINES: Record<number, Architecture> = { 62: 'x86_64', 183: 'arm64' };

/**
 * Warns of packages whose native addons are none for the system and the processor that they are to run on.
 *
 * @param native absolute paths of addons and shared libraries
 */
export async function architectureWarnings(
  native: readonly string[],
  arch: Architecture,
  root: string,
): Promise<string[]> {
  const packages = new Map<string, (Architecture | undefined)[]>();
  for (const path of native) {
    if (!path.endsWith('.node')) continue;
    const folder = packageFolder(path) ?? dirname(path);
    packages.set(folder, [...(packages.get(folder) ?? []), await machineOf(path)]);
  }
  const cpu = arch === 'x86_64' ? 'x64' : 'arm64';
  return [...packages]
    .filter(([, machines]) => !machines.includes(arch))
    .map(([folder, machines]) => {
      const found = machines.map((each) => (each === undefined ? 'another system' : `Linux on ${each}`)).join(', ');
      const other = machines.includes('x86_64') || machines.includes('arm64') ? ', or choose another --arch' : '';
      return (
        `${shown(folder, root)} has a native addon for ${found}, and the function runs on Linux on ${arch}. Install it ` +
        `for that with npm install --os=linux --cpu=${cpu}${other}.`
      );
    });
}

async function machineOf(path: string): Promise<Architecture | undefined> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(20);
    await file.read(head, 0, 20, 0);
    return head.readUInt32BE(0) === 0x7f454c46 ? MACHINES[head.readUInt16LE(18)] : undefined;
  } finally {
    await file.close();
  }
}
