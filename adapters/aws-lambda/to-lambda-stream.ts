// Serves an application as a Lambda function that streams its response.

import { Exchange } from '../../core/gateway.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { GatewayResponse, ResponseBody } from '../../core/response.ts';
import type { Application, Environ } from '../../core/types.ts';
import { describeEvent, FailedResponseError, UnsupportedEventError } from './event/errors.ts';
import { headTooLarge, oversizeBytes } from './event/limits.ts';
import { Invocation } from './invocation.ts';
import { type LambdaOptions, type LambdaSettings, lambdaSettings } from './options.ts';
import type { Prelude, Source } from './source.ts';
import { findSource } from './sources/index.ts';
import {
  beginStream,
  DELIMITER_BYTES,
  isRuntimeStream,
  PRELUDE_LIMIT_BYTES,
  type ResponseStream,
  type StreamHandler,
  streamify,
  trailerError,
} from './streaming.ts';
import { answerEvent, answerWhole, makeEnviron } from './to-lambda.ts';

type StreamingSource = Source & Required<Pick<Source, 'toPrelude'>>;

const HEAD_LIMIT_BYTES = PRELUDE_LIMIT_BYTES - DELIMITER_BYTES;

/**
 * Serves an application as a Lambda function that streams its response: behind a function URL with invoke mode
 * `RESPONSE_STREAM`, or a REST API whose integration has the response transfer mode `STREAM`.
 *
 * @param app the application
 * @param options see {@link LambdaOptions}
 * @returns the handler, marked as Lambda's runtime wants it by `awslambda.streamifyResponse`. Off AWS it can be called as
 *   `handler(event, responseStream, context)` with any `Writable`; called without a stream, as `handler(event, context)`, it
 *   answers in one piece, as that of `toLambda` does. It rejects for an event that is no HTTP request unless the option
 *   `events` takes it, for one whose event source does not stream, for a status among `errorStatuses`, and for a response that
 *   broke off
 * @throws {TypeError} for an application that is no function or an option of the wrong type
 * @example export const handler = toLambdaStream(app);
 */
export function toLambdaStream(app: Application, options: LambdaOptions = {}): StreamHandler {
  const prepared = lambdaSettings(app, options);
  return streamify(async (event: unknown, second: unknown, third?: unknown) => {
    const stream = second as ResponseStream | null | undefined;
    if (typeof stream?.write !== 'function') return answerWhole(app, prepared, event, third ?? second);
    letGo(third);
    try {
      return await serve(app, prepared, event, stream, third);
    } catch (error) {
      throw isRuntimeStream(stream) ? trailerError(error) : error;
    }
  });
}

/** Has the runtimes up to Node 22 go on when the handler has: they would wait for every open timer, pool and socket. */
function letGo(context: unknown): void {
  if (typeof context !== 'object' || context === null || !('callbackWaitsForEmptyEventLoop' in context)) return;
  Reflect.set(context, 'callbackWaitsForEmptyEventLoop', false);
}

async function serve(
  app: Application,
  settings: LambdaSettings,
  event: unknown,
  stream: ResponseStream,
  context: unknown,
): Promise<void> {
  const source = findSource(event);
  if (source === null) return sendJson(await answerEvent(app, settings, event, context), stream);
  if (source.toPrelude === undefined) {
    throw new UnsupportedEventError(
      `${describeEvent(event)}: a request from ${source.name}, which does not stream (toLambda serves it)`,
      'function URLs and REST APIs',
    );
  }
  await answer(app, settings, event, stream, context, source as StreamingSource);
}

/** The result for an event that is no HTTP request: where nothing reads a stream, it is what was written. */
async function sendJson(result: unknown, stream: ResponseStream): Promise<void> {
  const client = new ResponseWriter(stream);
  stream.setContentType?.('application/json');
  await client.write(Buffer.from(JSON.stringify(result ?? null)));
  await client.end();
}

async function answer(
  app: Application,
  settings: LambdaSettings,
  event: unknown,
  stream: ResponseStream,
  context: unknown,
  source: StreamingSource,
): Promise<void> {
  const errors = settings.errors();
  const invocation = new Invocation(errors, event, context);
  let environ: Environ;
  try {
    environ = makeEnviron(source, settings, invocation);
  } catch (error) {
    if (error instanceof UnsupportedEventError) throw error;
    const page = refuse(error, errors, source.methodOf(event) === 'HEAD');
    if (settings.fails?.(page.statusCode)) throw error;
    return send(source.toPrelude(page), page.body, new ResponseWriter(stream));
  }
  const exchange = new Exchange(environ, settings.exchange);
  const client = new ResponseWriter(stream, () => {
    invocation.abort();
    exchange.close();
  });
  try {
    let response = await exchange.run(app);
    let prelude = source.toPrelude(response);
    const size = oversizeBytes(prelude, HEAD_LIMIT_BYTES, response.headers, 0);
    if (size > 0) {
      exchange.reportError(headTooLarge(size, HEAD_LIMIT_BYTES));
      response = plainResponse(500, environ.REQUEST_METHOD === 'HEAD');
      prelude = source.toPrelude(response);
    }
    if (settings.fails?.(response.statusCode)) throw new FailedResponseError(response.statusCode, environ);
    await send(prelude, response.body, client);
  } finally {
    await exchange.close();
    await invocation.workDone();
  }
}

/** Sends a response; returns when the client has all of it, or is gone. */
async function send(prelude: Prelude, body: GatewayResponse['body'], client: ResponseWriter): Promise<void> {
  if (client.gone) return;
  client.begin(prelude);
  try {
    if (Array.isArray(body)) for (const chunk of body) await client.write(chunk);
    else await sendBody(body, client);
  } catch (error) {
    // What went out cannot be taken back: the client must see that the rest is missing. (ERR-04)
    client.breakOff(error);
    throw error;
  }
  await client.end();
}

async function sendBody(body: ResponseBody, client: ResponseWriter): Promise<void> {
  while (!client.gone) {
    const next = body.next();
    const chunk = next instanceof Promise ? await next : next;
    if (chunk === null) return;
    await client.write(chunk);
  }
}

/** The client's end of the stream. */
class ResponseWriter {
  #stream: ResponseStream;
  /** The stream closed before the response was finished. */
  gone = false;
  #full = false;
  #finished = false;
  #failed = false;
  readonly #left: () => void;
  /** Wakes whoever waits for the stream. */
  #wake: () => void = () => {};

  constructor(stream: ResponseStream, left: () => void = () => {}) {
    this.#stream = stream;
    this.#left = left;
    stream.on('drain', () => {
      this.#full = false;
      this.#wake();
    });
    stream.on('finish', () => {
      this.#finished = true;
      this.#wake();
    });
    stream.on('close', this.#over);
    stream.on('error', this.#over);
    if (stream.destroyed) this.#over();
  }

  #over = (): void => {
    if (!this.gone && !this.#failed && !this.#finished) {
      this.gone = true;
      this.#left();
    }
    this.#wake();
  };

  begin(prelude: Prelude): void {
    this.#stream = beginStream(this.#stream, prelude);
    // The runtime sends the prelude with the first write, and with no end: without this an empty body is no response.
    this.#stream.write('');
  }

  /** Resolves when the stream has room for more, or the client is gone. (BODY-02) */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.gone || chunk.byteLength === 0) return;
    // A Buffer: the runtime makes JSON of every other byte array but its own Uint8Array. A copy: the stream may still hold
    // it when the application fills its own anew. (BODY-08)
    this.#full = !this.#stream.write(Buffer.from(chunk));
    while (this.#full && !this.gone) await this.#event();
  }

  /** Resolves when everything is on its way: Lambda ends the invocation when the handler returns. */
  async end(): Promise<void> {
    if (this.gone) return;
    this.#stream.end();
    while (!this.#finished && !this.gone) await this.#event();
  }

  /** The body failed: the stream ends without an end. The runtime ends its own when the handler rejects. */
  breakOff(error: unknown): void {
    this.#failed = true;
    if (!isRuntimeStream(this.#stream)) this.#stream.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  #event(): Promise<void> {
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }
}
