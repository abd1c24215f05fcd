// Serves an application as a Lambda function that streams its response.

import { type Settings, settings } from '../../core/environ.ts';
import { describe } from '../../core/errors.ts';
import { Exchange } from '../../core/gateway.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { GatewayResponse, ResponseBody } from '../../core/response.ts';
import type { Application, Environ } from '../../core/types.ts';
import { describeEvent, UnsupportedEventError } from './errors.ts';
import { Invocation } from './invocation.ts';
import { excess, headTooLarge } from './limits.ts';
import type { Prelude, Source } from './source.ts';
import { sourceOf } from './sources/index.ts';
import {
  beginStream,
  DELIMITER_BYTES,
  PRELUDE_LIMIT_BYTES,
  type ResponseStream,
  runtime,
  type StreamHandler,
} from './streaming.ts';
import { type LambdaOptions, makeEnviron } from './to-lambda.ts';

type StreamingSource = Source & Required<Pick<Source, 'toPrelude'>>;

const HEAD_LIMIT_BYTES = PRELUDE_LIMIT_BYTES - DELIMITER_BYTES;

/**
 * Serves an application as a Lambda function that streams its response: behind a function URL with invoke mode
 * `RESPONSE_STREAM`, or a REST API whose integration has the response transfer mode `STREAM`.
 *
 * @param app the application
 * @param options see {@link LambdaOptions}
 * @returns the handler, marked as Lambda's runtime wants it by `awslambda.streamifyResponse`. Off AWS it can be called as
 *   `handler(event, responseStream, context)` with any `Writable`. It rejects for an event that is no HTTP request or
 *   whose front door does not stream, and for a response that broke off
 * @throws {TypeError} for an application that is no function or an option of the wrong type
 */
export function toLambdaStream(app: Application, options: LambdaOptions = {}): StreamHandler {
  const prepared = settings(app, options);
  return runtime().streamifyResponse(async (event: unknown, stream: ResponseStream, context?: unknown) => {
    if (typeof stream?.write !== 'function') {
      throw new TypeError(
        `The second argument of a handler of toLambdaStream is ${describe(stream)}; expected a stream. In a test call ` +
          'handler(event, new PassThrough(), context), or go through fromLambda(handler, { source }).',
      );
    }
    const source = sourceOf(event);
    if (source.toPrelude === undefined) {
      throw new UnsupportedEventError(
        `${describeEvent(event)}: a request from ${source.name}, which does not stream (toLambda serves it)`,
        'function URLs and REST APIs',
      );
    }
    await answer(app, prepared, event, stream, context, source as StreamingSource);
  });
}

async function answer(
  app: Application,
  settings: Settings,
  event: unknown,
  stream: ResponseStream,
  context: unknown,
  source: StreamingSource,
): Promise<void> {
  const errors = settings.errors();
  const invocation = new Invocation(errors);
  let environ: Environ;
  try {
    environ = makeEnviron(source, settings, errors, invocation, event, context);
  } catch (error) {
    if (error instanceof UnsupportedEventError) throw error;
    const page = refuse(error, errors, source.methodOf(event) === 'HEAD');
    return send(source.toPrelude(page), page.body, new Client(stream));
  }
  const exchange = new Exchange(environ, { onError: settings.onError });
  const client = new Client(stream, () => {
    invocation.abort();
    exchange.close();
  });
  try {
    let response = await exchange.run(app);
    let prelude = source.toPrelude(response);
    const size = excess(prelude, HEAD_LIMIT_BYTES, response.headers, 0);
    if (size > 0) {
      exchange.tell(headTooLarge(size, HEAD_LIMIT_BYTES));
      response = plainResponse(500, environ.REQUEST_METHOD === 'HEAD');
      prelude = source.toPrelude(response);
    }
    await send(prelude, response.body, client);
  } finally {
    await exchange.close();
    await invocation.workDone();
  }
}

/** Sends a response; returns when the client has all of it, or is gone. */
async function send(prelude: Prelude, body: GatewayResponse['body'], client: Client): Promise<void> {
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

async function sendBody(body: ResponseBody, client: Client): Promise<void> {
  while (!client.gone) {
    const next = body.next();
    const chunk = next instanceof Promise ? await next : next;
    if (chunk === null) return;
    await client.write(chunk);
  }
}

/** The client's end of the stream. */
class Client {
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

  /** The body failed: the stream ends without an end. */
  breakOff(error: unknown): void {
    this.#failed = true;
    this.#stream.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  #event(): Promise<void> {
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }
}
