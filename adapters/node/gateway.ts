// One application on Node: its settings, and the work that goes on after its responses. call.ts has the story of a request.

import type { Cluster } from 'node:cluster';
import { type GatewayInfo, prepareOptions, type Settings } from '../../core/environ.ts';
import { describe } from '../../core/errors.ts';
import type { ExchangeOptions } from '../../core/response.ts';
import type { Application } from '../../core/types.ts';
import { PendingWork } from '../../core/work.ts';
import type { DirectCall } from './hosted/registry.ts';
import type { MountOptions } from './options.ts';
import { Passthrough, PassthroughBody } from './passthrough.ts';

/** How many pipelined requests of a connection run at once, where the deployer says nothing. */
const MAX_PIPELINED = 16;

/** A request whose `waygate.signal` somebody holds. */
interface Abortable {
  abort(reason: unknown): void;
}

export class NodeGateway {
  readonly app: Application;
  readonly settings: Settings;
  readonly info: GatewayInfo;
  /** How many pipelined requests of a connection may run at once. */
  readonly maxPipelined: number;
  /** Which requests a hosted listener gets as Node made them. */
  readonly passthrough: Passthrough;
  readonly exchangeOptions: ExchangeOptions<DirectCall>;
  /** What goes on when a response is over, which a shutdown waits for. (CLOSE-03) */
  readonly work: PendingWork = new PendingWork();
  /** Calls whose `waygate.signal` somebody holds. */
  readonly #held = new Set<Abortable>();
  /** A shutdown aborts the signals. */
  #isEnding = false;

  /** @throws {TypeError} for an application that is not a function or an option of the wrong type */
  constructor(app: Application, options: MountOptions) {
    this.app = app;
    this.settings = prepareOptions(app, options);
    const { fallThrough = false, maxPipelined = MAX_PIPELINED, multiprocess = isClusterWorker() } = options;
    if (typeof fallThrough !== 'boolean')
      throw new TypeError(`The option "fallThrough" is ${describe(fallThrough)}; expected true or false.`);
    if (!(typeof maxPipelined === 'number' && maxPipelined >= 1))
      throw new TypeError(`The option "maxPipelined" is ${describe(maxPipelined)}; expected a number of at least 1.`);
    this.info = { gateway: 'node', multiprocess };
    this.maxPipelined = maxPipelined;
    this.passthrough = new Passthrough(app, this.settings, fallThrough);
    const { onError } = this.settings;
    this.exchangeOptions = { onError, passthrough: PassthroughBody.callBehind, context: this.work };
  }

  /** A shutdown aborts this request's signal, at once where it has begun to abort them. */
  abortAtEnd(call: Abortable): void {
    if (this.#isEnding) call.abort(shuttingDown());
    else this.#held.add(call);
  }

  /** The request is over. */
  forget(call: Abortable): void {
    this.#held.delete(call);
  }

  /** Aborts every `waygate.signal`, and those that are asked for from now on: their connections will soon be cut. */
  abortAll(): void {
    this.#isEnding = true;
    for (const call of this.#held) call.abort(shuttingDown());
  }
}

function shuttingDown(): DOMException {
  return new DOMException('The server is shutting down.', 'AbortError');
}

/** Asked when an application is served, and no sooner: on Lambda nobody is, and the module loads six others. */
function isClusterWorker(): boolean {
  // The types have it as an ES module, with its class as the default export.
  return (process.getBuiltinModule('node:cluster') as unknown as Cluster).isWorker;
}
