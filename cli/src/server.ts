// Serves one app from one process: what `waygate serve` runs in its own process, and each of its processes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RunningServer, serve } from 'waygate/node';
import { formatAccess, watchAccess } from './access-log.ts';
import type { Certificate } from './certificate.ts';
import { CommandError, errorCode, usageError } from './errors.ts';
import { prepareLoading, type RunOptions, runnable } from './handler.ts';
import { importBundle } from './load.ts';
import type { Output } from './output.ts';

/** What a server process is told; plain data, since it goes to other processes. */
export interface ServerConfig {
  /** The app's module as the user named it. */
  name: string;
  /** Its bundle, an absolute path. */
  bundle: string;
  run: RunOptions;
  host: string;
  port: number;
  /** Without it the server speaks plain HTTP. */
  tls: Certificate | undefined;
  http2: boolean;
  /** Whether other processes serve the same app. */
  multiprocess: boolean;
  /** Whether there is no access log. */
  quiet: boolean;
  verbose: boolean;
}

/**
 * Loads the app and listens.
 *
 * @param signals whether SIGINT and SIGTERM shut this server down
 * @throws {CommandError} when the app cannot be loaded or the address cannot be had
 */
export async function startServer(config: ServerConfig, output: Output, signals: boolean): Promise<RunningServer> {
  prepareLoading(config.run);
  const exports = await importBundle(config.bundle, config.name);
  const errors = (text: string): void => output.note(text);
  const app = await runnable(exports, config.name, config.run, errors, true);
  const { host, port, multiprocess, tls, http2 } = config;
  let served: RunningServer;
  try {
    served = await serve(app, {
      host,
      port,
      tls,
      http2,
      multiprocess,
      signals,
      webFunction: false,
      errors,
    });
  } catch (error) {
    throw listenError(error, host, port);
  }
  if (!config.quiet) {
    const log = (request: IncomingMessage, response: ServerResponse): void =>
      watchAccess(request, response, (record) => output.print(formatAccess(record, output.colors)));
    served.server.prependListener('request', log);
    served.server.prependListener('checkContinue', log);
  }
  return served;
}

/** An error of `listen`, as one line that says what to do. */
export function listenError(error: unknown, host: string, port: number): unknown {
  const where = `Port ${port} of ${host}`;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return new CommandError(`${where} is in use; stop what uses it, or choose another with --port.`, {
        cause: error,
      });
    case 'EACCES':
      return new CommandError(`${where} needs rights that this process does not have; choose a port above 1023.`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return usageError(`This machine has no address ${host}; check --host.`);
    default:
      return error;
  }
}
