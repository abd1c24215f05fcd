// `waygate serve --platform workers`: the app's Worker in workerd, run by `wrangler dev`. A server of this process stands
// in front. It keeps the access log, and changes over to a new workerd without losing a request.

import type { ChildProcess } from 'node:child_process';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { formatAccess, watchAccess } from './access-log.ts';
import { type Built, buildApp } from './build.ts';
import { CommandError } from './errors.ts';
import { ID_HEADER } from './inspect/messages.ts';
import type { NodeRecorder } from './inspect/record-node.ts';
import type { ReportTarget } from './inspect/record-worker.ts';
import type { Kind } from './kind.ts';
import type { Output } from './output.ts';
import { startGroup, stopGroup } from './process-group.ts';
import { headerLines, isConnectionHeader, sendHead } from './raw-headers.ts';
import { RunningRequests } from './running-requests.ts';
import { listenAt } from './server.ts';
import { wranglerConfigOf, wranglerFile } from './wrangler.ts';

/** What is served. */
export interface WorkerdConfig {
  /** The app's module as the user named it. */
  name: string;
  kind: Kind | undefined;
  host: string;
  port: number;
  quiet: boolean;
  validate: boolean;
  /** Files of environment variables, absolute: wrangler makes bindings of them. */
  envFiles: readonly string[];
  /** Where bundles go. */
  folder: string;
}

/** Who wants to see what a Worker does: a recorder for the server in front, and where the one in the Worker reports to. */
export interface WorkerInspection {
  recorder: NodeRecorder;
  target: ReportTarget;
}

/** How long workerd may take to come up, in milliseconds. */
const START_LIMIT = 60_000;
/** How long wrangler may take to come up after it has told of an error, in milliseconds. */
const ERROR_LIMIT = 1500;
/** How long wrangler may take to end, in milliseconds: with the requests before it, less than docker's 10 seconds. */
const STOP_LIMIT = 1500;
/** How long requests of a version that was replaced may go on, in milliseconds. */
const DRAIN_LIMIT = 8000;

/** One workerd that runs one version of the Worker. */
interface Backend {
  port: number;
  child: ChildProcess;
  /** Requests that it answers at the moment. */
  running: RunningRequests;
}

/** Serves one Worker, one version after another, at one address. */
export class WorkerdServer {
  readonly #config: WorkerdConfig;
  readonly #output: Output;
  readonly #server: Server;
  readonly #children = new Set<ChildProcess>();
  /** Connections to workerd are kept: no handshake for each request. */
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #inspection: WorkerInspection | undefined;
  #backend: Backend | null = null;
  #version = 0;

  /** @param inspection who wants to see what the Worker does */
  constructor(config: WorkerdConfig, output: Output, inspection?: WorkerInspection) {
    this.#config = config;
    this.#output = output;
    this.#inspection = inspection;
    const listener = (request: IncomingMessage, response: ServerResponse): void => this.#serve(request, response);
    this.#server = http.createServer(listener);
    // workerd decides whether it wants the body.
    this.#server.on('checkContinue', listener);
    inspection?.recorder.attach(this.#server, false);
  }

  /**
   * Listens.
   *
   * @returns the port
   * @throws {CommandError} when the address cannot be had
   */
  listen(): Promise<number> {
    return listenAt(this.#server, this.#config.host, this.#config.port);
  }

  /**
   * Builds the Worker and starts serving it; the version before finishes the requests that it has.
   *
   * @returns the user's files in the bundle
   * @throws {CommandError} when it cannot be built or does not come up; what served before then goes on
   */
  async replace(): Promise<string[]> {
    this.#version += 1;
    const { name, kind, validate } = this.#config;
    const folder = join(this.#config.folder, `version-${this.#version}`);
    const inspect = this.#inspection?.target;
    const built = await buildApp(
      name,
      { target: 'workers', out: folder, kind, validate, inspect },
      this.#output.io.cwd,
    );
    const backend = await this.#start(built);
    const before = this.#backend;
    this.#backend = backend;
    if (before !== null) void before.running.idle(DRAIN_LIMIT).then(() => stop(before.child));
    return built.inputs;
  }

  /** Stops accepting, finishes what runs, ends workerd. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await this.#backend?.running.idle(DRAIN_LIMIT);
    this.#server.closeAllConnections();
    await closed;
    this.#agent.destroy();
    await Promise.all([...this.#children].map(stop));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#config.quiet) {
      watchAccess(request, response, (record) => this.#output.print(formatAccess(record, this.#output.colors)));
    }
    const backend = this.#backend;
    if (backend === null) {
      response.writeHead(503, { 'retry-after': '1' }).end();
      return;
    }
    backend.running.begin();
    response.once('close', () => backend.running.end());
    forward(request, response, backend.port, this.#agent, this.#inspection?.recorder.currentId);
  }

  async #start(built: Built): Promise<Backend> {
    const { cwd } = this.#output.io;
    const [node, ...wrangler] = wranglerFile(join(cwd, this.#config.name)) ?? [];
    if (node === undefined) {
      throw new CommandError('wrangler, which runs Workers, is not installed; `npm install --save-dev wrangler`.');
    }
    const config = await wranglerConfigOf(built, cwd);
    const args = ['dev', built.main, '--config', config, '--ip', '127.0.0.1', '--port', '0', '--inspector-port', '0'];
    for (const file of this.#config.envFiles) args.push('--env-file', file);
    const dev = [...wrangler, ...args, '--show-interactive-dev-session=false', '--live-reload=false'];
    const child = startGroup([node, ...dev], cwd, { ...this.#output.io.env, ...QUIET, WAYGATE_BUILT: '1' });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    try {
      const port = await this.#comesUp(child);
      return { port, child, running: new RunningRequests() };
    } catch (error) {
      await stop(child);
      throw error;
    }
  }

  /** Waits for the line that tells the port, and from then on passes on what the Worker logs. */
  #comesUp(child: ChildProcess): Promise<number> {
    return new Promise((resolve, reject) => {
      let printed = '';
      let port = 0;
      const limit = setTimeout(() => fail('did not come up in time'), START_LIMIT);
      const fail = (how: string): void => {
        clearTimeout(limit);
        clearTimeout(broken);
        reject(new CommandError(`wrangler ${how}: ${reason(printed)}`, { details: printed }));
      };
      let broken: NodeJS.Timeout | undefined;
      const read = (chunk: Buffer): void => {
        if (port !== 0) {
          this.#log(chunk.toString());
          return;
        }
        printed += chunk;
        const found = /Ready on https?:\/\/[^:\s]+:(\d+)/.exec(printed);
        if (found === null) {
          // Where the Worker cannot run, wrangler says so and waits for its file to change.
          if (ERROR.test(printed)) broken ??= setTimeout(fail, ERROR_LIMIT, 'cannot run the Worker');
          return;
        }
        clearTimeout(broken);
        clearTimeout(limit);
        port = Number(found[1]);
        resolve(port);
      };
      child.stdout?.on('data', read);
      child.stderr?.on('data', read);
      child.once('error', (error) => fail(`could not be run (${error.message})`));
      child.once('exit', (code) => fail(`ended with exit code ${code}`));
    });
  }

  /** What the Worker logs, without wrangler's own access log and its notes about log files. */
  #log(text: string): void {
    // Wrangler colours errors wherever they go.
    const plain = this.#output.errorColors.isColorSupported ? text : stripVTControlCharacters(text);
    const lines = plain.split('\n').filter((line) => line.trim() !== '' && !/^(?:\[wrangler:\w+\]|🪵)/u.test(line));
    for (const line of lines) this.#output.note(line);
  }
}

/** No telemetry, no banner, no question, no request for a `cf` object. */
const QUIET: Record<string, string> = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  CI: 'true',
};
/** How wrangler marks an error, coloured or not. */
const ERROR = /\[(?:\u001b\[[\d;]*m)*ERROR(?:\u001b\[[\d;]*m)*\]/;

/** An error of wrangler's that only points to what stands elsewhere. */
const POINTER = /\[ERROR\].*The Workers runtime failed to start/;

/** The part of wrangler's output that says what is wrong: its first error, or workerd's, else its last line. */
function reason(printed: string): string {
  const lines = stripVTControlCharacters(printed)
    .split('\n')
    .map((line) => line.trim());
  const said = (line: string): boolean => ERROR.test(line) && !POINTER.test(line);
  // What workerd says may come before or after the error of wrangler's that it causes.
  const uncaught = lines.find((line) => /\bUncaught \w*Error\b/.test(line));
  if (uncaught !== undefined && !lines.some(said)) return uncaught.replace(/^\W*\[ERROR\]\W*/, '');
  const first = lines.findIndex(said);
  const at = first === -1 ? lines.findIndex((line) => ERROR.test(line)) : first;
  if (at === -1) return lines.filter((line) => line !== '').at(-1) ?? 'it printed nothing';
  // What to do about it stands below, indented. The next error is another matter.
  const rest = lines.slice(at + 1).filter((line) => line !== '');
  const end = rest.findIndex((line) => ERROR.test(line) || line.startsWith('🪵') || /^at\b/.test(line));
  const text = [lines[at], ...rest.slice(0, end === -1 ? 4 : Math.min(end, 4))].join(' ');
  return text.replace(/^\W*\[ERROR\]\W*/, '');
}

/**
 * Hands a request on as it is: target, headers and their order, body, and back the same way.
 *
 * @param id by what the recorder in the Worker knows the request
 */
function forward(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  agent: http.Agent,
  id: string | undefined,
): void {
  const { method, url: path } = request;
  const outgoing = http.request({ host: '127.0.0.1', port, method, path, agent, setHost: false });
  for (const [name, value] of headerLines(request.rawHeaders)) {
    if (!isConnectionHeader(name)) outgoing.appendHeader(name, value);
  }
  if (id !== undefined) outgoing.setHeader(ID_HEADER, id);
  // A body whose length is not known goes on as one, whatever the method.
  if (request.headers['transfer-encoding'] !== undefined) outgoing.setHeader('transfer-encoding', 'chunked');
  outgoing.once('response', (incoming) => {
    const back = headerLines(incoming.rawHeaders).filter(([name]) => !isConnectionHeader(name));
    response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, back.flat());
    sendHead(response);
    incoming.on('error', () => response.destroy());
    incoming.pipe(response);
  });
  outgoing.once('error', (error) => {
    if (response.headersSent) response.destroy();
    else if (!response.destroyed) response.writeHead(502).end(`workerd gave no response: ${error.message}\n`);
  });
  outgoing.once('continue', () => response.writeContinue());
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  request.pipe(outgoing);
}

/** Ends wrangler and the workerd that it has started. */
function stop(child: ChildProcess): Promise<void> {
  return stopGroup(child, STOP_LIMIT);
}
