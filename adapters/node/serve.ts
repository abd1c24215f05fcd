// A server around `toNode`: listens, says where, and shuts down without losing a request.

import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { Application } from '../../core/types.ts';
import { cut } from './break-off.ts';
import { NodeGateway, type NodeListener, type NodeOptions } from './to-node.ts';

/** Options of {@link serve}. */
export interface ServeOptions extends NodeOptions {
  /** The TCP port; 0 for any that is free. Default 8000. */
  port?: number;
  /** The address to listen on. Default: every address of this machine, as Node does. */
  host?: string;
  /** A Unix socket to listen on instead of a port. */
  path?: string;
  /** Certificate and key for TLS; without it the server speaks plain HTTP. */
  tls?: TlsOptions;
  /** Speaks HTTP/2, with `tls` beside HTTP/1.1. Default false. */
  http2?: boolean;
  /** Whether SIGTERM and SIGINT shut the server down gracefully. Default true. */
  signals?: boolean;
  /** How long a shutdown may take before connections are cut, in milliseconds. Default 10,000. */
  shutdownTimeout?: number;
}

/** A server that listens. */
export interface Served {
  /** `http://localhost:8000/`, or `unix:/path` for a Unix socket. */
  url: string;
  /** The TCP port; 0 for a Unix socket. */
  port: number;
  /** The server itself. */
  server: http.Server | https.Server | http2.Http2Server | http2.Http2SecureServer;
  /**
   * Stops accepting, finishes what runs, then waits for `waygate.wait_until` work; after `shutdownTimeout` it cuts what is
   * left. Resolves when all is over; calling it again waits for the same end.
   */
  close(): Promise<void>;
}

/**
 * Serves an application on `node:http`, `node:https` or `node:http2`.
 *
 * @returns once the server listens; rejects when it cannot, for example with `EADDRINUSE`
 * @throws {TypeError} for an application that is no function or an option of the wrong type
 */
export async function serve(app: Application, options: ServeOptions = {}): Promise<Served> {
  const gateway = new NodeGateway(app, options);
  const { port = 8000, host, path, tls, signals = true, shutdownTimeout = 10_000 } = options;
  const server = createServer(gateway, options);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path === undefined ? { port, host } : { path }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const close = shutdown(server, gateway, shutdownTimeout);
  if (signals) closeOnSignal(close, shutdownTimeout);
  const address = server.address() as AddressInfo | string;
  if (typeof address === 'string') return { url: `unix:${address}`, port: 0, server, close };
  const scheme = tls === undefined ? 'http' : 'https';
  return { url: `${scheme}://${urlHost(host)}:${address.port}/`, port: address.port, server, close };
}

type AnyServer = Served['server'];

function createServer(gateway: NodeGateway, options: ServeOptions): AnyServer {
  const { tls } = options;
  const listener = gateway.listener as NodeListener;
  let server: AnyServer;
  if (options.http2 === true) {
    server = tls ? http2.createSecureServer({ ...tls, allowHTTP1: true }, listener) : http2.createServer(listener);
  } else {
    server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  }
  // The 100 is then sent when the application first reads the body. (HTTP-01)
  server.on('checkContinue', listener);
  return server;
}

function urlHost(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** How often a closing server looks for connections that have become idle, in milliseconds. */
const IDLE_CHECK = 50;
/** How long a new connection may take to begin its first request while the server closes, in milliseconds. */
const FIRST_REQUEST = 500;

function shutdown(server: AnyServer, gateway: NodeGateway, timeout: number): () => Promise<void> {
  /** When each connection was opened, in milliseconds. */
  const sockets = new Map<Socket, number>();
  const sessions = new Set<http2.ServerHttp2Session>();
  const track = (socket: Socket): void => {
    sockets.set(socket, performance.now());
    socket.once('close', () => sockets.delete(socket));
  };
  // Under TLS there are two sockets to a connection; only the inner one tells whether a request has begun.
  server.on('connection', track).on('secureConnection', track);
  (server as http2.Http2Server).on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });

  const stop = async (): Promise<void> => {
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    // A session that is told to close finishes its open streams first.
    for (const session of sessions) session.close();
    const closeIdle = (): void => {
      (server as http.Server).closeIdleConnections?.();
      // Node counts a connection as busy that was opened and has not asked for anything yet, as browsers do. The request
      // of one that was accepted a moment ago is on its way: to end it would lose a request.
      const old = performance.now() - FIRST_REQUEST;
      for (const [socket, opened] of sockets) if (socket.bytesRead === 0 && opened < old) socket.destroy();
    };
    closeIdle();
    const idle = setInterval(closeIdle, IDLE_CHECK);
    const finished = stopped.then(() => gateway.work());
    const cutting = setTimeout(() => {
      for (const socket of sockets.keys()) cut(socket);
    }, timeout);
    await Promise.race([finished, elapsed(timeout)]);
    clearInterval(idle);
    clearTimeout(cutting);
    for (const socket of sockets.keys()) cut(socket);
    await stopped;
  };
  let stopping: Promise<void> | undefined;
  return () => {
    stopping ??= stop();
    return stopping;
  };
}

function elapsed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** The first signal closes; the process then ends by itself, or is ended when something else keeps it. A second one ends it. */
function closeOnSignal(close: () => Promise<void>, timeout: number): void {
  let closing = false;
  const onSignal = (): void => {
    if (closing) process.exit(1);
    closing = true;
    close().then(() => {
      setTimeout(() => process.exit(), timeout).unref();
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
    });
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
}
