// Serves an application as a Lambda function whose result is returned in one piece.

import { addDeployerKeys } from '../../core/environ.ts';
import { RequestError } from '../../core/errors.ts';
import { Exchange } from '../../core/gateway.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { GatewayResponse, Receiver, ResponseBody } from '../../core/response.ts';
import type { Application, Environ } from '../../core/types.ts';
import { collect, wholeOf } from './collect.ts';
import { describeEvent, FailedResponseError, UnsupportedEventError } from './event/errors.ts';
import { oversizeBytes, tooLarge } from './event/limits.ts';
import { pathSegments } from './event-route.ts';
import { Invocation } from './invocation.ts';
import { type LambdaOptions, type LambdaSettings, lambdaSettings } from './options.ts';
import type { Source } from './source.ts';
import { findSource } from './sources/index.ts';
import type { LambdaHandler } from './types.ts';

/**
 * Serves an application as a Lambda function, behind every HTTP event source that AWS has: REST API, HTTP API, function
 * URL, Application Load Balancer, VPC Lattice and Lambda@Edge. The event alone tells which one it is.
 *
 * @param app the application
 * @param options see {@link LambdaOptions}
 * @returns the handler. It rejects for an event that is no HTTP request, with {@link UnsupportedEventError} unless the option
 *   `events` takes it, and for a response whose status is among `errorStatuses`, with {@link FailedResponseError}; for nothing
 *   else: failures of the application are responses
 * @throws {TypeError} for an application that is no function or an option of the wrong type
 * @example export const handler = toLambda(app, { events: (event) => console.log(event) });
 */
export function toLambda(app: Application, options: LambdaOptions = {}): LambdaHandler {
  const prepared = lambdaSettings(app, options);
  const handler = (event: unknown, context?: unknown): Promise<unknown> => {
    try {
      return answerWhole(app, prepared, event, context);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return handler as LambdaHandler;
}

/**
 * The result for an event of any kind.
 *
 * @throws {UnsupportedEventError} also at once, as it does other errors that fail the invocation
 */
export function answerWhole(
  app: Application,
  settings: LambdaSettings,
  event: unknown,
  context: unknown,
): Promise<unknown> {
  const source = findSource(event);
  if (source === null) return answerEvent(app, settings, event, context);
  const call = new Call(source, settings, event, context);
  let environ: Environ;
  try {
    environ = makeEnviron(source, settings, call);
  } catch (error) {
    if (error instanceof UnsupportedEventError) throw error;
    const page = refuse(error, call.errors, source.methodOf(event) === 'HEAD');
    if (settings.fails?.(page.statusCode)) throw error;
    return Promise.resolve(pageResult(source, event, page));
  }
  return call.run(app, environ);
}

/**
 * The result for an event that is no HTTP request.
 *
 * @throws {UnsupportedEventError} where nothing was said of such events
 */
export function answerEvent(
  app: Application,
  settings: LambdaSettings,
  event: unknown,
  context: unknown,
): Promise<unknown> {
  if (settings.events === null) throw new UnsupportedEventError(describeEvent(event));
  return settings.events.handle(app, event, context);
}

/** An invocation whose result is returned in one piece. */
class Call extends Invocation implements Receiver {
  readonly #source: Source;
  readonly #settings: LambdaSettings;
  #environ: Environ | null = null;
  #exchange: Exchange | null = null;
  /** What the handler returns, once it is known. */
  #result: Promise<unknown> | null = null;
  #resolve: ((result: unknown) => void) | null = null;

  constructor(source: Source, settings: LambdaSettings, event: unknown, context: unknown) {
    super(settings.errors(), event, context);
    this.#source = source;
    this.#settings = settings;
  }

  /** Calls the application. */
  run(app: Application, environ: Environ): Promise<unknown> {
    const exchange = new Exchange(environ, this.#settings.exchange);
    this.#environ = environ;
    this.#exchange = exchange;
    exchange.runTo(app, this);
    if (this.#result !== null) return this.#result;
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  answer(response: GatewayResponse): void {
    const result = this.#finish(response);
    if (this.#resolve !== null) this.#resolve(result);
    else this.#result = result instanceof Promise ? result : Promise.resolve(result);
  }

  /** The result, or a promise of it that rejects for what fails the invocation. Never throws. */
  #finish(response: GatewayResponse): unknown | Promise<unknown> {
    const exchange = this.#exchange as Exchange;
    let result: unknown;
    try {
      this.#check(response.statusCode);
      const { body } = response;
      if (!Array.isArray(body)) return afterWork(this.#gather(response, body), undefined, this);
      result = this.#seal(response, wholeOf(body));
    } catch (error) {
      return afterWork(Promise.reject(error), exchange.close(), this);
    }
    // With a body in memory all is over; the log may still have to be flushed. (LOG-04)
    const closing = exchange.close();
    return closing instanceof Promise || this.hasWork ? afterWork(result, closing, this) : result;
  }

  /** @throws {FailedResponseError} for a status that fails the invocation */
  #check(status: number): void {
    if (this.#settings.fails?.(status)) throw new FailedResponseError(status, this.#environ as Environ);
  }

  async #gather(response: GatewayResponse, body: ResponseBody): Promise<unknown> {
    let whole: Uint8Array | null;
    try {
      whole = await collect(body, this.#source.limitBytes(this.event));
    } catch {
      // A body that fails halfway has been told of; as nothing went out, the client gets a plain 500.
      return this.#failed();
    }
    return this.#seal(response, whole);
  }

  /** @param body all of it; null where it was not read to its end, being too long */
  #seal(response: GatewayResponse, body: Uint8Array | null): unknown {
    const { event } = this;
    const source = this.#source;
    const limit = source.limitBytes(event);
    let result: unknown = null;
    try {
      if (body !== null) result = source.toResult(event, response, body);
    } catch (error) {
      // What this event source cannot express.
      this.#exchange?.reportError(error);
      return this.#failed();
    }
    const size = body === null ? null : oversizeBytes(result, limit, response.headers, body.byteLength);
    if (size === 0) return result;
    this.#exchange?.reportError(tooLarge(source, size, limit));
    return this.#failed();
  }

  #failed(): unknown {
    this.#check(500);
    return pageResult(this.#source, this.event, plainResponse(500, this.#environ?.REQUEST_METHOD === 'HEAD'));
  }
}

/** The result, once all is over that belongs to the invocation. */
async function afterWork(result: unknown, closing: unknown, invocation: Invocation): Promise<unknown> {
  try {
    return await result;
  } finally {
    await closing;
    await invocation.workDone();
  }
}

/**
 * The environ of an invocation.
 *
 * @throws {RequestError} for a request that no application sees
 * @throws {UnsupportedEventError} for an event that cannot be answered
 */
export function makeEnviron(source: Source, settings: LambdaSettings, invocation: Invocation): Environ {
  const environ = source.toEnviron(invocation.event, settings, invocation);
  const reserved = settings.events?.segments;
  if (reserved) refuseEventPath(environ, reserved);
  if (settings.abortBeforeTimeoutMs > 0) invocation.abortBefore(settings.abortBeforeTimeoutMs);
  addDeployerKeys(environ, settings.deployerKeys);
  return environ;
}

/** What comes to the path of events comes from Lambda: a client could claim anything there. */
function refuseEventPath(environ: Environ, reserved: string[]): void {
  const asked = pathSegments(environ.PATH_INFO);
  if (!reserved.every((segment, index) => asked[index] === segment)) return;
  throw new RequestError(404, 'This path is for events that are not HTTP.');
}

/** A page of the gateway's own as a result. */
function pageResult(source: Source, event: unknown, page: GatewayResponse): unknown {
  return source.toResult(event, page, wholeOf(page.body as Uint8Array[]));
}
