// In a bundle, import.meta.url, __dirname and the like go on naming the module's own place.

import { readFile } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Loader, Plugin } from 'esbuild';

/** What esbuild puts in the place of each. The plugin defines the names in each file that needs them. */
export const LOCATION_NAMES: Readonly<Record<string, string>> = {
  'import.meta.url': '__waygate_url',
  'import.meta.filename': '__waygate_filename',
  'import.meta.dirname': '__waygate_dirname',
  __filename: '__waygate_filename',
  __dirname: '__waygate_dirname',
};
const LOCATION_WORD = /\bimport\.meta\b|\b__(?:file|dir)name\b/;

/** The three places of a file, as source code. */
interface Location {
  url: string;
  filename: string;
  dirname: string;
}

/** The file's own place on this machine: for a bundle that runs here, from a temporary folder. */
export function ownLocation(path: string): Location {
  const text = JSON.stringify;
  return { url: text(pathToFileURL(path).href), filename: text(path), dirname: text(dirname(path)) };
}

/**
 * The file's place beside the bundle: what stands below `root` is meant to stand below the bundle's folder. It needs
 * {@link LOCATION_BANNER}.
 *
 * @param root absolute path of the folder that the bundle's folder stands for
 */
export function placedLocation(root: string): (path: string) => Location {
  return (path) => {
    const place = JSON.stringify(placeOf(path, root).split('/').map(encodeURIComponent).join('/'));
    // Marked as pure: a module is left out where nobody uses it.
    const call = (name: string): string => `/* @__PURE__ */ ${name}(${place})`;
    return { url: call('__waygateUrl'), filename: call('__waygateFile'), dirname: call('__waygateFolder') };
  };
}

/** What {@link placedLocation} calls, on the bundle's first line. */
export const LOCATION_BANNER =
  "import{fileURLToPath as __waygatePath}from'node:url';" +
  'const __waygateUrl=p=>new URL(p,import.meta.url).href,__waygateFile=p=>__waygatePath(__waygateUrl(p)),' +
  "__waygateFolder=p=>__waygateFile(p).replace(/[\\\\/][^\\\\/]*$/,'');";

/**
 * Where a file of the project belongs beside the bundle, with slashes. What stands above the root, such as the
 * node_modules of a workspace, is taken to stand in it.
 */
export function placeOf(path: string, root: string): string {
  return relative(root, path)
    .split(sep)
    .filter((part) => part !== '..')
    .join('/');
}

/** Gives each file that asks where it stands constants that say so, on its first line: no line number changes. */
export function locations(locationOf: (path: string) => Location): Plugin {
  return {
    name: 'locations',
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path, namespace }) => {
        if (namespace !== 'file') return;
        const text = await readFile(path, 'utf8');
        if (!LOCATION_WORD.test(text)) return;
        const { url, filename, dirname: folder } = locationOf(path);
        const constants = `const __waygate_url = ${url}, __waygate_filename = ${filename}, __waygate_dirname = ${folder};`;
        const shebang = /^#!.*\n/.exec(text)?.[0] ?? '';
        return {
          contents: `${shebang}${constants}${text.slice(shebang.length)}`,
          loader: loaderOf(path),
          resolveDir: dirname(path),
        };
      });
    },
  };
}

/** How esbuild reads a file of this name. */
export function loaderOf(path: string): Loader {
  const extension = path.slice(path.lastIndexOf('.') + 1).replace(/^[cm]/, '');
  // JSX in a .js file is common enough to take.
  return extension === 'js' ? 'jsx' : (extension as Loader);
}
