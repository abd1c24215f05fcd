// `waygate fetch`: one request to the app, without a server.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { toFetch } from 'waygate/fetch';
import { CommandError, ExitCode } from './errors.ts';
import { checkRunOptions, prepareLoading, type RunOptions, runnable, saidKind } from './handler.ts';
import { loadModule } from './load.ts';
import type { Output } from './output.ts';
import { type CommandRequest, commandRequest, type RequestOptions } from './request.ts';

/** Options of `waygate fetch`. */
export interface FetchOptions extends RequestOptions, RunOptions {
  request?: string;
  /** Whether the head is printed ahead of the body. */
  include: boolean;
  /** Whether only the head is asked for and printed. */
  head: boolean;
  /** A file for the body. */
  output?: string;
  /** Whether a status of 400 or above is a failure. */
  fail: boolean;
}

/**
 * Sends one request and prints the response.
 *
 * @returns once the response and the work after it are done
 * @throws {CommandError} when the app cannot be loaded, when the response breaks off, and with `--fail`
 */
export async function fetchCommand(path: string, target: string, options: FetchOptions, output: Output): Promise<void> {
  const request = await commandRequest(options.head ? 'HEAD' : options.request, target, options, output.io);
  checkRunOptions(options);
  prepareLoading(options);
  const exports = await output.progress(`Loading ${path}`, () => loadModule(path, output.io.cwd, saidKind(options)));
  const work: Promise<unknown>[] = [];
  const errors = (text: string): void => output.note(text);
  const fetch = toFetch(await runnable(exports, path, options, errors), {
    errors,
    remoteAddr: LOCAL_CLIENT,
    waitUntil: (promise) => void work.push(promise),
  });
  const response = await fetch(request.target, requestInit(request));
  if (options.include || options.head) printHead(response, output);
  await printBody(response, options, output);
  await settled(work);
  if (options.fail && response.status >= 400) {
    const message = `The app answered ${response.status} ${response.statusText}`.trimEnd();
    throw new CommandError(`${message}.`, { exitCode: ExitCode.httpError });
  }
}

/**
 * Waits for the work that was given to `wait_until`, also by such work, and for one turn of the event loop: Express logs
 * its errors in `setImmediate` after the response.
 */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  let seen: number;
  do {
    seen = work.length;
    await Promise.all(work);
    await new Promise((resolve) => setImmediate(resolve));
  } while (work.length > seen);
}

/** The client of the requests that a command sends, which is this machine: rate limiters refuse requests without one. */
export const LOCAL_CLIENT = '127.0.0.1';

/** A request as the second argument of `fetch`. */
export function requestInit(request: CommandRequest): RequestInit {
  const { method, headers, body } = request;
  return { method, headers, body: body as Uint8Array<ArrayBuffer> | undefined };
}

function printHead(response: Response, output: Output): void {
  const { colors } = output;
  output.print(`HTTP/1.1 ${colors.bold(`${response.status} ${response.statusText}`.trimEnd())}`);
  for (const [name, value] of response.headers) {
    // Header values are bytes; a terminal takes text.
    output.print(`${colors.cyan(name)}: ${Buffer.from(value, 'latin1').toString()}`);
  }
  output.print('');
}

async function printBody(response: Response, options: FetchOptions, output: Output): Promise<void> {
  if (response.body === null) return;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of response.body) {
      if (options.output === undefined) output.write(chunk);
      else chunks.push(chunk);
    }
  } catch (error) {
    throw new CommandError('The response broke off before its end.', { cause: error });
  } finally {
    if (options.output !== undefined) await writeFile(resolve(output.io.cwd, options.output), Buffer.concat(chunks));
  }
}
