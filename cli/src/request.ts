// A request as it is described on the command line, in the manner of curl: `-X`, `-H`, `-d`.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { encodeWsgi } from 'waygate';
import { CommandError, errorCode, usageError } from './errors.ts';
import { type Io, readAll } from './output.ts';

/** A request from the command line. */
export interface CommandRequest {
  method: string;
  /** A path with its query, or a URL. */
  target: string;
  /** In the order given; values as native strings. */
  headers: [name: string, value: string][];
  body: Uint8Array | undefined;
}

/** The options that describe a request. */
export interface RequestOptions {
  /** `Name: value`, each. */
  header?: string[];
  /** Text, `@file`, or `@-` for standard input, each; joined with `&`, as curl joins them. */
  data?: string[];
}

/**
 * @param method the method, or undefined for GET, or POST where there is a body
 * @throws {CommandError} for a target, a method or a header that cannot be one, and for data that cannot be read
 */
export async function commandRequest(
  method: string | undefined,
  target: string,
  options: RequestOptions,
  io: Io,
): Promise<CommandRequest> {
  checkTarget(target);
  if (method !== undefined && !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(method)) {
    throw usageError(`"${method}" is not a request method; expected one such as GET.`);
  }
  const headers = (options.header ?? []).map(parseHeader);
  const body = options.data === undefined ? undefined : await joinData(options.data, io);
  if (body !== undefined && /^(?:GET|HEAD)$/i.test(method ?? '')) {
    throw usageError(`A request with a body cannot be a ${method}; leave --data out, or choose another method.`);
  }
  if (body !== undefined && !headers.some(([name]) => name.toLowerCase() === 'content-type')) {
    headers.push(['Content-Type', 'application/x-www-form-urlencoded']);
  }
  return { method: method ?? (body === undefined ? 'GET' : 'POST'), target, headers, body };
}

/** @throws {CommandError} for what is neither a path nor a URL */
export function checkTarget(target: string): void {
  if (/^(?:\/|https?:\/\/[^/]|\*$)/i.test(target)) return;
  throw usageError(`The request's target is "${target}"; expected a path such as /users?page=2, or a URL.`);
}

function parseHeader(text: string): [name: string, value: string] {
  const match = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\r\n\0]*)$/.exec(text);
  if (match === null) throw usageError(`The header is "${text}"; expected "Name: value".`);
  return [match[1] as string, encodeWsgi((match[2] as string).trimEnd())];
}

async function joinData(parts: readonly string[], io: Io): Promise<Uint8Array> {
  if (parts.filter((part) => part === '@-').length > 1) {
    throw usageError('Standard input can be read once; expected one --data @-.');
  }
  const joined: Uint8Array[] = [];
  for (const part of parts) {
    if (joined.length > 0) joined.push(Buffer.from('&'));
    joined.push(await readData(part, io));
  }
  return Buffer.concat(joined);
}

async function readData(data: string, io: Io): Promise<Uint8Array> {
  if (!data.startsWith('@')) return Buffer.from(data);
  if (data === '@-') return readAll(io.stdin);
  return readInput(data.slice(1), io);
}

/**
 * Reads a file that an argument names; `-` is standard input.
 *
 * @throws {CommandError} when it cannot be read
 */
export async function readInput(path: string, io: Io): Promise<Buffer> {
  if (path === '-') return readAll(io.stdin);
  try {
    return await readFile(resolve(io.cwd, path));
  } catch (error) {
    const what = errorCode(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${errorCode(error)})`;
    throw new CommandError(`${path} ${what}. Looked in ${io.cwd}.`, { cause: error });
  }
}
