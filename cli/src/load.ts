// Loads a user's app into this process: bundles the module, imports it, finds the app among its exports.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Bundle, bundleForNode, findFile } from './bundle.ts';
import { type ExpectedProgram, type Loaded, loadProgram } from './entry/program.ts';
import { CommandError, named } from './errors.ts';
import type { RunKind } from './kind.ts';

/** A folder for bundles, in the system's place for temporary files. */
export class BundleFolder {
  /** Its path, absolute. */
  readonly path: Promise<string> = mkdtemp(join(tmpdir(), 'waygate-'));

  /** Bundles a module into a file of its own, so that importing it never gives an earlier version. */
  async bundle(file: string, cwd: string): Promise<Bundle> {
    return bundleForNode(file, join(await this.path, `${randomUUID()}.mjs`), cwd);
  }

  async remove(): Promise<void> {
    await rm(await this.path, { recursive: true, force: true });
  }
}

/** The port that a program gets where none is set: what `waygate serve` listens on by itself. */
export const DEFAULT_PORT = 8000;

/**
 * Imports a bundle, and takes the server of a program that listens.
 *
 * @param name the module's name, for messages
 * @param expected what it is, and what the environment's `PORT` is set to where it is not set
 * @throws {CommandError} when the module throws, when it neither exports an app nor listens, and when it listens twice
 */
export function importBundle(bundle: string, name: string, expected: ExpectedProgram = {}): Promise<Loaded> {
  return loadProgram(() => importExports(bundle, name), name, {
    kind: expected.kind,
    port: expected.port || DEFAULT_PORT,
  });
}

async function importExports(bundle: string, name: string): Promise<Record<string, unknown>> {
  // From here on a stack names the user's files. It must be on before the module is compiled.
  process.setSourceMapsEnabled(true);
  try {
    return await import(/* @vite-ignore */ pathToFileURL(bundle).href);
  } catch (error) {
    const hint = hintFor(error);
    throw new CommandError(`${name} failed while it was loaded: ${named(error)}${place(error)}${hint}`, {
      cause: error,
    });
  }
}

/**
 * Loads a module, or a program that listens: {@link importBundle}.
 *
 * @param path the module as the user named it
 * @param kind what it is, where that is known
 * @throws {CommandError} when it cannot be found, parsed or loaded
 */
export async function loadEntry(path: string, cwd: string, kind?: RunKind): Promise<Loaded> {
  const file = await findFile(path, cwd);
  const folder = new BundleFolder();
  try {
    const bundle = await folder.bundle(file, cwd);
    return await importBundle(bundle.file, path, { kind });
  } finally {
    await folder.remove();
  }
}

/**
 * Loads the exports of a module; of a program that listens, its server as the default export.
 *
 * @param path the module as the user named it
 * @param kind what it is, where that is known
 * @throws {CommandError} when it cannot be found, parsed or loaded
 */
export async function loadModule(path: string, cwd: string, kind?: RunKind): Promise<Record<string, unknown>> {
  return (await loadEntry(path, cwd, kind)).exports;
}

/** What to write where a module asks for something that only its own platform has. */
function hintFor(error: unknown): string {
  if (error instanceof ReferenceError && /^awslambda /.test(error.message)) {
    return '. A Lambda handler has this global with --kind lambda';
  }
  const [, runtime] = /^(Deno|Bun) is not defined$/.exec(error instanceof Error ? error.message : '') ?? [];
  if (runtime !== undefined)
    return `. Of ${runtime} a program has only serve and env here; run the rest with ${runtime}`;
  const isWorkers = /(?:protocol|package) 'cloudflare:/.test(String(error));
  return isWorkers ? '. Only workerd has modules called cloudflare:…; use waygate serve --platform workers' : '';
}

/** The first place in the user's own files that an error's stack names, as ` (app.ts:3:7)`. */
function place(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, path, position] of stack.matchAll(/\(?((?:\/|[A-Z]:\\)[^\s():]*):(\d+:\d+)\)?$/gm)) {
    if (path?.includes('node_modules') === false) return ` (${basename(path)}:${position})`;
  }
  return '';
}
