// How a bundle gets the functions of runtimes.ts: in the place of `Deno.serve`, `Bun.serve` and their variables.

import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

/** What esbuild puts in the place of each; it leaves a name alone that the program declares itself. */
export const RUNTIME_NAMES: Readonly<Record<string, string>> = {
  'Deno.serve': 'waygateDenoServe',
  'Deno.env': 'waygateDenoEnv',
  'Bun.serve': 'waygateBunServe',
  'Bun.env': 'process.env',
};

/** The name under which the bundler finds what stands for them: to be injected. */
export const RUNTIMES = 'waygate-runtimes';

/** Finds {@link RUNTIMES}; nothing of it is in a bundle that names none of them. */
export function runtimeNames(): Plugin {
  const path = fileURLToPath(import.meta.url.replace(/runtime-names(\.[jt]s)$/, 'runtimes$1'));
  return {
    name: RUNTIMES,
    setup(build) {
      build.onResolve({ filter: /^waygate-runtimes$/ }, () => ({ path, sideEffects: false }));
    },
  };
}
