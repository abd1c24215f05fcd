// Detects what a module's export is: a Waygate application, a Fetch app, a Worker or a Node listener, and makes an
// application of it.

import { Server } from 'node:http';
import type { Application } from 'waygate';
import { fromWorker, type WorkerClass } from 'waygate/cloudflare-workers';
import { type FetchApp, fromFetch } from 'waygate/fetch';
import { fromNode, type NodeApp } from 'waygate/node';
import { CommandError } from './errors.ts';

/** Why workerd runs no Fastify. */
export const FASTIFY_IN_WORKERD = 'Fastify makes code of its routes, and workerd runs no code that is made of text';

/** What `--kind` of a build takes: an application, a Fetch app or a Worker, a Node listener. */
export type Kind = 'app' | 'fetch' | 'node';

export const KINDS: readonly Kind[] = ['app', 'fetch', 'node'];

/** What `--kind` takes where the app is run on this machine: a Lambda handler as well. */
export type RunKind = Kind | 'lambda';

export const RUN_KINDS: readonly RunKind[] = [...KINDS, 'lambda'];

/** An app as it was found. */
export interface App {
  kind: Kind;
  /** The name of the export: `default` or `app`. */
  exportName: 'default' | 'app';
  /** What is hosted, as source code of a module that has the export as `app`: `app`, `await app`, `app.callback()`. */
  expression: string;
  /** Why workerd cannot run it, where that is known. */
  notInWorkerd?: string;
  /** It as an application. */
  application: Application;
  /** What was exported, where it is a plain function and `kind` is a guess from its number of parameters. */
  guessedFrom?: (...args: unknown[]) => unknown;
}

type Members = Record<string, unknown>;

/**
 * Finds the app among a module's exports: the default export, else `app`. A promise is awaited.
 *
 * @param exports the module's namespace
 * @param file the module's name, for messages
 * @param kind what it is, where that cannot be detected
 * @throws {CommandError} when there is none, or it cannot be one
 */
export async function findApp(exports: Members, file: string, kind?: Kind): Promise<App> {
  const own = ownExports(exports);
  const ownName = own.default !== undefined ? 'default' : 'app';
  const exported = own[ownName];
  const value = await exported;
  if (value === undefined) {
    const names = Object.keys(own).filter((each) => each !== 'default');
    const seen = names.length === 0 ? 'nothing' : names.join(', ');
    throw new CommandError(
      `${file} has no app: it exports ${seen}; expected an application, a Fetch app or a Node listener as default ` +
        'export or as `app`.',
    );
  }
  const found = kind ?? recognize(value);
  const hosted = found === undefined ? undefined : await host(found, value);
  if (found === undefined || hosted === undefined) {
    const where = ownName === 'default' ? 'the default export' : '`app`';
    const wanted = kind === undefined ? 'an application, a Fetch app or a Node listener' : WANTED[kind];
    throw new CommandError(`${file} has no app: ${where} is ${describeValue(value)}; expected ${wanted}.`);
  }
  const exportName = own === exports ? ownName : 'default';
  const name = own === exports ? 'app' : `app.${ownName}`;
  const expression = hosted.expression(value === exported ? name : `(await ${name})`);
  const { application, notInWorkerd } = hosted;
  const isGuess = kind === undefined && typeof value === 'function' && !isClass(value) && !hasMethod(value, 'fetch');
  const guessedFrom = isGuess && nodeApp(value) === undefined ? (value as App['guessedFrom']) : undefined;
  return { kind: found, exportName, expression, application, notInWorkerd, guessedFrom };
}

/** What a module's author exported: the exports of a CommonJS module come as one object, as its default export. */
export function ownExports(exports: Members): Members {
  const all = exports.default;
  if (typeof all !== 'object' || all === null || Object.keys(exports).length > 1 || recognize(all)) return exports;
  return ['default', 'app', 'handler'].some((each) => Object.hasOwn(all, each)) ? (all as Members) : exports;
}

const WANTED: Record<Kind, string> = {
  app: 'an application, a function (environ, startResponse)',
  fetch: 'a Fetch app, a function (request), or an object or a WorkerEntrypoint class with fetch(request)',
  node: 'a Node listener, a function (request, response), an http.Server, or an Express, Koa or Fastify app',
};

/**
 * What a value is, as far as it can be detected. A plain function of two arguments is an application, of one or three a
 * Fetch handler. A bare `(request, response)` looks like an application: `--kind node` is for that.
 */
export function recognize(value: unknown): Kind | undefined {
  if (nodeApp(value) !== undefined) return 'node';
  if (hasMethod(value, 'fetch')) return 'fetch';
  if (typeof value !== 'function') return undefined;
  // A class cannot be called, so it is a Worker or nothing.
  if (isClass(value)) return hasMethod(value.prototype, 'fetch') ? 'fetch' : undefined;
  return value.length === 1 || value.length > 2 ? 'fetch' : 'app';
}

/** An app made ready to be served, and how a generated module does the same. */
interface Hosted {
  application: Application;
  expression: (name: string) => string;
  notInWorkerd?: string;
}

async function host(kind: Kind, value: unknown): Promise<Hosted | undefined> {
  const itself = (name: string): string => name;
  if (kind === 'app') {
    return typeof value === 'function' ? { application: value as Application, expression: itself } : undefined;
  }
  if (kind === 'fetch') {
    if (isClass(value)) {
      if (!hasMethod((value as { prototype?: unknown }).prototype, 'fetch')) return undefined;
      return { application: fromWorker(value as unknown as WorkerClass), expression: itself };
    }
    const isFetch = typeof value === 'function' || hasMethod(value, 'fetch');
    return isFetch ? { application: fromFetch(value as FetchApp), expression: itself } : undefined;
  }
  const plain = (): HostedNode => ({ make: () => value, expression: itself });
  const found = nodeApp(value) ?? (typeof value === 'function' ? plain() : undefined);
  if (found === undefined) return undefined;
  const { make, expression, notInWorkerd } = found;
  return { application: fromNode((await make()) as NodeApp), expression, notInWorkerd };
}

interface HostedNode {
  /** What `fromNode` takes. */
  make: () => unknown;
  expression: (name: string) => string;
  notInWorkerd?: string;
}

/** What cannot be anything but a Node app. */
function nodeApp(value: unknown): HostedNode | undefined {
  const itself: HostedNode = { make: () => value, expression: (name) => name };
  if (value instanceof Server) return itself;
  // Fastify makes its routes when it is asked to be ready.
  if (hasMethod(value, 'routing') && hasMethod(value, 'ready')) {
    const make = async (): Promise<unknown> => {
      await value.ready();
      return (value as { server?: unknown }).server;
    };
    return { make, expression: (name) => `(await ${name}.ready(), ${name}.server)`, notInWorkerd: FASTIFY_IN_WORKERD };
  }
  // Koa
  if (hasMethod(value, 'callback') && hasMethod(value, 'use')) {
    return { make: () => value.callback(), expression: (name) => `${name}.callback()` };
  }
  // Express, connect
  return typeof value === 'function' && hasMethod(value, 'handle') && hasMethod(value, 'use') ? itself : undefined;
}

/** Whether a function is a class: its prototype cannot be replaced, as that of an ordinary function can. */
function isClass(value: unknown): boolean {
  return typeof value === 'function' && Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

function hasMethod<Name extends string>(
  value: unknown,
  name: Name,
): value is Record<Name, (...args: unknown[]) => unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof (value as Members)[name] === 'function';
}

/** A value as messages call it: `an object with get, put`, `a class`. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') {
    const names = Object.keys(value);
    return names.length === 0 ? 'an empty object' : `an object with ${names.slice(0, 6).join(', ')}`;
  }
  if (isClass(value)) return 'a class without a fetch method';
  return typeof value === 'function' ? 'a function' : `a ${typeof value}`;
}
