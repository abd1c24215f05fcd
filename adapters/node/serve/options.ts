// The options of `serve`: their defaults, and what is wrong with those that are.

import type { TlsOptions } from 'node:tls';
import { describe } from '../../../core/errors.ts';
import type { NodeOptions } from '../options.ts';

/** Limits that a server puts on its clients. Times are in milliseconds; 0 takes a limit away. */
export interface ServerLimits {
  /**
   * How long a client may take for the head of a request, in milliseconds; beyond it the answer is a 408. Under HTTP/2 also how
   * long a new session may go without a request.
   *
   * @default 60_000
   */
  headersTimeout?: number;
  /**
   * How long a client may take for a whole request, body included, in milliseconds. Beyond it the answer is a 408, or a
   * reset of the stream under HTTP/2.
   *
   * @default 300_000
   */
  requestTimeout?: number;
  /**
   * How long an HTTP/1.1 connection may idle between requests, in milliseconds. Behind a load balancer give more than the
   * balancer's own, or it will send requests into connections that close: 65,000 for an Application Load Balancer.
   *
   * @default 5_000
   */
  keepAliveTimeout?: number;
  /**
   * How long an HTTP/2 session may go without an open stream, in milliseconds.
   *
   * @default 60_000
   */
  sessionTimeout?: number;
  /**
   * How long a client may take nothing of what waits to be sent to it, in milliseconds. Beyond it its connection is ended,
   * and the application's body is closed. Less than 1 KiB in that time counts as nothing. A response that has nothing to
   * send, such as a stream of events between two of them, may wait for any time. Looked at every five seconds at least.
   *
   * @default 120_000
   */
  writeTimeout?: number;
  /**
   * How many bytes the head of a request may have; beyond it the answer is a 431.
   *
   * @default 16_384
   */
  maxHeaderSize?: number;
  /**
   * How many header lines a request may have; a request that reaches it is answered with 431.
   *
   * @default 1_000
   */
  maxHeadersCount?: number;
  /**
   * How many requests a connection may make before it is closed; 0 for any number.
   *
   * @default 0
   */
  maxRequestsPerSocket?: number;
  /**
   * How many connections may be open at once; more are closed as they come. 0 for any number.
   *
   * @default 0
   */
  maxConnections?: number;
  /**
   * How many streams an HTTP/2 session may have open at once.
   *
   * @default 100
   */
  maxConcurrentStreams?: number;
  /**
   * How many streams of an HTTP/2 session a client may reset in ten seconds; a session with more is ended (CVE-2023-44487).
   *
   * @default 200
   */
  maxStreamResets?: number;
}

/** Options of {@link serve}. */
export interface ServeOptions extends NodeOptions, ServerLimits {
  /**
   * The TCP port; 0 for any that is free. `serve` does not read `PORT` of the environment: give
   * `Number(process.env.PORT ?? 8000)` where the port is to come from there.
   *
   * @default 8000
   */
  port?: number;
  /**
   * The address to listen on.
   *
   * @default every address of this machine
   */
  host?: string;
  /**
   * A Unix socket to listen on instead of a port. A socket file that nobody listens on any more, such as one that a killed
   * process left, is replaced.
   *
   * @default none: the server listens on a port
   */
  path?: string;
  /**
   * The permissions of the Unix socket, for example `0o660` for a proxy of the same group.
   *
   * @default what the umask leaves
   */
  socketMode?: number;
  /**
   * An open descriptor to listen on instead of a port: a socket that systemd or a parent process has bound.
   *
   * @default none: the server listens on a port
   */
  fd?: number;
  /**
   * How many connections may wait to be accepted.
   *
   * @default 511
   */
  backlog?: number;
  /**
   * Certificate and key for TLS; without it the server speaks plain HTTP.
   *
   * @default none: plain HTTP
   */
  tls?: TlsOptions;
  /**
   * Speaks HTTP/2, with `tls` beside HTTP/1.1.
   *
   * @default false
   */
  http2?: boolean;
  /**
   * Whether SIGTERM and SIGINT shut the server down gracefully, and then end the process.
   *
   * @default true
   */
  signals?: boolean;
  /**
   * How long a shutdown may take before connections are cut, in milliseconds. The default is below the 10 seconds after which
   * Docker kills. A last part of it, at most a second, is for requests whose `waygate.signal` aborts then.
   *
   * @default 8_000
   */
  shutdownTimeout?: number;
  /**
   * Whether Lambda runs this server, as a Web Function. It then listens where `AWS_LAMBDA_HTTP_ENDPOINT` of the environment
   * says, whatever `port` and `host` are; `REMOTE_ADDR` is the last address of `X-Forwarded-For`, which Lambda has put there;
   * scheme and server are those of the endpoint; `keepAliveTimeout` is 0 and `requestTimeout` 900,000 unless they are given;
   * a shutdown takes 800 milliseconds at most. With `false` the variable has no effect: for a second server of the process.
   * https://docs.aws.amazon.com/lambda/latest/dg/web-functions-nodejs.html
   *
   * @default whether `AWS_LAMBDA_HTTP_ENDPOINT` is set
   */
  webFunction?: boolean;
  /**
   * Called with each line that the server reports about itself: what a shutdown waits for, what it cuts, and errors that
   * belong to no request.
   *
   * @default a line of wsgi.errors
   */
  log?: (line: string) => void;
}

/** The options that are numbers, with the least value of each. */
const NUMBERS: Partial<Record<keyof ServeOptions, number>> = {
  headersTimeout: 0,
  requestTimeout: 0,
  keepAliveTimeout: 0,
  sessionTimeout: 0,
  writeTimeout: 0,
  maxHeaderSize: 1,
  maxHeadersCount: 0,
  maxRequestsPerSocket: 0,
  maxConnections: 0,
  maxConcurrentStreams: 1,
  maxStreamResets: 0,
  socketMode: 0,
  fd: 0,
  backlog: 1,
  shutdownTimeout: 0,
};

/** @throws {TypeError} for an option of the wrong type, and for two that name a place to listen on */
export function checkServeOptions(options: ServeOptions): void {
  for (const [name, least] of Object.entries(NUMBERS)) {
    const value = options[name as keyof ServeOptions];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= least))
      throw new TypeError(`The option "${name}" is ${describe(value)}; expected a number of at least ${least}.`);
  }
  const { log, fd, path, port } = options;
  if (log !== undefined && typeof log !== 'function')
    throw new TypeError(`The option "log" is ${describe(log)}; expected a function (line).`);
  const places = Object.entries({ fd, path, port }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  // A port beside a path has always been allowed; it has no effect.
  if (fd !== undefined && places.length > 1)
    throw new TypeError(`The options ${places.map((name) => `"${name}"`).join(' and ')} exclude each other.`);
}
