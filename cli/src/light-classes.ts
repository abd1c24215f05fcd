// The light classes of Fetch in a bundle. What a Fetch app on Node names as `Response`, `Request`, `Headers` and `fetch`
// are those of `waygate/light-fetch/classes`. No global is changed. Only where everything is in the bundle, since a package
// outside of it would hand the app's requests to the platform's own classes.

import type { Plugin } from 'esbuild';
import type { BuildOptions } from './build-options.ts';
import { CommandError } from './errors.ts';
import type { AppImport, Target } from './targets.ts';

/** The name under which the bundler finds the exports that stand for the globals. */
export const LIGHT_CLASSES = 'waygate-light-classes';
const CLASSES = 'waygate/light-fetch/classes';

/** Whether an app gets light classes. */
export function wantsLightClasses(target: Target, app: AppImport, options: BuildOptions): boolean {
  if (target.isNode !== true || app.kind !== 'fetch' || options.lightFetch === false) return false;
  return options.bundle !== false && (options.external ?? []).length === 0;
}

/** @param resolveDir the folder of the app: the classes have to be of the very copy of the library that hosts it */
export function lightClasses(resolveDir: string): Plugin {
  return {
    name: LIGHT_CLASSES,
    setup(build) {
      build.onResolve({ filter: /^waygate-light-classes$/ }, ({ path }) => ({ path, namespace: LIGHT_CLASSES }));
      build.onLoad({ filter: /./, namespace: LIGHT_CLASSES }, async () => {
        const { errors } = await build.resolve(CLASSES, { kind: 'import-statement', resolveDir });
        // An older copy has none.
        if (errors.length > 0) return { contents: '' };
        return { contents: `export { Response, Request, Headers, fetch } from '${CLASSES}';\n`, resolveDir };
      });
    },
  };
}

/** Whether a bundle failed because a module in it, such as a polyfill, assigns to one of the globals. */
export function isAssignment(error: unknown): boolean {
  return error instanceof CommandError && / from an injected file/.test(`${error.message}${error.details}`);
}
