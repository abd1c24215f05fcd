// Programs of these tests as one file of JavaScript each, for tools that take no TypeScript, or would look for the library.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * @param file the program, from this folder
 * @param outfile absolute path of the result
 * @param define constants that the program is built with
 */
export async function bundle(file: string, outfile: string, define: Record<string, unknown> = {}): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    absWorkingDir: ROOT,
    alias: { waygate: `${ROOT}/core/index.ts` },
    external: ['node:*', 'npm:*'],
    define: Object.fromEntries(Object.entries(define).map(([key, value]) => [key, JSON.stringify(value)])),
    logLevel: 'silent',
  });
}
