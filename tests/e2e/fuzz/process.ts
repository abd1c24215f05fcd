// The fuzzed process: built of the sources, started in a Node of any version, and asked how it is.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { certificate } from '../../adapters/node/certificate.ts';
import { type Running, start } from '../runtimes/process.ts';
import type { Stats, Transport } from './server.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** How long the process may take to say how it is, in milliseconds: one that spins never does. */
const PATIENCE = 20_000;

/** A process under test. */
export interface Fuzzed extends Running {
  stats(): Promise<Stats>;
}

/**
 * Bundles the server and makes a certificate for it.
 *
 * @param folder where both go
 */
export async function prepare(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(ROOT, 'tests/e2e/fuzz/server.ts')],
    outfile: join(folder, 'server.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    alias: {
      waygate: join(ROOT, 'core/index.ts'),
      'waygate/node': join(ROOT, 'adapters/node/index.ts'),
      'waygate/fetch': join(ROOT, 'adapters/fetch/index.ts'),
    },
  });
  certificate(folder);
}

/** Starts the server of one transport. Its sockets are in a folder of their own in `folder`. */
export async function startFuzzed(node: string, transport: Transport, folder: string): Promise<Fuzzed> {
  const sockets = join(folder, `${process.pid}-${Math.random().toString(36).slice(2, 8)}`);
  mkdirSync(sockets);
  const args = ['--expose-gc', '--enable-source-maps', join(folder, 'server.mjs'), transport, sockets];
  const running = await start(node, [...args, join(folder, 'key.pem'), join(folder, 'cert.pem')]);
  return {
    ...running,
    stats: async () =>
      (await fetch(`${running.url}/stats`, { signal: AbortSignal.timeout(PATIENCE) })).json() as Promise<Stats>,
  };
}
