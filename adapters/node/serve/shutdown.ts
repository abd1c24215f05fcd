// How a server ends without losing a request: what runs may finish, what idles is closed, what goes on too long is cut.

import type http from 'node:http';
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import net, { type Socket } from 'node:net';
import { cut } from '../break-off.ts';
import type { NodeGateway } from '../gateway.ts';
import type { AnyServer } from './create-server.ts';

/** How often a closing server looks for connections that have become idle, in milliseconds. */
const IDLE_CHECK = 50;
/** How long a new connection may take to begin its first request while the server closes, in milliseconds. */
const FIRST_REQUEST = 500;
/** How long a shutdown may wait before it says what for, in milliseconds: most end within a moment. */
const WORTH_REPORTING = 20;
/** How long before the end of a shutdown every `waygate.signal` aborts, in milliseconds. */
const LAST_MOMENT = 1000;

/**
 * @param timeout how long a shutdown may take, in milliseconds
 * @param log called with what the shutdown waits for and what it cuts
 * @returns shuts the server down; every call gives the same promise
 */
export function shutdown(
  server: AnyServer,
  gateway: NodeGateway,
  timeout: number,
  log: (line: string) => void,
): () => Promise<void> {
  const connections = new Connections(server);
  const stop = async (): Promise<void> => {
    // The close() of Node's HTTP servers ends connections that have not asked yet, for which a request may be on its way.
    const stopped = new Promise<void>((resolve) => net.Server.prototype.close.call(server, () => resolve()));
    connections.close();
    const idle = setInterval(() => connections.closeIdle(), IDLE_CHECK);
    const finished = stopped.then(() => gateway.work.settled());
    const report = (): void => reportWhatRuns(connections.busy, gateway.work.size, timeout, log);
    const reporting = timeout > 0 ? setTimeout(report, Math.min(WORTH_REPORTING, timeout / 2)) : undefined;
    const ending = setTimeout(() => gateway.abortAll(), timeout - Math.min(LAST_MOMENT, timeout / 4));
    const isLate = await Promise.race([finished.then(() => false), elapsed(timeout).then(() => true)]);
    clearInterval(idle);
    clearTimeout(reporting);
    clearTimeout(ending);
    if (isLate && timeout > 0) {
      const left = counts(connections.busy, gateway.work.size);
      if (left !== '') log(`The shutdown took ${timeout / 1000} s; it cut off ${left}.`);
    }
    connections.cut();
    await stopped;
    // Lets Node's server put away what its close() puts away.
    server.close(() => {});
  };
  let stopping: Promise<void> | undefined;
  return () => {
    stopping ??= stop();
    return stopping;
  };
}

function reportWhatRuns(connections: number, work: number, timeout: number, log: (line: string) => void): void {
  const running = counts(connections, work);
  if (running !== '') log(`Shutting down: waiting for ${running}, for at most ${timeout / 1000} s.`);
}

function counts(connections: number, work: number): string {
  const parts = [
    connections > 0 && `${connections} connection${connections === 1 ? '' : 's'} with a request`,
    work > 0 && `${work} piece${work === 1 ? '' : 's'} of work after a response`,
  ];
  return parts.filter((part) => part !== false).join(' and ');
}

function elapsed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** The connections of a server. */
class Connections {
  readonly #server: AnyServer;
  /** When each socket was opened, in milliseconds. Under TLS there are two to a connection. */
  readonly #sockets = new Map<Socket, number>();
  /** The sockets that belong to the network. */
  readonly #outer = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(server: AnyServer) {
    this.#server = server;
    const track = (socket: Socket): void => {
      this.#sockets.set(socket, performance.now());
      socket.once('close', () => this.#sockets.delete(socket));
    };
    server.on('connection', (socket: Socket) => {
      this.#outer.add(socket);
      socket.once('close', () => this.#outer.delete(socket));
      track(socket);
    });
    // Only the inner socket shows whether a request has begun.
    server.on('secureConnection', track);
    (server as Http2Server).on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
  }

  /** How many connections have a request that runs, as far as that is known: those that idle are closed. */
  get busy(): number {
    let count = 0;
    for (const socket of this.#outer) if (socket.bytesRead > 0 && !socket.destroyed) count++;
    return count;
  }

  /** Closes what idles, and lets what runs be the last. */
  close(): void {
    // A session that is told to close finishes its open streams first.
    for (const session of this.#sessions) session.close();
    this.closeIdle();
  }

  closeIdle(): void {
    const old = performance.now() - FIRST_REQUEST;
    let isNewcomer = false;
    for (const [socket, opened] of this.#sockets) {
      if (socket.bytesRead > 0) continue;
      // A connection that asks for nothing, as browsers open them. The request of one that was accepted a moment ago is on
      // its way: to end it would lose a request.
      if (opened < old) socket.destroy();
      else isNewcomer = true;
    }
    // From version 26 on Node counts such a newcomer as idle.
    if (!isNewcomer) (this.#server as http.Server).closeIdleConnections?.();
  }

  cut(): void {
    for (const socket of this.#sockets.keys()) cut(socket);
  }
}

/** How long a process may go on after its servers, in milliseconds: code that awaits `close()` has something to do. */
const EXIT_GRACE = 500;
/** The same where the platform ends the process a second after it was told to, in milliseconds. */
const SHORT_GRACE = 100;

/** The servers that a signal closes. */
const CLOSED_BY_SIGNAL = new Set<() => Promise<void>>();
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
let isClosing = false;
/** The longest that any of them may take, in milliseconds. */
let longest = 0;
let grace = EXIT_GRACE;

/**
 * Closes a server at the first SIGTERM or SIGINT. When all such servers of the process are closed, the process ends, with
 * status 0 unless `process.exitCode` says otherwise, whatever timers or pools are open. A second signal ends it at once.
 *
 * @param isHurried whether the process ends as soon as they are, since the platform gives it no more time
 */
export function closeOnSignal(close: () => Promise<void>, timeout: number, isHurried = false): void {
  if (isHurried) grace = SHORT_GRACE;
  if (CLOSED_BY_SIGNAL.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
  CLOSED_BY_SIGNAL.add(close);
  longest = Math.max(longest, timeout);
}

/** A server that was closed without a signal needs none any more. */
export function forgetSignal(close: () => Promise<void>): void {
  if (isClosing || !CLOSED_BY_SIGNAL.delete(close) || CLOSED_BY_SIGNAL.size > 0) return;
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  if (isClosing) process.exit(1);
  isClosing = true;
  const began = performance.now();
  // Somebody else who listens has something to put away as well, and as long for it as the servers have.
  const isAlone = process.listenerCount(signal) <= 1;
  Promise.allSettled([...CLOSED_BY_SIGNAL].map((close) => close())).then(() => {
    const left = isAlone ? grace : Math.max(grace, longest - (performance.now() - began));
    setTimeout(() => process.exit(), left).unref();
  });
}
