// A server around `toNode`: listens, says where, and shuts down without losing a request.

import type http from 'node:http';
import type http2 from 'node:http2';
import type https from 'node:https';
import { report } from '../../../core/errors.ts';
import { log as logTo } from '../../../core/log.ts';
import type { Application } from '../../../core/types.ts';
import { NodeGateway } from '../gateway.ts';
import { hostedBehind } from '../hosted/registry.ts';
import { nodeListener } from '../to-node.ts';
import { createServer } from './create-server.ts';
import { listen } from './listen.ts';
import { checkServeOptions, type ServeOptions } from './options.ts';
import { closeOnSignal, forgetSignal, shutdown } from './shutdown.ts';
import { passUpgrades } from './upgrade.ts';
import { behindEndpoint, webFunctionOptions } from './web-function.ts';

/** A server that listens. */
export interface RunningServer {
  /** `http://localhost:8000`, without a slash at its end, or `unix:/path` for a Unix socket. */
  url: string;
  /** The TCP port; 0 for a Unix socket. */
  port: number;
  /** The server itself. */
  server: http.Server | https.Server | http2.Http2Server | http2.Http2SecureServer;
  /**
   * Stops accepting, finishes what runs, then waits for `waygate.wait_until` work; shortly before `shutdownTimeout` every
   * `waygate.signal` aborts, and at its end what is left is cut. Resolves when all is over; calling it again waits for the
   * same end.
   */
  close(): Promise<void>;
}

/**
 * Serves an application on `node:http`, `node:https` or `node:http2`. Where the application is `fromNode(server)` itself, the
 * `upgrade` listeners of that server get the upgrades, such as those to WebSockets. As an AWS Lambda Web Function it listens
 * where Lambda wants it to: see the option `webFunction`.
 *
 * @returns once the server listens; rejects when it cannot, for example with `EADDRINUSE`
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example const { url, close } = await serve(app, { port: 8000 });
 */
export async function serve(app: Application, options: ServeOptions = {}): Promise<RunningServer> {
  const { webFunction, ...chosen } = webFunctionOptions(options);
  const served = webFunction ? behindEndpoint(app) : app;
  return serveWith(served, chosen, webFunction);
}

async function serveWith(app: Application, options: ServeOptions, webFunction: boolean): Promise<RunningServer> {
  const gateway = new NodeGateway(app, options);
  checkServeOptions(options);
  const { signals = true, shutdownTimeout = 8000, basePath = '' } = options;
  const server = createServer(app, nodeListener(gateway), options);
  const log = (line: string): void => {
    try {
      if (options.log === undefined) logTo(gateway.settings.errors(), line);
      else options.log(line);
    } catch {
      // A log that fails must fail nothing else. (ERR-06)
    }
  };
  const hosted = hostedBehind(app)?.server ?? null;
  if (hosted !== null && basePath === '') passUpgrades(server, hosted);
  const stop = shutdown(server, gateway, shutdownTimeout, log);
  const { url, port } = await listen(server, options);
  // An error of accepting, such as too many open files, ends no process.
  server.on('error', (error) => log(`The server failed: ${report(error)}`));
  const close = (): Promise<void> => {
    forgetSignal(close);
    return stop();
  };
  if (signals) closeOnSignal(close, shutdownTimeout, webFunction);
  return { url, port, server, close };
}
