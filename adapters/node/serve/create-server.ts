// Makes the server that `serve` listens with, with limits for its clients, and the upgrades of a hosted server.

import type http from 'node:http';
import type http2 from 'node:http2';
import type https from 'node:https';
import type { Application } from '../../../core/types.ts';
import { createServer as createHttpServer } from '../http.ts';
import type { NodeListener } from '../to-node.ts';
import { limitSessions } from './http2-limits.ts';
import { type MessageClasses, serverOptions } from './message-classes.ts';
import type { ServeOptions } from './options.ts';
import { limitWriting } from './write-timeout.ts';

/** A server of any kind that `serve` makes. */
export type AnyServer = http.Server | https.Server | http2.Http2Server | http2.Http2SecureServer;

/** Modules of Node that take longer to load than all of this library, and are needed by few: loaded when they are. */
const http2Module = (): typeof http2 => process.getBuiltinModule('node:http2');
const httpsModule = (): typeof https => process.getBuiltinModule('node:https');

/** The longest that an overdue request may go unnoticed, in milliseconds: Node's own. */
const LONGEST_CHECK = 30_000;

/**
 * @param app the application that is served
 * @param listener answers the requests
 * @throws {RangeError} for limits that Node refuses, such as a `requestTimeout` below `headersTimeout`
 */
export function createServer(app: Application, listener: NodeListener, options: ServeOptions): AnyServer {
  const {
    tls,
    requestTimeout = 300_000,
    keepAliveTimeout = 5000,
    maxHeaderSize = 16_384,
    writeTimeout = 120_000,
  } = options;
  // Node wants the head to be due no later than the whole.
  const headersTimeout = options.headersTimeout ?? Math.min(60_000, requestTimeout || 60_000);
  const due = Math.min(headersTimeout || LONGEST_CHECK, requestTimeout || LONGEST_CHECK, LONGEST_CHECK);
  const classes = serverOptions(app);
  const limits: http.ServerOptions = {
    ...classes,
    headersTimeout,
    requestTimeout,
    keepAliveTimeout,
    maxHeaderSize,
    connectionsCheckingInterval: Math.max(50, Math.ceil(due / 4)),
  };
  let server: AnyServer;
  if (options.http2 === true) {
    const settings: http2.ServerOptions = { settings: { maxConcurrentStreams: options.maxConcurrentStreams ?? 100 } };
    server = tls
      ? http2Module().createSecureServer(
          { ...limits, ...settings, ...tls, allowHTTP1: true, ...forHttp1(classes) },
          listener,
        )
      : http2Module().createServer(settings, listener);
    limitSessions(server as http2.Http2Server, {
      headersTimeout,
      requestTimeout,
      sessionTimeout: options.sessionTimeout ?? 60_000,
      writeTimeout,
      maxStreamResets: options.maxStreamResets ?? 200,
    });
    // A client of HTTP/1.1 that came over TLS is held to them too.
    if (tls) Object.assign(server, { headersTimeout, requestTimeout, keepAliveTimeout });
  } else {
    server = tls ? httpsModule().createServer({ ...limits, ...tls }, listener) : createHttpServer(limits, listener);
  }
  if (writeTimeout > 0) limitWriting(server, writeTimeout);
  const { maxHeadersCount, maxRequestsPerSocket, maxConnections } = options;
  if (maxHeadersCount !== undefined) (server as http.Server).maxHeadersCount = maxHeadersCount;
  if (maxRequestsPerSocket !== undefined) (server as http.Server).maxRequestsPerSocket = maxRequestsPerSocket;
  if (maxConnections) server.maxConnections = maxConnections;
  // The 100 is then sent when the application first reads the body. (HTTP-01)
  server.on('checkContinue', listener);
  return server;
}

/** The names that `http2` has for these classes. */
function forHttp1({ IncomingMessage, ServerResponse }: MessageClasses): http2.SecureServerOptions {
  return { Http1IncomingMessage: IncomingMessage, Http1ServerResponse: ServerResponse };
}
