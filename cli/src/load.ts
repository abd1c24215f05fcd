// Loads a user's app into this process: bundles the module, imports it, finds the app among its exports.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Bundle, bundleForNode, findFile } from './bundle.ts';
import { CommandError, named } from './errors.ts';
import { type App, findApp, type Kind } from './kind.ts';

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

/**
 * Imports a bundle.
 *
 * @param name the module's name, for messages
 * @throws {CommandError} when the module throws
 */
export async function importBundle(bundle: string, name: string): Promise<Record<string, unknown>> {
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
 * Loads the exports of a module.
 *
 * @param path the module as the user named it
 * @throws {CommandError} when it cannot be found, parsed or loaded
 */
export async function loadModule(path: string, cwd: string): Promise<Record<string, unknown>> {
  const file = await findFile(path, cwd);
  const folder = new BundleFolder();
  try {
    const bundle = await folder.bundle(file, cwd);
    return await importBundle(bundle.file, path);
  } finally {
    await folder.remove();
  }
}

/**
 * Loads the app of a module.
 *
 * @param path the module as the user named it
 * @param kind what it is, where that is not to be found out
 * @throws {CommandError} when it cannot be found, parsed or loaded, or has no app
 */
export async function loadApp(path: string, cwd: string, kind?: Kind): Promise<App> {
  return findApp(await loadModule(path, cwd), path, kind);
}

/** What to write where a module asks for something that only its own platform has. */
function hintFor(error: unknown): string {
  if (error instanceof ReferenceError && /^awslambda /.test(error.message)) {
    return '. A Lambda handler has this global with --kind lambda';
  }
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
