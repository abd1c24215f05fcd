// Serves an application as a Lambda function whose result is returned in one piece.

import { addExtra } from '../../core/environ.ts';
import { RequestError } from '../../core/errors.ts';
import { Exchange } from '../../core/gateway.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { GatewayResponse } from '../../core/response.ts';
import type { Application, Environ, ErrorStream } from '../../core/types.ts';
import { collect, wholeOf } from './collect.ts';
import { describeEvent, FailedResponseError, UnsupportedEventError } from './errors.ts';
import { pathSegments } from './event-route.ts';
import { Invocation } from './invocation.ts';
import { excess, tooLarge } from './limits.ts';
import { type LambdaOptions, type LambdaSettings, lambdaSettings } from './options.ts';
import type { Source } from './source.ts';
import { findSource } from './sources/index.ts';
import type { LambdaHandler } from './types.ts';

/**
 * Serves an application as a Lambda function, behind every HTTP front door that AWS has: REST API, HTTP API, function
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
  const handler = async (event: unknown, context?: unknown): Promise<unknown> =>
    answerWhole(app, prepared, event, context);
  return handler as LambdaHandler;
}

/** The result for an event of any kind. */
export function answerWhole(app: Application, settings: LambdaSettings, event: unknown, context: unknown): unknown {
  const source = findSource(event);
  if (source !== null) return answer(app, settings, event, context, source);
  return answerEvent(app, settings, event, context);
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

function answer(
  app: Application,
  settings: LambdaSettings,
  event: unknown,
  context: unknown,
  source: Source,
): unknown | Promise<unknown> {
  const errors = settings.errors();
  const invocation = new Invocation(errors);
  let environ: Environ;
  try {
    environ = makeEnviron(source, settings, errors, invocation, event, context);
  } catch (error) {
    if (error instanceof UnsupportedEventError) throw error;
    const page = refuse(error, errors, source.methodOf(event) === 'HEAD');
    if (settings.fails?.(page.statusCode)) throw error;
    return pageResult(source, event, page);
  }
  const exchange = new Exchange(environ, { onError: settings.onError });
  const finish = (response: GatewayResponse): unknown | Promise<unknown> => {
    let result: unknown;
    try {
      result = toResult(source, event, response, exchange, environ, settings);
    } catch (error) {
      return afterWork(Promise.reject(error), exchange.close(), invocation);
    }
    // With a body in memory all is over; the log may still have to be flushed. (LOG-04)
    const closing = result instanceof Promise ? undefined : exchange.close();
    if (result instanceof Promise || closing instanceof Promise || invocation.hasWork) {
      return afterWork(result, closing, invocation);
    }
    return result;
  };
  const response = exchange.run(app);
  return response instanceof Promise ? response.then(finish) : finish(response);
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
export function makeEnviron(
  source: Source,
  settings: LambdaSettings,
  errors: ErrorStream,
  invocation: Invocation,
  event: unknown,
  context: unknown,
): Environ {
  const environ = source.toEnviron(event, settings, errors);
  const reserved = settings.events?.segments;
  if (reserved) refuseEventPath(environ, reserved);
  invocation.attach(environ, event, context);
  if (settings.abortBeforeTimeoutMs > 0) invocation.abortBefore(context, settings.abortBeforeTimeoutMs);
  addExtra(environ, settings.extra);
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

function toResult(
  source: Source,
  event: unknown,
  response: GatewayResponse,
  exchange: Exchange,
  environ: Environ,
  settings: LambdaSettings,
): unknown | Promise<unknown> {
  if (settings.fails?.(response.statusCode)) throw new FailedResponseError(response.statusCode, environ);
  const limit = source.limitBytes(event);
  const seal = (body: Uint8Array | null): unknown => {
    let result: unknown = null;
    try {
      if (body !== null) result = source.toResult(event, response, body);
    } catch (error) {
      // What this front door cannot express.
      exchange.tell(error);
      return failed();
    }
    const size = body === null ? null : excess(result, limit, response.headers, body.byteLength);
    if (size === 0) return result;
    exchange.tell(tooLarge(source, size, limit));
    return failed();
  };
  const failed = (): unknown => {
    const page = plainResponse(500, environ.REQUEST_METHOD === 'HEAD');
    if (settings.fails?.(500)) throw new FailedResponseError(500, environ);
    return pageResult(source, event, page);
  };
  if (Array.isArray(response.body)) return seal(wholeOf(response.body));
  // A body that fails halfway has been told of; as nothing went out, the client gets a plain 500.
  return collect(response.body, limit).then(seal, failed);
}
