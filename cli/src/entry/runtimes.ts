// `Deno.serve` and `Bun.serve` of a program that is not run by Deno or Bun: the handler is taken, and no port is opened.
// The bundler puts these functions where a program of the user's names the runtimes' own. No global is changed, and nothing
// else takes this process for another runtime. It is bundled with the program.

import { currentTaking, type Taken } from './taking.ts';

type Handler = (request: Request, info: unknown) => Response | Promise<Response>;

/** What `Deno.serve` takes. https://docs.deno.com/api/deno/~/Deno.serve */
interface DenoOptions {
  port?: number;
  hostname?: string;
  path?: string;
  handler?: Handler;
  signal?: AbortSignal;
  onListen?: (address: DenoAddress) => void;
  onError?: (error: unknown) => Response | Promise<Response>;
}

interface DenoAddress {
  transport: 'tcp';
  hostname: string;
  port: number;
}

/** What it returns. https://docs.deno.com/api/deno/~/Deno.HttpServer */
interface DenoServer {
  readonly addr: DenoAddress;
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
  ref(): void;
  unref(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `Deno.serve(handler)`, `Deno.serve(options, handler)` and `Deno.serve({ handler, …options })`. */
export function waygateDenoServe(first: DenoOptions | Handler, second?: Handler): DenoServer {
  const options: DenoOptions = typeof first === 'function' ? {} : first;
  const handler = typeof first === 'function' ? first : (second ?? options.handler);
  if (typeof handler !== 'function') throw new TypeError('Deno.serve was given no handler; expected a function.');
  const { port = 8000, hostname = '0.0.0.0', onError } = options;
  const answer: Hosted = async (request, env) => {
    const client = clientOf(request, env);
    const remoteAddr = { transport: 'tcp', hostname: client?.address ?? '', port: client?.port ?? 0 };
    try {
      // On Deno itself that is Deno's own.
      return await handler(request, has(env, 'remoteAddr') ? env : { remoteAddr, completed: Promise.resolve() });
    } catch (error) {
      if (onError === undefined) throw error;
      return onError(error);
    }
  };
  const { taken, finished, close } = take(answer, port, hostname);
  const addr: DenoAddress = { transport: 'tcp', hostname, port: taken.port ?? port };
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  if (options.onListen === undefined) console.log(`Listening on http://${hostname}:${addr.port}/`);
  else options.onListen(addr);
  return {
    addr,
    get finished(): Promise<void> {
      // Who asks for it waits for it: nothing else is started then.
      currentTaking()?.complete();
      return finished;
    },
    shutdown: close,
    ref() {},
    unref() {},
    [Symbol.asyncDispose]: close,
  };
}

/** What `Bun.serve` takes, as far as it can be taken. https://bun.sh/docs/api/http */
interface BunOptions {
  fetch?: (request: Request, server: BunServer) => Response | Promise<Response>;
  error?: (error: unknown) => Response | Promise<Response>;
  port?: number | string;
  hostname?: string;
  unix?: string;
  routes?: unknown;
  static?: unknown;
  websocket?: unknown;
}

interface BunServer {
  readonly port: number;
  readonly hostname: string;
  readonly url: URL;
  readonly development: boolean;
  readonly pendingRequests: number;
  requestIP(request: Request): { address: string; port: number; family: 'IPv4' | 'IPv6' } | null;
  stop(): Promise<void>;
  fetch(request: Request | string): Promise<Response>;
  timeout(): void;
  upgrade(): boolean;
  ref(): void;
  unref(): void;
}

/** @throws {TypeError} for what only Bun has: its router, its WebSockets */
export function waygateBunServe(options: BunOptions): BunServer {
  for (const name of ['routes', 'static', 'websocket'] as const) {
    if (options[name] === undefined) continue;
    throw new TypeError(
      `Bun.serve was given \`${name}\`, which only Bun has; expected \`fetch\` alone. Run this program with Bun, or answer in \`fetch\`.`,
    );
  }
  const { fetch: handler, error: onError } = options;
  if (typeof handler !== 'function')
    throw new TypeError('Bun.serve was given no fetch; expected a function (request).');
  const clients = new WeakMap<Request, object>();
  let running = 0;
  const answer: Hosted = async (request, env) => {
    running += 1;
    if (env !== undefined) clients.set(request, env);
    try {
      // On Bun itself that is Bun's own.
      return await handler(request, has(env, 'requestIP') ? (env as unknown as BunServer) : server);
    } catch (error) {
      if (onError === undefined) throw error;
      return onError(error);
    } finally {
      running -= 1;
    }
  };
  const hostname = options.hostname ?? '0.0.0.0';
  const { taken, close } = take(answer, Number(options.port ?? 3000), hostname);
  const port = taken.port as number;
  const server: BunServer = {
    port,
    hostname,
    url: new URL(`http://${hostname === '0.0.0.0' ? 'localhost' : hostname}:${port}/`),
    development: false,
    get pendingRequests() {
      return running;
    },
    requestIP(request) {
      const client = clientOf(request, clients.get(request));
      return client && { ...client, family: client.address.includes(':') ? 'IPv6' : 'IPv4' };
    },
    stop: close,
    fetch: (request) => answer(typeof request === 'string' ? new Request(new URL(request, server.url)) : request),
    timeout() {},
    upgrade: () => false,
    ref() {},
    unref() {},
  };
  return server;
}

/** The environment's variables; Workers without `nodejs_compat` have none. */
const variables: Record<string, string | undefined> = globalThis.process?.env ?? {};

/** `Deno.env`, of the process's own variables. */
export const waygateDenoEnv = {
  get: (name: string): string | undefined => variables[name],
  has: (name: string): boolean => variables[name] !== undefined,
  set: (name: string, value: string): void => void Object.assign(variables, { [name]: value }),
  delete: (name: string): void => void Reflect.deleteProperty(variables, name),
  toObject: (): Record<string, string | undefined> => ({ ...variables }),
};

/** A handler as it is hosted: what `fromFetch` passes besides the request holds the environ. */
type Hosted = (request: Request, env?: object) => Promise<Response>;

function has<Name extends string>(value: object | undefined, name: Name): value is Record<Name, unknown> {
  return value !== undefined && name in value;
}

/** The client of a request, where the platform names it. */
function clientOf(request: Request, env: object | undefined): { address: string; port: number } | null {
  if (has(env, 'environ')) {
    const { REMOTE_ADDR, REMOTE_PORT } = env.environ as { REMOTE_ADDR?: string; REMOTE_PORT?: string };
    return REMOTE_ADDR === undefined ? null : { address: REMOTE_ADDR, port: Number(REMOTE_PORT ?? 0) };
  }
  // Cloudflare sets this header itself, and only a Worker's request has a `cf`.
  const address = 'cf' in request ? request.headers.get('cf-connecting-ip') : null;
  return address === null ? null : { address, port: 0 };
}

interface Entered {
  taken: Taken;
  finished: Promise<void>;
  close: () => Promise<void>;
}

function take(fetch: Hosted, port: number, host: string): Entered {
  let settle = (): void => {};
  const finished = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const onClose = async (): Promise<void> => {};
  const taken: Taken = { app: { fetch }, port: port || undefined, host, where: `port ${port}`, onClose };
  const close = async (): Promise<void> => {
    await taken.onClose();
    settle();
  };
  // Where the program's app is what it exports, nothing takes this one.
  currentTaking()?.add(taken);
  return { taken, finished, close };
}
