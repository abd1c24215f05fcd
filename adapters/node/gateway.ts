// One application on Node: its settings, and the work that it left behind.

import cluster from 'node:cluster';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GatewayInfo, prepareOptions, type Settings } from '../../core/environ.ts';
import { describe } from '../../core/errors.ts';
import { Exchange } from '../../core/gateway.ts';
import { refuse } from '../../core/plain-response.ts';
import { attachState, stateOf } from '../../core/private-state.ts';
import type { Application, Environ, ErrorStream } from '../../core/types.ts';
import { type CallGateway, ENVIRON, NodeCall } from './call.ts';
import { addInput, nodeEnviron } from './environ.ts';
import type { NodeTarget } from './mount.ts';
import type { MountOptions } from './options.ts';
import {
  DeferredBody,
  type DirectCall,
  isHttp1Request,
  isUnchanged,
  listenerBehind,
  needsNoGateway,
} from './passthrough.ts';
import { admit } from './pipelining.ts';

/** How many pipelined requests of a connection run at once, where the deployer says nothing. */
const MAX_PIPELINED = 16;

/** Somebody took a listener for an application: both are functions of two arguments. */
function notNodes(name: string, given: unknown): TypeError {
  return new TypeError(
    `The listener that toNode made was called with ${describe(given)} as its ${name}; expected the request and the ` +
      'response of a Node server. As an application give the one that toNode was given, or fromNode(listener).',
  );
}

/** One application on Node, and the work it left behind. */
export class NodeGateway implements CallGateway {
  readonly #app: Application;
  readonly #settings: Settings;
  readonly #facts: GatewayInfo;
  readonly #work = new Set<Promise<void>>();
  readonly #maxPipelined: number;
  /** Calls whose `waygate.signal` somebody holds. */
  readonly watched: Set<NodeCall> = new Set();
  /** A shutdown has told its requests to end. */
  isEnding = false;
  /** The application is a hosted listener and nothing else: nothing can come between. */
  readonly #isHosted: boolean;
  /** That listener, where no option asks for more. */
  readonly #direct: DirectCall | null;
  /** A response may be given up for what is mounted behind, so that no listener may answer on the connection. */
  readonly #fallsThrough: boolean;
  /** The deployer adds request headers, which no listener could see on the request itself. */
  readonly #addsHeaders: boolean;

  constructor(app: Application, options: MountOptions) {
    this.#settings = prepareOptions(app, options);
    this.#app = app;
    this.#addsHeaders = this.#settings.deployerKeys.some(([key]) => key.startsWith('HTTP_'));
    const { basePath, maxBodyBytes } = this.#settings;
    const { fallThrough = false } = options;
    if (typeof fallThrough !== 'boolean')
      throw new TypeError(`The option "fallThrough" is ${describe(fallThrough)}; expected true or false.`);
    this.#fallsThrough = fallThrough;
    const isBare = !fallThrough && basePath === '' && maxBodyBytes === Number.POSITIVE_INFINITY && !this.#addsHeaders;
    this.#isHosted = listenerBehind(app) !== null;
    this.#direct = isBare ? listenerBehind(app) : null;
    const { maxPipelined = MAX_PIPELINED } = options;
    if (!(typeof maxPipelined === 'number' && maxPipelined >= 1))
      throw new TypeError(`The option "maxPipelined" is ${describe(maxPipelined)}; expected a number of at least 1.`);
    this.#maxPipelined = maxPipelined;
    this.#facts = { gateway: 'node', multiprocess: options.multiprocess ?? cluster.isWorker };
  }

  /** How many pieces of work go on after their response. */
  get workCount(): number {
    return this.#work.size;
  }

  /** A fresh `wsgi.errors`. */
  errors(): ErrorStream {
    return this.#settings.errors();
  }

  /** Aborts every `waygate.signal`, and those that are asked for from now on: their connections will soon be cut. */
  abortAll(): void {
    this.isEnding = true;
    for (const call of this.watched) call.abort();
  }

  /** Settles when all has that was given to {@link track} and to `waygate.wait_until`. */
  async work(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    // Without a socket it waits behind another one of its connection.
    if (request?.httpVersionMajor === 1 && response?.socket === null) {
      if (!admit(request, response, this.#maxPipelined, this.#serve)) return;
    }
    this.#serve(request, response);
  };

  /** The listener of a mount that can fall through. A rest parameter: a router looks at the length of what it calls. */
  readonly mounted = (request: IncomingMessage, response: ServerResponse, ...[next]: [next?: unknown]): void => {
    if (typeof next !== 'function') this.listener(request, response);
    else this.#serve(request, response, next as () => void);
  };

  readonly #serve = (request: IncomingMessage, response: ServerResponse, next?: () => void): void => {
    const call = new NodeCall(request, response, this);
    if (next !== undefined) call.next = next;
    // A listener that another one has been given this request by shares it: the state that rides on it is that one's.
    if (this.#direct !== null && stateOf(request) === undefined && needsNoGateway(request)) {
      // Environ is made when somebody looks at it, of what the listener has not changed yet.
      const { method, url, baseUrl, originalUrl } = request as NodeTarget;
      call.line = { method, url, baseUrl, originalUrl };
      attachState(request, call);
      Object.defineProperty(request, 'environ', ENVIRON);
      call.answerNatively(this.#direct);
      return;
    }
    const errors = this.#settings.errors();
    let environ: Environ;
    try {
      environ = this.makeEnviron(request, response, call, errors);
    } catch (error) {
      if (typeof response?.setHeader !== 'function') throw notNodes('response', response);
      if (typeof request?.method !== 'string') throw notNodes('request', request);
      call.refuse(refuse(error, errors, request.method === 'HEAD'));
      return;
    }
    const exchange = this.makeExchange(environ);
    call.exchange = exchange;
    exchange.runTo(this.#app, call);
    if (call.isAnswered) return;
    if (typeof response.on !== 'function') throw notNodes('response', response);
    call.watch();
  };

  /** @throws {BadRequestError} for a request that cannot be served */
  makeEnviron(
    request: IncomingMessage,
    response: ServerResponse,
    call: NodeCall,
    errors: ErrorStream = this.#settings.errors(),
  ): Environ {
    const environ = nodeEnviron(request, response, this.#facts, this.#settings, errors, call.line, call);
    call.source = addInput(environ, request, response, this.#settings.maxBodyBytes);
    call.input = environ['wsgi.input'];
    return environ;
  }

  makeExchange(environ: Environ): Exchange {
    return new Exchange(environ, {
      onError: this.#settings.onError,
      passthrough: DeferredBody.native,
      context: { waitUntil: this.track },
    });
  }

  /** Whether a listener may have this request as it is: environ shows it unchanged, and nothing has to be counted. */
  maySee(request: IncomingMessage, response: ServerResponse, environ: Environ): boolean {
    const { basePath, maxBodyBytes } = this.#settings;
    if (this.#addsHeaders || this.#fallsThrough) return false;
    // Without a length only wsgi.input knows when there is too much.
    if (maxBodyBytes !== Number.POSITIVE_INFINITY && request.headers['transfer-encoding'] !== undefined) return false;
    if (!isHttp1Request(request) || (basePath !== '' && environ.SCRIPT_NAME !== '')) return false;
    if (this.#isHosted) return true;
    const fresh = nodeEnviron(request, response, this.#facts, this.#settings, environ['wsgi.errors']);
    return isUnchanged(environ, fresh);
  }

  /** Has a shutdown wait for something that goes on when its response is over. It must not reject. (CLOSE-03) */
  readonly track = (work: Promise<void>): void => {
    this.#work.add(work);
    work.then(() => this.#work.delete(work));
  };
}
