// Serves an application as a Lambda function whose result is returned in one piece.

import { addExtra, type Settings, settings } from '../../core/environ.ts';
import { Exchange } from '../../core/gateway.ts';
import { concat } from '../../core/input-base.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { GatewayResponse, ResponseBody } from '../../core/response.ts';
import type { Application, Environ, ErrorStream, GatewayOptions } from '../../core/types.ts';
import { UnsupportedEventError } from './errors.ts';
import { Invocation } from './invocation.ts';
import { excess, tooLarge } from './limits.ts';
import type { Source } from './source.ts';
import { sourceOf } from './sources/index.ts';
import type { LambdaHandler } from './types.ts';

/** Options of {@link toLambda} and {@link toLambdaStream}. */
export type LambdaOptions = GatewayOptions;

/**
 * Serves an application as a Lambda function, behind every HTTP front door that AWS has: REST API, HTTP API, function
 * URL, Application Load Balancer, VPC Lattice and Lambda@Edge. The event alone tells which one it is.
 *
 * @param app the application
 * @param options see {@link GatewayOptions}
 * @returns the handler. It rejects for an event that is no HTTP request, with {@link UnsupportedEventError}, and for
 *   nothing else: failures of the application are responses
 * @throws {TypeError} for an application that is no function or an option of the wrong type
 */
export function toLambda(app: Application, options: LambdaOptions = {}): LambdaHandler {
  const prepared = settings(app, options);
  const handler = async (event: unknown, context?: unknown): Promise<unknown> =>
    answer(app, prepared, event, context, sourceOf(event));
  return handler as LambdaHandler;
}

function answer(
  app: Application,
  settings: Settings,
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
    return pageResult(source, event, refuse(error, errors, source.methodOf(event) === 'HEAD'));
  }
  const exchange = new Exchange(environ, { onError: settings.onError });
  const finish = (response: GatewayResponse): unknown | Promise<unknown> => {
    const result = toResult(source, event, response, exchange, environ);
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

async function afterWork(result: unknown, closing: unknown, invocation: Invocation): Promise<unknown> {
  const done = await result;
  await closing;
  await invocation.workDone();
  return done;
}

/**
 * The environ of an invocation.
 *
 * @throws {RequestError} for a request that no application sees
 * @throws {UnsupportedEventError} for an event that cannot be answered
 */
export function makeEnviron(
  source: Source,
  settings: Settings,
  errors: ErrorStream,
  invocation: Invocation,
  event: unknown,
  context: unknown,
): Environ {
  const environ = source.toEnviron(event, settings, errors);
  invocation.attach(environ, event, context);
  addExtra(environ, settings.extra);
  return environ;
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
): unknown | Promise<unknown> {
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
  const failed = (): unknown => pageResult(source, event, plainResponse(500, environ.REQUEST_METHOD === 'HEAD'));
  if (Array.isArray(response.body)) return seal(wholeOf(response.body));
  // A body that fails halfway has been told of; as nothing went out, the client gets a plain 500.
  return collect(response.body, limit).then(seal, failed);
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

function wholeOf(chunks: Uint8Array[]): Uint8Array {
  if (chunks.length === 0) return NO_BYTES;
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return concat(chunks, total);
}

/** All of a body, or null when it is surely longer than the front door takes: then it is not read on. */
async function collect(body: ResponseBody, limit: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for (;;) {
      const next = body.next();
      const chunk = next instanceof Promise ? await next : next;
      if (chunk === null) return concat(chunks, total);
      total += chunk.byteLength;
      if (total > limit) return null;
      // The application may fill its buffer anew once it is asked for more. (BODY-08)
      chunks.push(new Uint8Array(chunk));
    }
  } finally {
    await body.close();
  }
}
