// Serves one app from one process: what `waygate serve` runs in its own process, and each of its processes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { type RunningServer, serve } from 'waygate/node';
import { formatAccess, watchAccess } from './access-log.ts';
import type { Certificate } from './certificate.ts';
import type { Loaded } from './entry/program.ts';
import { CommandError, errorCode, usageError } from './errors.ts';
import type { SentRequest } from './everywhere/client.ts';
import type { PlatformRun } from './everywhere/run.ts';
import { prepareLoading, type RunOptions, runKind, runnable, saidKind } from './handler.ts';
import type { Reporter } from './inspect/messages.ts';
import type { NodeRecorder } from './inspect/record-node.ts';
import type { AppFacts } from './inspect/target.ts';
import { importBundle } from './load.ts';
import type { Output } from './output.ts';

/** The settings of a server process; plain data, since it goes to other processes. */
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
  /** Whether the app gets the light classes of `waygate/light-fetch` in the place of the globals. */
  lightFetch: boolean;
  /** Whether other processes serve the same app. */
  multiprocess: boolean;
  /** Whether there is no access log. */
  quiet: boolean;
  verbose: boolean;
  /** Whether its requests are recorded. */
  inspect: boolean;
}

/** Who wants to see what the server does. */
export interface ServerInspection {
  /** Gets every step of every request. */
  report: Reporter;
  /**
   * Called once the app is loaded.
   *
   * @param facts how its module exports it
   * @param everywhere runs a request on all platforms
   */
  loaded(facts: AppFacts | undefined, everywhere: (request: SentRequest) => Promise<PlatformRun[]>): void;
}

/**
 * Loads the app and listens.
 *
 * @param signals whether SIGINT and SIGTERM shut this server down
 * @param inspection who wants to see what it does; without it nothing is recorded, and nothing stands in the way
 * @throws {CommandError} when the app cannot be loaded or the address cannot be had
 */
export async function startServer(
  config: ServerConfig,
  output: Output,
  signals: boolean,
  inspection?: ServerInspection,
): Promise<RunningServer> {
  prepareLoading(config.run);
  // Ahead of the app: its modules may keep what they find.
  if (config.lightFetch) await import('waygate/light-fetch');
  const loaded = await importBundle(config.bundle, config.name, {
    kind: saidKind(config.run),
    port: config.port,
  });
  const { exports } = loaded;
  const recorder = inspection && (await inspect(loaded, config, inspection));
  const errors = (text: string): void => {
    recorder?.errors(text);
    output.note(text);
  };
  const app = await runnable(exports, config.name, config.run, errors, true, recorder?.layers);
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
  serveProgram(loaded, config.name, served, output);
  if (!config.quiet) {
    const log = (request: IncomingMessage, response: ServerResponse): void =>
      watchAccess(request, response, (record) => output.print(formatAccess(record, output.colors)));
    served.server.prependListener('request', log);
    served.server.prependListener('checkContinue', log);
  }
  recorder?.attach(served.server, config.run.platform === 'node' && runKind(exports, config.run) !== 'lambda');
  return served;
}

/** A recorder for the app; its code is loaded only for this. */
async function inspect(
  { exports, taken }: Loaded,
  config: ServerConfig,
  inspection: ServerInspection,
): Promise<NodeRecorder> {
  const { Everywhere } = await import('./everywhere/run.ts');
  const { NodeRecorder } = await import('./inspect/record-node.ts');
  const { appFacts } = await import('./inspect/facts.ts');
  const everywhere = new Everywhere(exports, config.name, {
    kind: saidKind(config.run),
  });
  // Nothing can import the app of a program that listens.
  const facts = taken === undefined ? await appFacts(exports, config.name, config.run) : undefined;
  inspection.loaded(facts, (request) => everywhere.run(request));
  return new NodeRecorder(inspection.report);
}

/** What a program that listens has besides its server: the end of it, and other servers, which are not Waygate's to serve. */
function serveProgram({ taken, others }: Loaded, name: string, served: RunningServer, output: Output): void {
  if (taken !== undefined) taken.onClose = () => served.close();
  // An export is served in the place of the server that it was given to.
  if (taken === undefined && others.length < 2) return;
  for (const { where, listen } of others) {
    if (taken === undefined) output.warn(`${name} exports its app, so that nothing of it listens on ${where}.`);
    else if (listen !== undefined) {
      listen();
      output.note(`${name} itself listens on ${where} besides.`);
    }
  }
}

/**
 * Has a server listen.
 *
 * @returns the port
 * @throws {CommandError} when the address cannot be had
 */
export async function listenAt(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen({ port, host }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** An error of `listen`, as one line that says what to do. */
function listenError(error: unknown, host: string, port: number): unknown {
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
