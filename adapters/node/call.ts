// One request on its connection: how it comes to the application, how it is answered, and where its end is seen. A guard
// keeps any failure from reaching the process.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { DirectApp } from '../../core/direct-app.ts';
import { ClientDisconnectedError, isA, report, statusOf } from '../../core/errors.ts';
import { Exchange } from '../../core/exchange.ts';
import { Input } from '../../core/input.ts';
import { RequestLifetime } from '../../core/lifetime.ts';
import { log } from '../../core/log.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import { attachState, lazyKey, stateOf } from '../../core/private-state.ts';
import type { Answer, Receiver } from '../../core/response.ts';
import { isThenable } from '../../core/thenable.ts';
import type {
  Application,
  Environ,
  ErrorStream,
  HeaderList,
  InputStream,
  ReadonlyHeaderList,
} from '../../core/types.ts';
import { breakOff, hasLost } from './break-off.ts';
import { DirectRequestCall, type RestOfCall } from './direct-request.ts';
import { addInput, type EnvironState, nodeEnviron } from './environ.ts';
import type { NodeGateway } from './gateway.ts';
import type { DirectCall } from './hosted/registry.ts';
import type { NodeTarget } from './mount.ts';
import { needsNoGateway, type RequestState } from './passthrough.ts';
import { onEnd } from './pipelining.ts';
import { checkIsRequest, checkIsResponse } from './refusals.ts';
import { send, sendEarlyHints, sendPlain } from './response.ts';
import { NodeSource } from './source.ts';
import { endUnread } from './untouched-request.ts';

export class NodeCall extends RequestLifetime implements EnvironState, RequestState, RestOfCall, Receiver<DirectCall> {
  readonly #gateway: NodeGateway;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  /** Hands the request on to what is mounted behind; null where nothing is, and once it was handed on. */
  #next: (() => void) | null;
  /** The request line as it came, where the environ is made later. A hosted Fetch app without an environ has it in its call. */
  #line: NodeTarget | DirectRequestCall | null = null;
  /** The request body; null when there is none. */
  #source: NodeSource | null = null;
  /** `wsgi.input` as this gateway made it. */
  #input: InputStream | null = null;
  /** Who sees the end of the request: nobody yet, the answer that is there, or {@link #watch} from the response itself. */
  #endSeenBy: 'nobody' | 'answer' | 'watch' = 'nobody';

  /** @param next called where the application answers with 404, for what is mounted behind */
  constructor(gateway: NodeGateway, request: IncomingMessage, response: ServerResponse, next: (() => void) | null) {
    super(gateway.work);
    this.#gateway = gateway;
    this.#request = request;
    this.#response = response;
    this.#next = next;
  }

  // The request.

  /**
   * Serves the request: calls the application, which answers now or later.
   *
   * @throws {TypeError} where it was not called with the request and the response of a Node server
   */
  run(): void {
    const { app, passthrough } = this.#gateway;
    const { direct, directApp } = passthrough;
    const request = this.#request;
    // A request that one listener has given to another shares the state of that one.
    if (direct !== null && stateOf(request) === undefined && needsNoGateway(request)) this.#passAtOnce(direct);
    else if (directApp?.isOpen !== true || !this.#callAtOnce(directApp)) this.#runApplication(app);
  }

  #runApplication(app: Application): void {
    const { settings, exchangeOptions } = this.#gateway;
    const errors = settings.errors();
    let environ: Environ;
    try {
      environ = this.makeEnviron(errors);
    } catch (error) {
      this.#refuse(error, errors);
      return;
    }
    this.begin(new Exchange(environ, exchangeOptions)).runTo(app, this);
    this.follow();
  }

  /** @throws {RequestError} for a request that cannot be served */
  makeEnviron(errors: ErrorStream = this.#gateway.settings.errors()): Environ {
    const request = this.#request;
    const response = this.#response;
    const { info, settings } = this.#gateway;
    const environ = nodeEnviron(request, response, info, settings, errors, this.#line ?? request, this);
    if (this.#input === null) this.#source = addInput(environ, request, response, settings.maxBodyBytes);
    else environ['wsgi.input'] = this.#input;
    this.#input = environ['wsgi.input'];
    return environ;
  }

  get input(): InputStream | null {
    return this.#input;
  }

  override attachTo(environ: Environ): void {
    super.attachTo(environ);
    // A closure here that holds the response would tie environ to all that the request has. On Node 24 the garbage of many
    // requests would then outlive the young generation.
    if (this.#request.httpVersion !== '1.0') Object.defineProperty(environ, 'waygate.early_hints', EARLY_HINTS);
  }

  /** `waygate.early_hints`. */
  get earlyHints(): (headers: ReadonlyHeaderList) => void {
    return (headers) => sendEarlyHints(this.#response, headers);
  }

  /** Answers a request that no application sees; nobody reads its body. */
  #refuse(error: unknown, errors: ErrorStream): void {
    checkIsResponse(this.#response);
    checkIsRequest(this.#request);
    try {
      this.#source ??= new NodeSource(this.#request, this.#response, true);
    } catch {
      // Then the body is left to Node.
    }
    this.answer(refuse(error, errors, this.#request.method));
  }

  // The passthrough: a hosted listener answers on the connection's own objects. It may still fail like any application.

  /** Its environ is made when somebody looks at it, of what the listener has not changed yet. */
  #passAtOnce(listener: DirectCall): void {
    const { method, url, baseUrl, originalUrl } = this.#request as NodeTarget;
    this.#line = { method, url, baseUrl, originalUrl };
    attachState(this.#request, this);
    Object.defineProperty(this.#request, 'environ', ENVIRON);
    this.#pass(listener);
  }

  /** Calls a hosted Fetch app without an environ. False for a request that it cannot have so: nothing has happened then. */
  #callAtOnce(app: DirectApp): boolean {
    const { maxBodyBytes } = this.#gateway.settings;
    const direct = DirectRequestCall.of(this, this.#request, this.#response, maxBodyBytes);
    if (direct === null) return false;
    this.#line = direct;
    if (direct.bodyLength !== 0) {
      this.#source = new NodeSource(this.#request, this.#response, false, direct.declaredLength);
      this.#input = new Input(this.#source, direct.declaredLength, maxBodyBytes);
    }
    direct.run(app);
    return true;
  }

  /**
   * What an application that was called without an environ leaves to be done with one. Never throws.
   *
   * @param app gives its answer, or fails as it did
   */
  runRest(app: Application): void {
    try {
      const { environ } = this.#line as DirectRequestCall;
      this.begin(new Exchange(environ, this.#gateway.exchangeOptions)).runTo(app, this);
      this.follow();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  isUnchanged(environ: Environ): boolean {
    // A client that waits for a 100 gets it when the body is read.
    if (this.isBodyTaken(environ) || this.#source?.awaitsContinue) return false;
    return this.#gateway.passthrough.allows(this.#request, this.#response, environ);
  }

  /** Whether somebody has read of the body, or has put another one in its place. */
  isBodyTaken(environ: Environ): boolean {
    return environ['wsgi.input'] !== this.#input || this.#source?.isRead === true;
  }

  #pass(listener: DirectCall): void {
    try {
      const result = listener(this.#request, this.#response);
      if (isThenable(result)) result.then(undefined, (error) => this.#listenerFailed(error));
    } catch (error) {
      this.#listenerFailed(error);
    }
  }

  /** A plain answer while the head is not out, a broken connection after. (ERR-02 … 05) */
  #listenerFailed(error: unknown): void {
    const response = this.#response;
    try {
      if (!hasLost(this.#request, response)) this.#reportError(error);
      if (response.destroyed || response.writableEnded) return;
      if (response.headersSent) breakOff(response);
      else sendPlain(plainResponse(statusOf(error), this.#request.method), response);
    } catch (second) {
      this.#giveUp(second);
    }
  }

  // The response.

  /** Answers. Never throws: what goes wrong is reported, and ends the connection. */
  answer(answer: Answer<DirectCall>): void {
    if (this.#endSeenBy === 'nobody') this.#endSeenBy = 'answer';
    try {
      this.#answer(answer);
    } catch (error) {
      this.#giveUp(error, answer.passthrough === undefined ? answer.headers : undefined);
    }
  }

  #answer(answer: Answer<DirectCall>): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent) {
      // The client is gone, or the application answered through node.response by itself.
      this.close();
      return;
    }
    if (answer.passthrough !== undefined) {
      this.#pass(answer.passthrough);
      return;
    }
    if (this.#next !== null && answer.statusCode === 404 && this.#source?.isRead !== true) {
      this.#fallThrough(this.#next);
      return;
    }
    const whole = Array.isArray(answer.body);
    if (!whole) this.#watch();
    this.#keepBody();
    const isFree = send(answer, response, this.#endSeenBy === 'watch');
    if (!whole) return;
    this.close();
    if (this.#source !== null) this.#source.discard();
    else if (isFree) endUnread(this.#request);
  }

  /** The application has nothing for this request. Its answer is closed, and what comes next gets the body. */
  #fallThrough(next: () => void): void {
    this.#next = null;
    this.#source = null;
    this.close();
    next();
  }

  /** Ahead of the response: what is left of the body stays for {@link NodeSource.discard}. */
  #keepBody(): void {
    this.#source?.preventAutoDrain();
  }

  preventAutoDrain(): void {
    if (this.#source === null) return;
    this.#watch();
    this.#keepBody();
  }

  // The end, and the client that leaves before it.

  /** Until there is a response somebody has to see whether the client is there. */
  follow(): void {
    if (this.#endSeenBy === 'answer') return;
    checkIsResponse(this.#response);
    this.#watch();
  }

  /** Follows the response to its end, good or bad. The request does not show it: it closes once it was read. */
  #watch(): void {
    if (this.#endSeenBy === 'watch') return;
    this.#endSeenBy = 'watch';
    const response = this.#response;
    if (response.destroyed) {
      this.#over();
      return;
    }
    const over = (): void => this.#over();
    onEnd(response, over);
    // Under HTTP/2 it closes only once the request is over too, for which somebody has to take what is left of it.
    if (this.#request.httpVersionMajor > 1) (response as unknown as { stream: Writable }).stream.on('finish', over);
  }

  #over(): void {
    const { writableEnded, writableFinished } = this.#response;
    this.#gateway.forget(this);
    try {
      // Under HTTP/2 a response is finished also where its stream was reset, but nobody has ended it.
      if (writableEnded && writableFinished) this.finish();
      else this.clientLeft();
      // What a Fetch app still does is waited for, as an exchange has it waited for. (CLOSE-03)
      const working = this.#line instanceof DirectRequestCall ? this.#line.pending : null;
      if (working !== null) this.waitUntil(working);
      this.#source?.discard();
    } catch (error) {
      this.#reportError(error);
    }
  }

  /** Somebody has `waygate.signal`. */
  protected override listen(): void {
    this.#gateway.abortAtEnd(this);
    this.#watch();
  }

  // The guard.

  /**
   * The end of every path of failure: says what went wrong, ends the connection, and lets go of what the request holds.
   * Never throws.
   */
  #giveUp(error: unknown, headers?: HeaderList): void {
    this.#reportError(error);
    breakOff(this.#response, headers);
    try {
      this.close();
      this.#source?.discard();
    } catch (second) {
      this.#reportError(second);
    }
  }

  /** Reports a failure to `wsgi.errors` and `onError`, or to the log alone where there is no environ. Never throws. */
  #reportError(error: unknown): void {
    const { settings, exchangeOptions } = this.#gateway;
    try {
      const { environ } = (this.#line instanceof DirectRequestCall ? this.#line : this.#request) as {
        environ: Environ;
      };
      const exchange = this.exchange ?? this.begin(new Exchange(environ, exchangeOptions));
      exchange.reportError(error);
    } catch {
      if (isA(error, ClientDisconnectedError)) return;
      try {
        log(settings.errors(), report(error));
      } catch {
        // Nowhere is left to say it.
      }
    }
  }
}

/** `request.environ` of a request that a hosted listener got without one. */
const ENVIRON = lazyKey('environ', (call: NodeCall) => call.makeEnviron());
const EARLY_HINTS = lazyKey('waygate.early_hints', (call: NodeCall) => call.earlyHints);
