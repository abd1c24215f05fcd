// Keeps the server processes of `waygate serve --processes` and `--watch`: starts them, replaces them by those of a new
// version without losing a request, and ends them. The listening socket is this process's own (`node:cluster`), so that
// old and new processes share it while one takes over from the other.

import cluster, { type Worker } from 'node:cluster';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CommandError } from './errors.ts';
import type { SentRequest } from './everywhere/client.ts';
import type { PlatformRun } from './everywhere/run.ts';
import { formatDuration } from './format.ts';
import type { Output } from './output.ts';
import { listenAt, type ServerConfig, type ServerInspection } from './server.ts';
import type { EverywhereAnswer, FromWorker, ToWorker } from './worker.ts';

/** A process that ends sooner than this after it was ready is not started again at once, in milliseconds. */
const TOO_SOON = 2000;
/** The wait before such a process is started again, in milliseconds: it doubles each time, up to the longest. */
const BACKOFF = { shortest: 100, longest: 10_000 };
/** How long a process may take to end after it was told to, in milliseconds: a little more than `serve` itself takes. */
const CLOSE_LIMIT = 9000;

/** The processes that serve one version of the app. */
class Generation {
  readonly workers = new Set<Worker>();
  /** They are to end: an exit is expected. */
  closing = false;
  /** How many processes in a row ended too soon. */
  tooSoon = 0;
  readonly #waiting = new Set<NodeJS.Timeout>();

  /** How long to wait before a process is started in the place of one that ended, in milliseconds. */
  backoff(lived: number): number {
    this.tooSoon = lived < TOO_SOON ? this.tooSoon + 1 : 0;
    return this.tooSoon === 0 ? 0 : Math.min(BACKOFF.shortest * 2 ** (this.tooSoon - 1), BACKOFF.longest);
  }

  /** Does something later, unless the generation is ended before. */
  later(wait: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      if (!this.closing) work();
    }, wait);
    this.#waiting.add(timer);
  }

  /** Its processes are to end, and no other is started. */
  close(): void {
    this.closing = true;
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
  }
}

/** Serves one app from several processes, one version after another. */
export class Supervisor {
  readonly #output: Output;
  readonly #count: number;
  #config: ServerConfig;
  #current: Generation | null = null;
  /** The version that is to take over once it answers. */
  #next: Generation | null = null;
  readonly #all = new Set<Generation>();
  readonly #inspection: ServerInspection | undefined;
  /** What was asked of a process and is not answered. */
  readonly #asked = new Map<number, { worker: Worker; settle: (answer: EverywhereAnswer) => void }>();
  #questions = 0;

  /**
   * @param count how many processes serve at a time
   * @param inspection who wants to see what they do
   */
  constructor(config: ServerConfig, count: number, output: Output, inspection?: ServerInspection) {
    this.#config = config;
    this.#count = count;
    this.#output = output;
    this.#inspection = inspection;
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('./worker.js', import.meta.url)),
      args: [],
      // Reports have bytes in them, which JSON has not.
      serialization: inspection === undefined ? 'json' : 'advanced',
    });
  }

  /**
   * Starts serving a version of the app; once it answers, the version before gets no more requests and finishes those it
   * has.
   *
   * @param bundle the version's bundle
   * @returns the port
   * @throws {CommandError} when it cannot be loaded or cannot listen; what served before then goes on
   */
  async replace(bundle: string): Promise<number> {
    if (this.#config.port === 0) this.#config.port = await freePort(this.#config.host);
    const generation = new Generation();
    this.#all.add(generation);
    this.#next = generation;
    this.#config = { ...this.#config, bundle };
    try {
      const ports = await Promise.all(Array.from({ length: this.#count }, () => this.#start(generation)));
      const before = this.#current;
      this.#current = generation;
      if (before !== null) void this.#end(before);
      return ports[0] as number;
    } catch (error) {
      void this.#end(generation);
      throw error;
    }
  }

  /** Ends the version that is to take over from another, so that `replace` throws: it may never get ready. */
  giveUp(): void {
    if (this.#next !== null && this.#next !== this.#current && this.#current !== null) void this.#end(this.#next);
  }

  /** Runs a request on all platforms, in one of the processes that serve. */
  readonly #everywhere = (request: SentRequest): Promise<PlatformRun[]> => {
    const [worker] = this.#current?.workers ?? [];
    return new Promise((resolve, reject) => {
      if (worker === undefined) throw new CommandError('The app does not serve at the moment; try again.');
      const question = ++this.#questions;
      const settle = ({ runs, error }: EverywhereAnswer): void => {
        this.#asked.delete(question);
        if (runs === undefined) reject(new CommandError(error ?? 'The app’s process gave no answer.'));
        else resolve(runs);
      };
      this.#asked.set(question, { worker, settle });
      send(worker, { type: 'everywhere', question, request });
    });
  };

  /** Ends all processes, once they have finished what they do. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((generation) => this.#end(generation)));
  }

  #start(generation: Generation): Promise<number> {
    const worker = cluster.fork();
    generation.workers.add(worker);
    let readyAt = 0;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'loaded') send(worker, { type: 'serve', config: this.#config });
        else if (message.type === 'closing') send(worker, { type: 'end' });
        else if (message.type === 'report') this.#inspection?.report(message.report);
        else if (message.type === 'everywhere') this.#asked.get(message.question)?.settle(message);
        else if (message.type === 'inspected') this.#inspection?.loaded(message.facts, this.#everywhere);
        else if (message.type === 'ready') {
          readyAt = Date.now();
          resolve(message.port);
        } else if (message.type === 'failed') {
          const { exitCode, details } = message;
          reject(new CommandError(message.message, { exitCode, details }));
        }
      });
      worker.once('exit', (code, signal) => {
        generation.workers.delete(worker);
        for (const asked of this.#asked.values()) {
          if (asked.worker === worker) asked.settle({ error: 'The app’s process ended before it had answered.' });
        }
        const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
        if (readyAt === 0) reject(new CommandError(`The app's process ${how} while it started.`));
        else if (!generation.closing) this.#lost(generation, how, Date.now() - readyAt);
        if (generation.closing && generation.workers.size === 0) this.#all.delete(generation);
      });
    });
  }

  /** A process has ended that should not have: another is started in its place, later each time that it ends too soon. */
  #lost(generation: Generation, how: string, lived: number): void {
    const wait = generation.backoff(lived);
    const when = wait === 0 ? '' : `, ${formatDuration(lived)} after it was ready`;
    this.#output.warn(`A process ${how}${when}; starting another${wait === 0 ? '' : ` in ${formatDuration(wait)}`}.`);
    generation.later(wait, () => this.#startAgain(generation));
  }

  #startAgain(generation: Generation): void {
    this.#start(generation).catch((error) => {
      if (generation.closing) return;
      const wait = generation.backoff(0);
      this.#output.fail(error);
      this.#output.note(`Starting it again in ${formatDuration(wait)}.`);
      generation.later(wait, () => this.#startAgain(generation));
    });
  }

  async #end(generation: Generation): Promise<void> {
    generation.close();
    await Promise.all([...generation.workers].map(endWorker));
    this.#all.delete(generation);
  }
}

function send(worker: Worker, message: ToWorker): void {
  // One that ends at this moment does not get the message, which its exit says soon enough.
  if (worker.isConnected()) worker.send(message, () => {});
}

function endWorker(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => worker.process.kill('SIGKILL'), CLOSE_LIMIT);
    worker.once('exit', () => {
      clearTimeout(limit);
      resolve();
    });
    if (worker.isDead()) {
      clearTimeout(limit);
      resolve();
    } else send(worker, { type: 'close' });
  });
}

/** A port that nothing uses: processes that take turns must agree on one, and what starts a server must know its own. */
export async function freePort(host: string): Promise<number> {
  const server = createServer();
  const port = await listenAt(server, host, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
