// `waygate record`: serves an app and writes each request, with its response, as a fixture.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findFile } from '../bundle.ts';
import { oneLine } from '../errors.ts';
import { checkRunOptions, type RunOptions } from '../handler.ts';
import { maskHeaders, maskTarget } from '../inspect/mask.ts';
import type { Report } from '../inspect/messages.ts';
import { sentRequest } from '../inspect/replay.ts';
import { clientBody, clientHead } from '../inspect/response-head.ts';
import { type Exchange, Store } from '../inspect/store.ts';
import { BundleFolder, DEFAULT_PORT } from '../load.ts';
import type { Output } from '../output.ts';
import { startServer } from '../server.ts';
import { type Fixture, fixtureBody } from './fixture.ts';

/** Options of `waygate record`. */
export interface RecordOptions extends Pick<RunOptions, 'kind' | 'source'> {
  port?: number;
  host: string;
  /** The folder for the fixtures. */
  out: string;
  /** Whether the values of `Authorization`, of cookies and the like are kept. */
  secrets: boolean;
  quiet: boolean;
}

/**
 * Serves until a signal ends it.
 *
 * @param path the app's module as the user named it
 * @throws {CommandError} when it cannot start
 */
export async function recordCommand(path: string, options: RecordOptions, output: Output): Promise<void> {
  const { cwd } = output.io;
  const run: RunOptions = { kind: options.kind, source: options.source, platform: 'node' };
  checkRunOptions(run);
  const file = await findFile(path, cwd);
  const folder = new BundleFolder();
  const out = resolve(cwd, options.out);
  await mkdir(out, { recursive: true });
  const recorder = new FixtureWriter(out, options, await lastNumber(out), output);
  try {
    const bundle = await output.progress(`Bundling ${path}`, () => folder.bundle(file, cwd));
    const { host, port = DEFAULT_PORT, quiet } = options;
    const served = await startServer(
      {
        name: path,
        bundle: bundle.file,
        run,
        host,
        port,
        tls: undefined,
        http2: false,
        lightFetch: false,
        multiprocess: false,
        quiet,
        verbose: output.verbose,
        inspect: true,
      },
      output,
      true,
      { report: recorder.report, loaded() {} },
    );
    output.print(`Recording ${path} on ${output.colors.cyan(`${served.url}/`)} into ${options.out}`);
    await new Promise<void>((done) => served.server.once('close', done));
    await served.close();
    await recorder.done();
  } finally {
    await folder.remove();
  }
}

/** The number of the last fixture of a folder: those of another day stay. */
async function lastNumber(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((each) => Number(/^(\d+)-.*\.json$/.exec(each)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

/** Writes each request as soon as its response is over. */
class FixtureWriter {
  readonly #folder: string;
  readonly #options: RecordOptions;
  readonly #output: Output;
  readonly #store = new Store();
  #number: number;
  #written: Promise<unknown> = Promise.resolve();

  constructor(folder: string, options: RecordOptions, number: number, output: Output) {
    this.#folder = folder;
    this.#options = options;
    this.#number = number;
    this.#output = output;
  }

  readonly report = (report: Report): void => {
    this.#store.report(report);
    if (report.type !== 'end') return;
    const exchange = this.#store.get(report.id);
    if (exchange === undefined) return;
    this.#written = this.#written.then(() => this.#write(exchange));
  };

  /** Resolves when all is written. */
  async done(): Promise<void> {
    await this.#written;
  }

  async #write(exchange: Exchange): Promise<void> {
    const { method, target } = exchange;
    try {
      const fixture = fixtureOf(exchange, this.#options.secrets);
      if (fixture === undefined)
        return this.#output.note(`${method} ${target} has no complete response; not recorded.`);
      this.#number += 1;
      const name = `${String(this.#number).padStart(4, '0')}-${nameOf(method, target)}.json`;
      await writeFile(join(this.#folder, name), `${JSON.stringify(fixture, null, 2)}\n`, { flag: 'wx' });
    } catch (error) {
      this.#output.note(`${method} ${target} was not recorded: ${oneLine(error)}`);
    }
  }
}

/** @throws {CommandError} where not all of the request is kept */
function fixtureOf(exchange: Exchange, secrets: boolean): Fixture | undefined {
  const head = clientHead(exchange);
  if (head === undefined || exchange.end?.complete !== true) return undefined;
  const { method, target, headers, body } = sentRequest(exchange);
  const lines = (all: readonly (readonly [string, string])[]): [string, string][] => {
    const own = all.map(([name, value]): [string, string] => [name, value]);
    return secrets ? own : maskHeaders(own);
  };
  const answered = clientBody(exchange);
  return {
    request: {
      method,
      target: secrets ? target : maskTarget(target),
      headers: lines(headers),
      ...(body === undefined ? {} : { body: fixtureBody(body) }),
    },
    response: {
      status: head.status,
      headers: lines(head.headers),
      ...(answered === undefined ? {} : { body: fixtureBody(answered) }),
    },
  };
}

/** A file's name that says what it holds: `get-users-7`. */
function nameOf(method: string, target: string): string {
  const words = (target.split('?')[0] as string).match(/[A-Za-z0-9]+/g) ?? [];
  return [method, ...words].join('-').toLowerCase().slice(0, 60);
}
