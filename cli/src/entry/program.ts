// Loads a module of the user's: one that exports an app, or a program that listens by itself, whose server is taken.

import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, usageError } from '../errors.ts';
import { whenIdle } from '../idle.ts';
import { findApp, type Kind, ownExports, type RunKind, recognize } from '../kind.ts';
import { takeNodeServers } from './node-servers.ts';
import { distinctServers, LISTEN_LIMIT, type Taken, type Taking } from './taking.ts';

/** What a module came to. */
export interface Loaded {
  /** Its exports; where it exports no app but listens, the server is its default export. */
  exports: Record<string, unknown>;
  /** The server that was taken, where that is the app. */
  taken?: Taken;
  /** Which one it is, among the servers of the program. */
  index: number;
  /** Whether the module waits for the end of its server. */
  waits: boolean;
  /** What else would have listened. */
  others: Taken[];
}

/** How long a module that listens may go on loading, in milliseconds: its server may be all that it waits for. */
const LOADING_LIMIT = 3000;
/** How long after its first server another one is waited for, in milliseconds. */
const ANOTHER_LIMIT = 50;

/** What is known of a module before it is loaded. */
export interface ExpectedProgram {
  /** What it is. A Lambda handler never listens. */
  kind?: RunKind | undefined;
  /** The port that a program gets as `PORT`, where that is not set. */
  port?: number;
}

type Exports = Record<string, unknown>;

/**
 * Loads a module, with `PORT` set for a program that asks where to listen.
 *
 * @param load imports the module
 * @param name the module, for messages
 * @throws {CommandError} when it neither exports an app nor listens, or listens twice; and what the module throws
 */
export async function loadProgram(
  load: () => Promise<Exports>,
  name: string,
  { kind, port }: ExpectedProgram,
): Promise<Loaded> {
  if (port !== undefined) process.env.PORT ||= String(port);
  const limit = listenLimit();
  const taking = takeNodeServers();
  try {
    const exports = await moduleLoaded(load(), taking);
    if (exports !== undefined && (kind === 'lambda' || (await hasApp(exports)))) {
      return { exports, index: -1, waits: false, others: distinctServers(taking.servers) };
    }
    if (taking.servers.length === 0) {
      const idle = whenIdle().then(() => 'idle');
      const end = await Promise.race([taking.next(), idle, after(limit)]);
      if (taking.servers.length === 0)
        throw await neverListens(exports ?? {}, name, kind, end === 'idle' ? undefined : limit);
    }
    while (!taking.isComplete && !taking.servers.some(isOnPort)) {
      const seen = taking.servers.length;
      await Promise.race([taking.next(), sleep(ANOTHER_LIMIT)]);
      if (taking.servers.length === seen) break;
    }
    const servers = distinctServers(taking.servers);
    const taken = servers.length === 1 ? servers[0] : servers.find(isOnPort);
    if (taken === undefined) throw listensTwice(servers, name);
    return {
      exports: { default: taken.app },
      taken,
      index: servers.indexOf(taken),
      waits: exports === undefined,
      others: servers.filter((each) => each !== taken),
    };
  } finally {
    taking.end();
  }
}

/** The exports of a module, or undefined where it listens and goes on loading: it may wait for the end of its server. */
async function moduleLoaded(loading: Promise<Exports>, taking: Taking): Promise<Exports | undefined> {
  const listening = async (): Promise<undefined> => {
    while (taking.servers.length === 0) await taking.next();
    const completed = async (): Promise<void> => {
      while (!taking.isComplete) await taking.next();
    };
    await Promise.race([completed(), whenIdle(), after(LOADING_LIMIT)]);
  };
  return Promise.race([loading, listening()]);
}

/** Whether a module exports what can be served: an app, or a Lambda handler. */
async function hasApp(exports: Exports): Promise<boolean> {
  const own = ownExports(exports);
  return typeof own.handler === 'function' || recognize(await (own.default ?? own.app)) !== undefined;
}

/** Whether a server listens where it was told to. */
function isOnPort({ port }: Taken): boolean {
  return port === Number(process.env.PORT);
}

/** @param limit how long it was waited for, in milliseconds; undefined where the program had nothing left to do */
async function neverListens(
  exports: Exports,
  name: string,
  kind: RunKind | undefined,
  limit: number | undefined,
): Promise<unknown> {
  const error = await findApp(exports, name, kind as Kind | undefined).catch((reason: unknown) => reason);
  if (!(error instanceof CommandError)) return error;
  const seen =
    limit === undefined
      ? 'It ended without listening; a program that listens only as the main module has to export its app.'
      : `It did not listen within ${limit / 1000} s; WAYGATE_LISTEN_SECONDS sets another limit.`;
  return new CommandError(`${error.message.replace(/\.$/, '')}, or a program that calls listen(). ${seen}`);
}

function listensTwice(servers: readonly Taken[], name: string): CommandError {
  const places = servers.map(({ where }) => `on ${where}`);
  return new CommandError(
    `${name} listens ${places.length === 2 ? 'twice' : `${places.length} times`}, ${places.join(' and ')}; expected one server. ` +
      'Let the one to serve listen on process.env.PORT, or export it as default.',
  );
}

/** How long a program may take until it listens, in milliseconds. */
function listenLimit(): number {
  const text = process.env.WAYGATE_LISTEN_SECONDS;
  if (!text) return LISTEN_LIMIT;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 3600) return seconds * 1000;
  throw usageError(`WAYGATE_LISTEN_SECONDS is "${text}"; expected a number of seconds, such as 30.`);
}

/** A time in milliseconds; it keeps no process alive. */
function after(time: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, time).unref());
}
