// What a build for Node, Deno or Bun serves its app with: listens where PORT and HOST say, and shuts down gracefully. It is
// bundled into the build and imports nothing: the build's own copy of the library is given to it.

import type { Application } from 'waygate';
import type { FetchHandler, FetchOptions, RemoteAddr } from 'waygate/fetch';

type ToFetch = (app: Application, options: FetchOptions) => FetchHandler;

/** How long a shutdown may take, in milliseconds: docker sends SIGKILL after 10 seconds. */
const SHUTDOWN_LIMIT = 8000;
/** How long requests that were cut off may take to end, in milliseconds. */
const CUT_LIMIT = 500;

/** What Bun's server offers, as far as it is used here. https://bun.sh/docs/api/http */
interface BunServer {
  readonly url: URL;
  readonly pendingRequests: number;
  requestIP(request: Request): { address: string; port: number } | null;
  stop(cut?: boolean): Promise<void>;
}

interface BunRuntime {
  serve(options: { port: number; hostname: string; fetch: (...args: [Request, BunServer]) => unknown }): BunServer;
}

/** What Deno passes along with a request. https://docs.deno.com/api/deno/~/Deno.ServeHandlerInfo */
interface DenoInfo {
  readonly remoteAddr: { readonly hostname?: string; readonly port?: number };
  readonly completed?: Promise<void>;
}

interface DenoRuntime {
  env: { get(name: string): string | undefined };
  addSignalListener(signal: string, listener: () => void): void;
  exit(code: number): never;
  serve(
    options: { port: number; hostname: string },
    handler: (request: Request, info: DenoInfo) => unknown,
  ): { shutdown(): Promise<void> };
}

/**
 * The runtimes by names of their own. In a program of the user's, the bundler replaces `Deno.serve` and `Bun.serve` by
 * functions that open no port (entry/runtimes.ts). This module is bundled with it.
 */
const { Deno: deno, Bun: bun } = globalThis as unknown as { Deno: DenoRuntime; Bun: BunRuntime };

type Serve = typeof import('waygate/node').serve;

/** Serves an application with Node's server until a signal. */
export async function serveOnNode(serve: Serve, application: Application): Promise<void> {
  const { PORT, HOST, KEEP_ALIVE_TIMEOUT } = process.env;
  try {
    const { port } = address(PORT, HOST);
    const keepAlive = seconds(KEEP_ALIVE_TIMEOUT);
    const keepAliveTimeout = keepAlive === undefined ? undefined : keepAlive * 1000;
    const { url } = await serve(application, { port, host: HOST || undefined, keepAliveTimeout });
    console.log(`Listening on ${url}`);
  } catch (error) {
    console.error(message(error));
    process.exit(1);
  }
}

function seconds(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new Error(`KEEP_ALIVE_TIMEOUT is "${text}"; expected a number of seconds, such as 65.`);
}

/** Serves an application with Bun's server until a signal. */
export function serveOnBun(toFetch: ToFetch, application: Application): void {
  const work = new Work();
  const exit = (code: number): never => process.exit(code);
  const handler = toFetch(application, { waitUntil: work.add, remoteAddr: bunClient });
  const { PORT, HOST } = process.env;
  const server = orExit(exit, () => bun.serve({ ...address(PORT, HOST), fetch: handler }));
  console.log(`Listening on ${server.url}`);
  const shutdown = new Shutdown(work, {
    running: () => server.pendingRequests,
    close: () => server.stop(),
    cut: () => void server.stop(true),
    exit,
  });
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, shutdown.onSignal);
}

/** Serves an application with Deno's server until a signal. */
export function serveOnDeno(toFetch: ToFetch, application: Application): void {
  const work = new Work();
  const exit = (code: number): never => deno.exit(code);
  const handler = toFetch(application, { waitUntil: work.add, remoteAddr: denoClient });
  const requests = new Work();
  const serve = (request: Request, info: DenoInfo): unknown => {
    if (info.completed !== undefined) requests.add(info.completed);
    return handler(request, info);
  };
  const server = orExit(exit, () => deno.serve(address(deno.env.get('PORT'), deno.env.get('HOST')), serve));
  const shutdown = new Shutdown(work, {
    running: () => requests.size,
    close: () => server.shutdown(),
    exit,
  });
  for (const signal of ['SIGTERM', 'SIGINT']) deno.addSignalListener(signal, shutdown.onSignal);
}

/** Where to listen. */
function address(port: string | undefined, host: string | undefined): { port: number; hostname: string } {
  const number = Number(port || 8000);
  if (port && !(/^\d+$/.test(port) && number <= 65_535))
    throw new Error(`PORT is "${port}"; expected a port, 0 to 65535.`);
  return { port: number, hostname: host || '0.0.0.0' };
}

/** Makes a server; what keeps it from listening is a line, not a stack. */
function orExit<Server>(exit: (code: number) => never, make: () => Server): Server {
  try {
    return make();
  } catch (error) {
    console.error(message(error));
    return exit(1);
  }
}

function message(error: unknown): string {
  if ((error as { code?: unknown } | null)?.code === 'EADDRINUSE')
    return 'The port is in use; choose another with PORT.';
  return error instanceof Error ? error.message : String(error);
}

/** A `Request` does not name its client; the server that Bun passes along with it does. */
const bunClient: RemoteAddr = (request: Request, server: BunServer) => server.requestIP(request);

const denoClient: RemoteAddr = (_request: Request, { remoteAddr: { hostname, port } }: DenoInfo) =>
  hostname === undefined ? undefined : { address: hostname, port };

/** Promises that have not settled. */
class Work {
  readonly #pending = new Set<Promise<unknown>>();

  get size(): number {
    return this.#pending.size;
  }

  readonly add = (work: Promise<unknown>): void => {
    this.#pending.add(work);
    const done = (): void => void this.#pending.delete(work);
    work.then(done, done);
  };

  /** Settles when nothing is pending, also nothing that was added meanwhile. */
  async done(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }
}

interface Closing {
  /** How many requests are being answered. */
  running(): number;
  /** Stops accepting; settles when all requests are answered. */
  close(): Promise<void>;
  /** Ends the requests that are left, where the server can: their signals abort then. */
  cut?(): void;
  exit(code: number): never;
}

/** The end of a server, as `serve` of waygate/node has it: it finishes its requests, then their work, and exits with 0. */
class Shutdown {
  readonly #work: Work;
  readonly #server: Closing;
  #begun = false;

  constructor(work: Work, server: Closing) {
    this.#work = work;
    this.#server = server;
  }

  readonly onSignal = (): void => {
    if (this.#begun) this.#server.exit(1);
    this.#begun = true;
    this.#run();
  };

  async #run(): Promise<void> {
    const server = this.#server;
    const left = this.#left();
    if (left !== '') console.error(`Shutting down: waiting for ${left}, for at most ${SHUTDOWN_LIMIT / 1000} s.`);
    setTimeout(() => {
      const cut = this.#left();
      if (cut !== '') console.error(`The shutdown took ${SHUTDOWN_LIMIT / 1000} s; it cut off ${cut}.`);
      server.cut?.();
      setTimeout(() => server.exit(0), server.cut === undefined ? 0 : CUT_LIMIT);
    }, SHUTDOWN_LIMIT);
    await server.close();
    await this.#work.done();
    server.exit(0);
  }

  /** What there is to wait for, in words. */
  #left(): string {
    const { size: work } = this.#work;
    const requests = this.#server.running();
    return [
      requests > 0 && `${requests} request${requests === 1 ? '' : 's'}`,
      work > 0 && `${work} piece${work === 1 ? '' : 's'} of work after a response`,
    ]
      .filter((part) => part !== false)
      .join(' and ');
  }
}
