// `waygate serve --platform lambda:web`: builds the app and serves it as a Lambda Web Function, until a signal.

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildApp } from '../build.ts';
import type { Certificate } from '../certificate.ts';
import { usageError } from '../errors.ts';
import type { Output } from '../output.ts';
import { checkSourceOptions } from '../platform.ts';
import type { ServeOptions } from '../serve-options.ts';
import { WebEndpoint } from './endpoint.ts';
import { LIMITS } from './rules.ts';

/** What serves one version of an app after another, as `serve` runs it. */
export interface WebFunctionServer {
  listen(): Promise<number>;
  /**
   * Builds the app and serves it.
   *
   * @returns the user's files in the bundle; none for a folder that was built before
   */
  replace(): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * @param path the app's module, or a folder that was built before, as the user named it
 * @param folder absolute path of a folder for what is built
 * @throws {CommandError} for options that have no effect
 */
export async function webFunctionServer(
  path: string,
  options: ServeOptions & { port: number },
  tls: Certificate | undefined,
  folder: string,
  output: Output,
): Promise<WebFunctionServer> {
  checkOptions(options);
  const { cwd } = output.io;
  const { timeout, concurrency } = LIMITS;
  const endpoint = new WebEndpoint(
    {
      host: options.host,
      port: options.port,
      tls,
      quiet: options.quiet,
      timeout: options.timeout ?? timeout.usual,
      concurrency: options.maxConcurrency ?? concurrency.usual,
      environments: options.processes,
    },
    output,
  );
  const { kind, validate } = options;
  const isBuilt = await isFolder(resolve(cwd, path));
  let version = 0;
  return {
    listen: () => endpoint.listen(),
    close: () => endpoint.close(),
    async replace() {
      if (isBuilt) {
        await endpoint.replace(resolve(cwd, path));
        return [];
      }
      version += 1;
      const out = join(folder, `revision-${version}`);
      const built = await buildApp(path, { target: 'lambda-web', out, kind: buildKind(kind), validate }, cwd);
      await endpoint.replace(built.code);
      return built.inputs;
    },
  };
}

function buildKind(kind: ServeOptions['kind']): 'app' | 'fetch' | 'node' | undefined {
  if (kind !== 'lambda') return kind;
  throw usageError('A Lambda handler is called with events and does not listen; leave --platform lambda:web out.');
}

function checkOptions(options: ServeOptions): void {
  const { kind, stage, payload, multiValueHeaders, stream, http2, inspect } = options;
  checkSourceOptions('lambda-web', { stage, payload, 'multi-value-headers': multiValueHeaders });
  buildKind(kind);
  if (stream)
    throw usageError('--stream is for lambda:function-url and lambda:rest-api; a Web Function streams by itself.');
  if (inspect) throw usageError('--inspect shows how a request is converted; to a Web Function it goes as it is.');
  if (http2)
    throw usageError('The endpoint of a Web Function speaks HTTP/1.1 alone; --http2 goes with --platform node.');
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
