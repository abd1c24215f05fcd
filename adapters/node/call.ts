// One request on its connection: what the lazy keys are made from, how it is answered, where its end is seen, and the guard
// that keeps a failure of any of this from reaching the process.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { checkHeaders } from '../../core/check.ts';
import { ClientDisconnectedError, isA, report, statusOf } from '../../core/errors.ts';
import type { Exchange } from '../../core/gateway.ts';
import { log } from '../../core/log.ts';
import { plainResponse } from '../../core/plain-response.ts';
import { attachState, lazyKey } from '../../core/private-state.ts';
import type { GatewayResponse, Receiver } from '../../core/response.ts';
import { isThenable } from '../../core/thenable.ts';
import type { Environ, ErrorStream, HeaderList, InputStream, ReadonlyHeaderList } from '../../core/types.ts';
import { logRejection } from '../../core/work.ts';
import { breakOff, hasLost } from './break-off.ts';
import type { Attached } from './environ.ts';
import type { NodeTarget } from './mount.ts';
import { onClose } from './neighbours.ts';
import type { CarriesNode, DirectCall } from './passthrough.ts';
import { closeWithConnection } from './pipelining.ts';
import { send } from './response.ts';
import { NodeSource } from './source.ts';
import { endUnread } from './untouched-request.ts';

/** What a call needs of the gateway that serves it. */
export interface CallGateway {
  /** Calls whose `waygate.signal` somebody holds; a shutdown aborts them. */
  readonly watched: Set<NodeCall>;
  /** A shutdown has told its requests to end. */
  readonly isEnding: boolean;
  /** A fresh `wsgi.errors`. */
  errors(): ErrorStream;
  /** @throws {RequestError} for a request that cannot be served */
  makeEnviron(request: IncomingMessage, response: ServerResponse, call: NodeCall): Environ;
  makeExchange(environ: Environ): Exchange;
  /** Whether a listener may have this request as it is. */
  maySee(request: IncomingMessage, response: ServerResponse, environ: Environ): boolean;
  /** Has a shutdown wait for something that goes on when its response is over. It must not reject. (CLOSE-03) */
  track(work: Promise<void>): void;
}

export class NodeCall implements CarriesNode, Receiver, Attached {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gateway: CallGateway;
  exchange: Exchange | null = null;
  /** The response is there; until then somebody has to see whether the client is. */
  isAnswered = false;
  /** The request body; null when there is none. */
  source: NodeSource | null = null;
  /** The request as it came, where a listener has it before its environ is made. */
  line: NodeTarget | undefined;
  /** `wsgi.input` as the gateway made it. */
  input: InputStream | null = null;
  /** Hands the request on to what is mounted behind, where that is wanted. */
  next: (() => void) | null = null;
  #controller: AbortController | null = null;
  #watched = false;
  /** The client left before it had the whole response. */
  #gone = false;

  constructor(request: IncomingMessage, response: ServerResponse, gateway: CallGateway) {
    this.#request = request;
    this.#response = response;
    this.#gateway = gateway;
  }

  attachTo(environ: Environ): void {
    const gateway = this.#gateway;
    const errors = environ['wsgi.errors'];
    attachState(environ, this);
    Object.defineProperty(environ, 'waygate.signal', SIGNAL);
    // A closure here that holds the response would tie environ to all that the request has: on Node 24 the garbage of many
    // requests then outlives the young generation.
    if (this.#request.httpVersion !== '1.0') Object.defineProperty(environ, 'waygate.early_hints', EARLY_HINTS);
    environ['waygate.wait_until'] = (work) => gateway.track(logRejection(work, errors));
  }

  /** `waygate.early_hints`. */
  get earlyHints(): (headers: ReadonlyHeaderList) => void {
    return (headers) => sendEarlyHints(this.#response, headers);
  }

  isUnchanged(environ: Environ): boolean {
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
  answerNatively(call: DirectCall): void {
    try {
      const result = call(this.#request, this.#response);
      if (isThenable(result)) result.then(undefined, (error) => this.#failNatively(error));
    } catch (error) {
      this.#failNatively(error);
    }
  }

  /** The listener failed: a plain answer while the head is not out, a broken connection after. (ERR-02 … 05) */
  #failNatively(error: unknown): void {
    const response = this.#response;
    try {
      if (!hasLost(this.#request, response)) this.#tell(error);
      if (response.destroyed || response.writableEnded) return;
      if (response.headersSent) breakOff(response);
      else this.#sendPlain(statusOf(error));
    } catch (second) {
      this.#giveUp(second);
    }
  }

  #sendPlain(status: number): void {
    const response = this.#response;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    const page = plainResponse(status, this.#request.method === 'HEAD');
    // Node takes no list of pairs for a response that has had headers set.
    for (const [name, value] of page.headers) response.setHeader(name, value);
    send(page, response);
  }

  /** Answers. Never throws: what goes wrong is reported, and ends the connection. */
  answer(answer: GatewayResponse): void {
    this.isAnswered = true;
    try {
      this.#answer(answer);
    } catch (error) {
      this.#giveUp(error, answer.headers);
    }
  }

  #answer(answer: GatewayResponse): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent) {
      // The client is gone, or the application answered through node.response by itself.
      this.#close();
      return;
    }
    if (answer.passthrough !== undefined) {
      this.answerNatively(answer.passthrough as DirectCall);
      return;
    }
    if (this.next !== null && answer.statusCode === 404 && this.source?.isRead !== true) {
      this.#fallThrough(this.next);
      return;
    }
    const whole = Array.isArray(answer.body);
    if (!whole) this.watch();
    this.source?.preventAutoDrain();
    if (this.source?.awaitsContinue) response.shouldKeepAlive = false;
    const isFree = send(answer, response, this.#watched);
    if (!whole) return;
    this.#close();
    if (this.source !== null) this.source.discard();
    else if (isFree) endUnread(this.#request);
  }

  /** The application has nothing for this request. What it answered is closed, and the body is for who comes next. */
  #fallThrough(next: () => void): void {
    this.next = null;
    this.source = null;
    this.#close();
    next();
  }

  /**
   * A listener on the connection's own objects is about to answer for an application: what that leaves of the request body
   * is got rid of when the response is over.
   */
  claim(): void {
    const { source } = this;
    if (source === null) return;
    this.watch();
    source.preventAutoDrain();
    if (source.awaitsContinue) this.#response.shouldKeepAlive = false;
  }

  /** Answers a request that no application saw; its body, of whatever length, is nobody's. Never throws. */
  refuse(answer: GatewayResponse): void {
    try {
      this.source ??= new NodeSource(this.#request, this.#response, true);
    } catch {
      // Then the body is left to Node.
    }
    this.answer(answer);
  }

  /**
   * The end of every path of failure: says what went wrong, ends the connection, and lets go of what the request holds.
   * Never throws.
   */
  #giveUp(error: unknown, headers?: HeaderList): void {
    this.#tell(error);
    breakOff(this.#response, headers);
    try {
      this.#close();
      this.source?.discard();
    } catch (second) {
      this.#tell(second);
    }
  }

  /** Reports a failure to `wsgi.errors` and `onError`, or to the log alone where there is no environ. Never throws. */
  #tell(error: unknown): void {
    try {
      this.exchange ??= this.#gateway.makeExchange((this.#request as unknown as { environ: Environ }).environ);
      this.exchange.reportError(error);
    } catch {
      if (isA(error, ClientDisconnectedError)) return;
      try {
        log(this.#gateway.errors(), report(error));
      } catch {
        // Nowhere is left to say it.
      }
    }
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
    this.#gateway.watched.delete(this);
    try {
      this.#close();
      this.source?.discard();
    } catch (error) {
      this.#tell(error);
    }
  }

  #close(): void {
    const closing = this.exchange?.close();
    if (closing instanceof Promise) this.#gateway.track(closing);
  }

  /** `waygate.signal`, made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      this.#gateway.watched.add(this);
      this.watch();
      if (this.#gone) this.#controller.abort();
      else if (this.#gateway.isEnding) this.abort();
    }
    return this.#controller.signal;
  }

  /** The server shuts down and will soon cut the connection. */
  abort(): void {
    this.#controller?.abort(new DOMException('The server is shutting down.', 'AbortError'));
  }
}

/** `waygate.early_hints`. (RFC 8297) */
function sendEarlyHints(response: ServerResponse, headers: ReadonlyHeaderList): void {
  // Without a prototype: `constructor` and `__proto__` are legal header names.
  const hints: Record<string, string[]> = Object.create(null);
  for (const [name, value] of checkHeaders(headers).headers) {
    const lower = name.toLowerCase();
    // The length of the response to come: an informational one has no content. (RFC 9110 §8.6)
    if (lower === 'content-length') continue;
    hints[lower] ??= [];
    hints[lower].push(value);
  }
  // A response that waits for its turn has no place for hints yet, and they would be late by then. (RFC 9110 §15.2)
  if (response.socket !== null && !response.headersSent && !response.destroyed) response.writeEarlyHints(hints);
}

/** `request.environ` of a request that a hosted listener got without one. */
export const ENVIRON: PropertyDescriptor = lazyKey('environ', (call: NodeCall) => call.environ);
const SIGNAL: PropertyDescriptor = lazyKey('waygate.signal', (call: NodeCall) => call.signal);
const EARLY_HINTS = lazyKey('waygate.early_hints', (call: NodeCall) => call.earlyHints);
