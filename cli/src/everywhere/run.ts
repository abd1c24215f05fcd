// Runs one request through every platform's conversion, each behind a server of its own, as in `waygate serve --platform`.
// It keeps what the app saw, what it answered, and what the client got.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http, { type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Application, Environ, Middleware } from 'waygate';
import { fromWorker, toWorker } from 'waygate/cloudflare-workers';
import { toNode } from 'waygate/node';
import { oneLine } from '../errors.ts';
import { type RunOptions, runKind, runnable } from '../handler.ts';
import { watchInput } from '../inspect/watch-input.ts';
import type { Layers } from '../platform.ts';
import { type ReceivedResponse, type SentRequest, sendRequest } from './client.ts';
import { HANDLER_VARIANTS, handlerOptions, VARIANTS, type Variant } from './variants.ts';

/** What an app was called with: the strings of environ, and its body. */
export interface SeenRequest {
  environ: Record<string, string>;
  /** What the app has read of the body: its length and a digest. */
  body: string;
}

/** One request on one platform. */
export interface PlatformRun {
  label: string;
  /** What the app saw; undefined where it was not called. */
  seen?: SeenRequest;
  /** The status and the headers that the app gave, where it gave any. */
  given?: { status: string; headers: [name: string, value: string][] };
  /** What the client got; undefined where there was no response. */
  response?: ReceivedResponse;
  /** Why there is no response. */
  error?: string;
  /** What was written to `wsgi.errors`. */
  log: string[];
}

/** How an app is run. */
export interface EverywhereOptions {
  /** See {@link RunOptions}: what the app is, where that cannot be detected. */
  kind?: RunOptions['kind'];
  /** Which ways to run it. @default all; for a Lambda handler all event sources */
  variants?: readonly Variant[];
}

/** A server for one platform. */
interface Backend {
  server: Server;
  origin: string;
  log: string[];
  last: Pick<PlatformRun, 'seen' | 'given'>;
}

type Watched = Omit<Backend, 'server' | 'origin'>;

/** How much of a log is kept for one request. */
const LOG_LINES = 100;

/**
 * An app on every platform. Servers are started when they are first needed.
 *
 * @example
 * const everywhere = new Everywhere(await loadModule('app.ts', cwd), 'app.ts');
 * const runs = await everywhere.run({ method: 'GET', target: '/', headers: [] });
 * const table = compareRuns(runs);
 * await everywhere.close();
 */
export class Everywhere {
  readonly #exports: Record<string, unknown>;
  readonly #name: string;
  readonly #options: EverywhereOptions;
  readonly #variants: readonly Variant[];
  readonly #isHandler: boolean;
  readonly #backends = new Map<string, Promise<Backend>>();
  /** One request at a time: an app may keep state. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param exports the module of the app, loaded
   * @param name the module as the user named it, for messages
   */
  constructor(exports: Record<string, unknown>, name: string, options: EverywhereOptions = {}) {
    this.#exports = exports;
    this.#name = name;
    this.#options = options;
    this.#isHandler = runKind(exports, options) === 'lambda';
    this.#variants = options.variants ?? (this.#isHandler ? HANDLER_VARIANTS : VARIANTS);
  }

  /**
   * Runs a request on each platform, one after the other. It is run twice on the first, so that {@link compareRuns} can
   * tell what differs from one request to the next by itself.
   *
   * @returns the runs, with the second of the first platform at the end
   */
  run(request: SentRequest): Promise<PlatformRun[]> {
    const all = async (): Promise<PlatformRun[]> => {
      const variants = this.#variants;
      const runs: PlatformRun[] = [];
      for (const variant of variants) runs.push(await this.#runOn(variant, request));
      if (variants[0] !== undefined) runs.push(await this.#runOn(variants[0], request));
      return runs;
    };
    const turn = this.#turn.then(all);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Closes all servers. */
  async close(): Promise<void> {
    const backends = await Promise.allSettled(this.#backends.values());
    this.#backends.clear();
    const servers = backends.flatMap((each) => (each.status === 'fulfilled' ? [each.value.server] : []));
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  async #runOn(variant: Variant, request: SentRequest): Promise<PlatformRun> {
    const { label } = variant;
    try {
      let started = this.#backends.get(label);
      if (started === undefined) {
        started = this.#start(variant);
        this.#backends.set(label, started);
      }
      const backend = await started;
      backend.log.length = 0;
      backend.last = {};
      try {
        const response = await sendRequest(request, { origin: backend.origin });
        // What an app logs in setImmediate after its response belongs to this request too.
        await new Promise((resolve) => setImmediate(resolve));
        return { label, ...backend.last, response, log: [...backend.log] };
      } catch (error) {
        return { label, ...backend.last, error: oneLine(error), log: [...backend.log] };
      }
    } catch (error) {
      return { label, error: oneLine(error), log: [] };
    }
  }

  async #start(variant: Variant): Promise<Backend> {
    const log: string[] = [];
    const errors = (text: string): void => {
      if (log.length < LOG_LINES) log.push(text);
    };
    const backend: Watched = { log, last: {} };
    const app = await this.#appOn(variant, errors, { app: keepSeen(backend) });
    const listener = toNode(app, { errors });
    const server = http.createServer(listener).on('checkContinue', listener);
    // A port of this very process, also where a supervisor shares the others among several.
    server.unref();
    server.listen({ port: 0, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return Object.assign(backend, { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  }

  async #appOn(variant: Variant, errors: (text: string) => void, layers: Layers): Promise<Application> {
    const { kind } = this.#options;
    const options = this.#isHandler ? handlerOptions(variant) : { ...variant.options, kind };
    if (options.platform !== 'workers') return runnable(this.#exports, this.#name, options, errors, false, layers);
    // The conversion of a Worker, in this process: its runtime has a process of its own.
    const app = await runnable(this.#exports, this.#name, { platform: 'node', kind }, errors, false, layers);
    return fromWorker(toWorker(app, { errors }));
  }
}

/** Keeps what the app was called with and what it gave. */
function keepSeen(backend: Watched): Middleware {
  return (app) => (environ, startResponse) => {
    const digest = createHash('sha256');
    const seen: SeenRequest = { environ: stringsOf(environ), body: 'nothing' };
    backend.last = { seen };
    let total = 0;
    watchInput(environ, (bytes) => {
      digest.update(bytes);
      total += bytes.byteLength;
      seen.body = `${total} bytes, sha256 ${digest.copy().digest('hex').slice(0, 16)}`;
    });
    return app(environ, (status, headers, error) => {
      backend.last.given = { status, headers: headers.map(([name, value]) => [name, value]) };
      return startResponse(status, headers, error);
    });
  };
}

function stringsOf(environ: Environ): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environ).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
