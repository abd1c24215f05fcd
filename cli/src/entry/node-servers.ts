// Takes the servers of node:http, https and http2 that a program starts while its module is loaded. To the program they
// listen: its callbacks are called, `listening` is true, `address()` has the port. No port is opened.

import { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import { type Taken, Taking } from './taking.ts';

type Listen = (this: NetServer, ...args: unknown[]) => NetServer;
type Callback = (error?: Error) => void;

/** Takes servers from now on, until `end()`. */
export function takeNodeServers(): Taking {
  const taking = new NodeTaking();
  // Node has one `listen` for all of them; Bun, Deno and workerd have several.
  const owners = new Set([HttpServer, HttpsServer, NetServer].map((each) => ownerOf(each?.prototype, 'listen')));
  for (const owner of owners) if (owner !== undefined) taking.replaceListen(owner);
  return taking;
}

class NodeTaking extends Taking {
  readonly #restore: (() => void)[] = [];

  replaceListen(owner: { listen: Listen }): void {
    const taking = this;
    const original = owner.listen;
    const replaced: Listen = function (...args) {
      // A server that speaks no HTTP, such as a database in a test, is none to be hosted.
      if (!isHttp(this)) return original.apply(this, args);
      return takeServer(this, args, taking, original);
    };
    owner.listen = replaced;
    this.#restore.push(() => {
      if (owner.listen === replaced) owner.listen = original;
    });
  }

  override end(): void {
    super.end();
    for (const restore of this.#restore.splice(0)) restore();
  }
}

function isHttp(server: NetServer): boolean {
  return server instanceof HttpServer || server instanceof HttpsServer || server.listenerCount('request') > 0;
}

/** The object of a prototype chain that has a method. */
function ownerOf(prototype: unknown, name: string): { listen: Listen } | undefined {
  for (let at = prototype as object | null; at != null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, name)) return at as { listen: Listen };
  }
  return undefined;
}

/** Ports for those who ask for any free one. */
let freePort = 49_152;

function takeServer(server: NetServer, args: unknown[], taking: Taking, original: Listen): NetServer {
  if (server.listening) {
    const error = new Error('Listen method has been called more than once without closing.');
    // The program's own call is the place of the error.
    Error.captureStackTrace(error, server.listen);
    throw Object.assign(error, { code: 'ERR_SERVER_ALREADY_LISTEN' });
  }
  const { port, host, path, signal } = addressOf(args);
  const shownPort = port === 0 ? freePort++ : port;
  const isIpv4 = host !== undefined && !host.includes(':');
  const address = {
    address: host === 'localhost' ? '127.0.0.1' : (host ?? '::'),
    family: isIpv4 ? 'IPv4' : 'IPv6',
    port: shownPort,
  };
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as Callback) : undefined;
  if (callback !== undefined) server.once('listening', callback);
  const taken: Taken = {
    app: server,
    port: shownPort,
    host,
    where: path === undefined ? `port ${shownPort}` : `the socket ${path}`,
    onClose: async () => {},
    listen: () => {
      giveBack(server);
      original.apply(server, callback === undefined ? args : args.slice(0, -1));
    },
  };
  const close = (done?: Callback): NetServer => {
    giveBack(server);
    // A close that follows fails as Node's does.
    taken.onClose().then(() => {
      server.emit('close');
      done?.();
    });
    return server;
  };
  const own = (value: unknown): PropertyDescriptor => ({ value, configurable: true, writable: true });
  Object.defineProperties(server, {
    listening: own(true),
    address: own(() => path ?? address),
    close: own(close),
  });
  signal?.addEventListener('abort', () => void server.close(), { once: true });
  process.nextTick(() => {
    if (Object.hasOwn(server, 'listening')) server.emit('listening');
  });
  taking.add(taken);
  return server;
}

/** Makes a server what its class made it. */
function giveBack(server: NetServer): void {
  for (const name of ['listening', 'address', 'close']) Reflect.deleteProperty(server, name);
}

/** What `listen` was asked for. https://nodejs.org/api/net.html#serverlisten */
function addressOf(args: readonly unknown[]): { port?: number; host?: string; path?: string; signal?: AbortSignal } {
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) {
    const { port, host, path, signal } = first as {
      port?: unknown;
      host?: string;
      path?: string;
      signal?: AbortSignal;
    };
    // A handle or a descriptor has neither.
    return port === undefined && path !== undefined ? { path, signal } : { port: Number(port ?? 0), host, signal };
  }
  if (typeof first === 'string' && !/^\s*\d+\s*$/.test(first)) return { path: first };
  const port = typeof first === 'number' || typeof first === 'string' ? Number(first) : 0;
  return { port, host: typeof second === 'string' ? second : undefined };
}
