// Serves an application as a request listener of `node:http`, `node:https` or `node:http2`.

import cluster from 'node:cluster';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Writable } from 'node:stream';
import { isThenable } from '../../core/body.ts';
import { checkHeaders } from '../../core/check.ts';
import { type GatewayFacts, type Settings, settings } from '../../core/environ.ts';
import { describe, statusOf } from '../../core/errors.ts';
import { Exchange } from '../../core/gateway.ts';
import { carried, carry, lazyKey } from '../../core/lazy.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { GatewayResponse } from '../../core/response.ts';
import type { Application, Environ, ErrorStream, GatewayOptions, HeaderList, InputStream } from '../../core/types.ts';
import { settled } from '../../core/work.ts';
import { addInput, nodeEnviron, type RequestLine } from './environ.ts';
import {
  type CarriesNode,
  isOrdinary,
  isPlain,
  listenerBehind,
  type NativeCall,
  PendingBody,
  showsSame,
} from './native.ts';
import { onClose } from './neighbours.ts';
import { closeWithConnection } from './queued.ts';
import { breakOff, send } from './response.ts';
import { NodeSource } from './source.ts';

/** Options of {@link toNode}. */
export interface NodeOptions extends GatewayOptions {
  /** `wsgi.multiprocess`: whether other processes run the same application. Default: whether this is a cluster worker. */
  multiprocess?: boolean;
}

/** A request listener, as `createServer` of `node:http`, `node:https` and `node:http2` takes it. */
export type NodeListener = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/**
 * Serves an application on Node: `http.createServer(toNode(app)).listen(8000)`. Works under `https`, `http2` (compatibility
 * API), and mounted in Express or connect.
 *
 * To have `Expect: 100-continue` answered on the first read of the body, add the same listener for `checkContinue`, as
 * {@link serve} does. Without that, Node answers it at once.
 *
 * @throws {TypeError} for an application that is no function or an option of the wrong type
 */
export function toNode(app: Application, options: NodeOptions = {}): NodeListener {
  // The compatibility classes of http2 have the members of those of http.
  return new NodeGateway(app, options).listener as NodeListener;
}

/** Somebody took a listener for an application: both are functions of two arguments. */
function notResponse(response: unknown): TypeError {
  return new TypeError(
    `The listener that toNode made was called with ${describe(response)} as its response; expected the request and the ` +
      'response of a Node server. As an application give the one that toNode was given, or fromNode(listener).',
  );
}

/** One application on Node, and the work it left behind. */
export class NodeGateway {
  readonly #app: Application;
  readonly #settings: Settings;
  readonly #facts: GatewayFacts;
  readonly #work = new Set<Promise<void>>();
  /** The application is a hosted listener and nothing else: nothing can come between. */
  readonly #isHosted: boolean;
  /** That listener, where no option asks for more. */
  readonly #direct: NativeCall | null;
  /** The deployer adds request headers, which no listener could see on the request itself. */
  readonly #addsHeaders: boolean;

  constructor(app: Application, options: NodeOptions) {
    this.#settings = settings(app, options);
    this.#app = app;
    this.#addsHeaders = this.#settings.extra.some(([key]) => key.startsWith('HTTP_'));
    const { basePath, maxBodyBytes } = this.#settings;
    const isBare = basePath === '' && maxBodyBytes === Number.POSITIVE_INFINITY && !this.#addsHeaders;
    this.#isHosted = listenerBehind(app) !== null;
    this.#direct = isBare ? listenerBehind(app) : null;
    this.#facts = { gateway: 'node', multiprocess: options.multiprocess ?? cluster.isWorker };
  }

  /** Settles when all has that was given to {@link hold} and to `waygate.wait_until`. */
  async work(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    const call = new NodeCall(request, response, this);
    // A listener that another one has been given this request by shares it: the state that rides on it is that one's.
    if (this.#direct !== null && carried(request) === undefined && isOrdinary(request)) {
      // Environ is made when somebody looks at it, of what the listener has not changed yet.
      const { method, url, baseUrl, originalUrl } = request as RequestLine;
      call.line = { method, url, baseUrl, originalUrl };
      carry(request, call);
      Object.defineProperty(request, 'environ', ENVIRON);
      call.answerNatively(this.#direct);
      return;
    }
    const errors = this.#settings.errors();
    let environ: Environ;
    try {
      environ = this.makeEnviron(request, response, call, errors);
    } catch (error) {
      if (typeof response?.setHeader !== 'function') throw notResponse(response);
      call.refuse(refuse(error, errors, request.method === 'HEAD'));
      return;
    }
    const exchange = this.makeExchange(environ);
    call.exchange = exchange;
    const answer = exchange.run(this.#app);
    if (answer instanceof Promise) call.answerLater(answer);
    else call.answer(answer);
  };

  /** @throws {BadRequestError} for a request that cannot be served */
  makeEnviron(
    request: IncomingMessage,
    response: ServerResponse,
    call: NodeCall,
    errors: ErrorStream = this.#settings.errors(),
  ): Environ {
    const environ = nodeEnviron(request, response, this.#facts, this.#settings, errors, call.line);
    call.source = addInput(environ, request, response, this.#settings.maxBodyBytes);
    carry(environ, call);
    Object.defineProperty(environ, 'waygate.signal', SIGNAL);
    if (request.httpVersion !== '1.0') Object.defineProperty(environ, 'waygate.early_hints', EARLY_HINTS);
    environ['waygate.wait_until'] = (work) => this.hold(settled(work, errors));
    call.input = environ['wsgi.input'];
    return environ;
  }

  makeExchange(environ: Environ): Exchange {
    return new Exchange(environ, {
      onError: this.#settings.onError,
      native: PendingBody.native,
      linger: this.hold,
    });
  }

  /** Whether a listener may have this request as it is: environ shows it unchanged, and nothing has to be counted. */
  maySee(request: IncomingMessage, response: ServerResponse, environ: Environ): boolean {
    const { basePath, maxBodyBytes } = this.#settings;
    if (this.#addsHeaders) return false;
    // Without a length only wsgi.input knows when there is too much.
    if (maxBodyBytes !== Number.POSITIVE_INFINITY && request.headers['transfer-encoding'] !== undefined) return false;
    if (!isPlain(request) || (basePath !== '' && environ.SCRIPT_NAME !== '')) return false;
    if (this.#isHosted) return true;
    const fresh = nodeEnviron(request, response, this.#facts, this.#settings, environ['wsgi.errors']);
    return showsSame(environ, fresh);
  }

  /** Has a shutdown wait for something that goes on when its response is over. It must not reject. (CLOSE-03) */
  readonly hold = (work: Promise<void>): void => {
    this.#work.add(work);
    work.then(() => this.#work.delete(work));
  };
}

/** One request on its connection: what the lazy keys are made from, and where its end is seen. */
class NodeCall implements CarriesNode {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gateway: NodeGateway;
  exchange: Exchange | null = null;
  /** The request body; null when there is none. */
  source: NodeSource | null = null;
  /** The request as it came, where a listener has it before its environ is made. */
  line: RequestLine | undefined;
  /** `wsgi.input` as the gateway made it. */
  input: InputStream | null = null;
  #controller: AbortController | null = null;
  #watched = false;
  /** The client left before it had the whole response. */
  #gone = false;

  constructor(request: IncomingMessage, response: ServerResponse, gateway: NodeGateway) {
    this.#request = request;
    this.#response = response;
    this.#gateway = gateway;
  }

  isShownBy(environ: Environ): boolean {
    if (environ['wsgi.input'] !== this.input) return false;
    const { source } = this;
    // A client that waits for a 100 gets it when the body is read.
    if (source !== null && (source.isRead || source.awaitsContinue)) return false;
    return this.#gateway.maySee(this.#request, this.#response, environ);
  }

  /** The environ of a request that a listener got without one. */
  get environ(): Environ {
    return this.#gateway.makeEnviron(this.#request, this.#response, this);
  }

  /** Lets a node listener answer on the connection. It may still fail like any application. */
  answerNatively(call: NativeCall): void {
    const response = this.#response;
    const fail = (error: unknown): void => {
      this.exchange ??= this.#gateway.makeExchange((this.#request as unknown as { environ: Environ }).environ);
      this.exchange.tell(error);
      if (response.destroyed || response.writableEnded) return;
      if (response.headersSent) {
        breakOff(
          response,
          response.getHeaderNames().map((name) => [name, '']),
        );
        return;
      }
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      const page = plainResponse(statusOf(error), this.#request.method === 'HEAD');
      // Node takes no list of pairs for a response that has had headers set.
      for (const [name, value] of page.headers) response.setHeader(name, value);
      send(page, response);
    };
    try {
      const result = call(this.#request, response);
      if (isThenable(result)) result.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
  }

  /**
   * Out of the listener, whose only closure stands in environ: one more there that holds the call would tie environ to all
   * that the request has, and the garbage of many requests then outlives the young generation.
   */
  answerLater(answer: Promise<GatewayResponse>): void {
    this.watch();
    answer.then((each) => this.answer(each));
  }

  answer(answer: GatewayResponse): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent) {
      // The client is gone, or the application answered through node.response by itself.
      this.#close();
      return;
    }
    if (answer.native !== undefined) {
      this.answerNatively(answer.native as NativeCall);
      return;
    }
    const whole = Array.isArray(answer.body);
    if (!whole) this.watch();
    this.source?.claim();
    if (this.source?.awaitsContinue) response.shouldKeepAlive = false;
    try {
      send(answer, response, this.#watched);
    } catch (error) {
      this.exchange?.tell(error);
      breakOff(response, answer.headers);
    }
    if (!whole) return;
    this.#close();
    this.source?.discard();
  }

  /** Answers a request that no application saw; its body, of whatever length, is nobody's. */
  refuse(answer: GatewayResponse): void {
    this.source ??= new NodeSource(this.#request, this.#response, true);
    this.answer(answer);
  }

  /** Follows the response to its end, good or bad: only the response tells, a request closes once it was read. */
  watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    const response = this.#response;
    if (response.destroyed) {
      this.#over();
      return;
    }
    const over = (): void => this.#over();
    onClose(response, over);
    // Under HTTP/2 it closes only once the request is over too, for which somebody has to take what is left of it.
    if (this.#request.httpVersionMajor > 1) (response as unknown as { stream: Writable }).stream.on('finish', over);
    if (response.socket === null) closeWithConnection(response);
  }

  #over(): void {
    // Under HTTP/2 a response is finished also where its stream was reset, but nobody has ended it.
    this.#gone = !this.#response.writableEnded || !this.#response.writableFinished;
    if (this.#gone) this.#controller?.abort();
    this.#close();
    this.source?.discard();
  }

  #close(): void {
    const closing = this.exchange?.close();
    if (closing instanceof Promise) this.#gateway.hold(closing);
  }

  /** `waygate.signal`, made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      this.watch();
      if (this.#gone) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** `waygate.early_hints`. (RFC 8297) */
  earlyHints(headers: HeaderList): void {
    const hints: Record<string, string | string[]> = {};
    for (const [name, value] of checkHeaders(headers).headers) {
      const before = hints[name.toLowerCase()];
      hints[name.toLowerCase()] = before === undefined ? value : [before, value].flat();
    }
    if (!this.#response.headersSent && !this.#response.destroyed) this.#response.writeEarlyHints(hints);
  }
}

const ENVIRON = lazyKey('environ', (call: NodeCall) => call.environ);
const SIGNAL = lazyKey('waygate.signal', (call: NodeCall) => call.signal);
const EARLY_HINTS = lazyKey(
  'waygate.early_hints',
  (call: NodeCall) => (headers: HeaderList) => call.earlyHints(headers),
);
