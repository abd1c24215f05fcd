// Makes an application of a Lambda handler, by doing what the event source before it would do. It is the Lambda emulator:
// one faithful event builder for each event source, and the rules by which each reads a result.

import { FLUSH } from '../../core/body.ts';
import { EMPTY } from '../../core/bytes.ts';
import { ClientDisconnectedError, describe, report } from '../../core/errors.ts';
import { isReady } from '../../core/ready.ts';
import { reasonPhrase } from '../../core/status.ts';
import { encode } from '../../core/strings.ts';
import type { Application, ApplicationBody, Environ, HeaderList, StartResponse } from '../../core/types.ts';
import { clientRequest } from './emulator/client-request.ts';
import type { Answer, ClientRequest, Emulator, EmulatorOptions } from './emulator/emulator.ts';
import { MalformedResultError } from './emulator/emulator.ts';
import { isPassedOn, originEnviron } from './emulator/origin.ts';
import { addCookies, addDefaultType, addMap, type JsonObject, objectOf, statusOf } from './emulator/response.ts';
import {
  type AnyHandler,
  call,
  callStreaming,
  type FunctionOptions,
  isStreaming,
  throughJson,
} from './emulator/runtime.ts';
import { DEFAULT_TYPE, StreamReader } from './emulator/stream-reader.ts';
import type { SourceName } from './source.ts';
import { emulatorOf } from './sources/emulators.ts';

/** Options of {@link fromLambda}. */
export interface FromLambdaOptions extends EmulatorOptions, FunctionOptions {
  /** The event source to imitate. */
  source: SourceName;
  /**
   * Whether the handler is a streaming one, `(event, responseStream, context)`.
   *
   * @default whether awslambda.streamifyResponse has marked it
   */
  streaming?: boolean;
}

/**
 * Makes an application of a Lambda handler: `toFetch(fromLambda(handler, { source: 'http-api' }))` calls it as an HTTP API
 * would, with the event that an HTTP API makes of the request, and answers as an HTTP API answers its result. That is also
 * how a handler is tested, and run on `node:http` during development.
 *
 * The handler may be asynchronous, call back, or stream. When it fails, or its result is one that the event source makes no
 * response of, the client gets the event source's own error page, and `wsgi.errors` says why.
 *
 * @param handler the function as Lambda would call it
 * @param options which event source, how it is set up, and what the function's context tells
 * @throws {TypeError} for a handler that is no function, and for an unknown source
 * @example
 * await serve(fromLambda(handler, { source: 'http-api' }));
 */
export function fromLambda(handler: AnyHandler, options: FromLambdaOptions): Application {
  if (typeof handler !== 'function') {
    throw new TypeError(`fromLambda was given ${describe(handler)}; expected a function (event, context).`);
  }
  const emulator = emulatorOf(options?.source);
  return async (environ, startResponse) => {
    const request = await clientRequest(environ);
    const event = throughJson(emulator.toEvent(request, options));
    if (options.streaming ?? isStreaming(handler))
      return new StreamedCall(emulator, request, options, environ).run(handler, event, startResponse);
    let passed: JsonObject | null = null;
    const answer = await answerOf(emulator, request, options, environ, async () => {
      const result = throughJson(await call(handler, event, request.id, options));
      if (options.origin === undefined || options.source !== 'edge' || !isPassedOn(result)) return result;
      passed = result;
      return { status: '200' };
    });
    if (passed !== null && options.origin)
      return options.origin(originEnviron(environ, passed, request), startResponse);
    return send(answer, startResponse);
  };
}

/** The answer to a request, whatever the function does. */
async function answerOf(
  emulator: Emulator,
  request: ClientRequest,
  options: FromLambdaOptions,
  environ: Environ,
  invoke: () => Promise<unknown>,
): Promise<Answer> {
  try {
    const result = await invoke();
    const size = Buffer.byteLength(JSON.stringify(result));
    const limit = emulator.resultLimitBytes(options);
    if (size > limit) {
      throw new MalformedResultError(`The result has ${size} bytes of JSON; ${emulator.name} takes at most ${limit}.`);
    }
    return emulator.toResponse(result, request, options);
  } catch (error) {
    return failed(emulator, environ, error);
  }
}

/**
 * The event source's own error page; why it came to that is for the log.
 *
 * @throws {ClientDisconnectedError} where nobody is left to get it (ERR-05)
 */
function failed(emulator: Emulator, environ: Environ, error: unknown): Answer {
  if (error instanceof ClientDisconnectedError) throw error;
  const text = error instanceof MalformedResultError ? error.message : report(error);
  const { type, text: page } = emulator.failure;
  const status = (error instanceof MalformedResultError ? error.status : undefined) ?? emulator.failure.status;
  environ['wsgi.errors'].write(`${emulator.name} answers ${status}: ${text}\n`);
  return { status, headers: [['content-type', type]], body: encode(page) };
}

function send(answer: Answer, startResponse: StartResponse): ApplicationBody {
  begin(answer.status, answer.reason, answer.headers, startResponse);
  return [answer.body];
}

function begin(status: number, reason: string | undefined, headers: HeaderList, startResponse: StartResponse): void {
  startResponse(`${status} ${reason ?? reasonPhrase(status)}`, headers);
}

/** One call of a streaming handler. */
class StreamedCall {
  readonly #emulator: Emulator;
  readonly #request: ClientRequest;
  readonly #options: FromLambdaOptions;
  readonly #environ: Environ;
  readonly #stream = new StreamReader();

  constructor(emulator: Emulator, request: ClientRequest, options: FromLambdaOptions, environ: Environ) {
    this.#emulator = emulator;
    this.#request = request;
    this.#options = options;
    this.#environ = environ;
  }

  async run(handler: AnyHandler, event: unknown, startResponse: StartResponse): Promise<ApplicationBody> {
    const stream = this.#stream;
    stream.on('error', () => {}); // told by pull()
    // A client that leaves closes the stream under the handler.
    const left = (): void =>
      void stream.destroy(new ClientDisconnectedError('The client left before the stream ended.'));
    this.#environ['waygate.signal'].addEventListener('abort', left, { once: true });
    // A handler that returns early has left the stream open.
    const done = callStreaming(handler, event, stream, this.#request.id, this.#options).then(
      () => {
        if (!stream.writableEnded) stream.destroy(new Error('The handler returned before it ended the stream.'));
      },
      (error) => {
        stream.destroy(error instanceof Error ? error : new Error(describe(error)));
      },
    );
    if (!this.#emulator.streams) return this.#whole(startResponse);
    let first: Buffer | null;
    try {
      first = await this.#head(startResponse);
    } catch (error) {
      stream.destroy();
      return send(failed(this.#emulator, this.#environ, error), startResponse);
    }
    return this.#body(first, done);
  }

  /** An event source that does not stream takes all that was written for the JSON of a result. */
  async #whole(startResponse: StartResponse): Promise<ApplicationBody> {
    const invoke = async (): Promise<unknown> => {
      const chunks: Buffer[] = [];
      for (let chunk = await this.#stream.pull(); chunk !== null; chunk = await this.#stream.pull()) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      try {
        return JSON.parse(text);
      } catch {
        throw new MalformedResultError(`${this.#emulator.name} does not stream, and what was written is not a result.`);
      }
    };
    return send(await answerOf(this.#emulator, this.#request, this.#options, this.#environ, invoke), startResponse);
  }

  /** Reads and sends the head. Returns the first bytes of the body. */
  async #head(startResponse: StartResponse): Promise<Buffer | null> {
    const prelude = await this.#stream.prelude();
    const headers: HeaderList = [];
    if (prelude === null || prelude.metadata === null) {
      if (this.#emulator.name === 'rest-api') {
        throw new MalformedResultError('A REST API streams only what begins with HttpResponseStream.from().');
      }
      begin(200, undefined, [['content-type', this.#stream.contentType]], startResponse);
      return prelude === null ? null : prelude.rest;
    }
    const { statusCode = 200, headers: single, multiValueHeaders, cookies } = objectOf(prelude.metadata);
    addMap(headers, single, 'headers', { scalars: true, lists: false, remaps: true }, true);
    addMap(headers, multiValueHeaders, 'multiValueHeaders', { scalars: true, lists: true, remaps: true }, true);
    addCookies(headers, cookies);
    addDefaultType(headers, DEFAULT_TYPE);
    begin(statusOf(statusCode), undefined, headers, startResponse);
    return prelude.rest;
  }

  async *#body(first: Buffer | null, done: Promise<void>): AsyncGenerator<Uint8Array> {
    const stream = this.#stream;
    let ended = false;
    try {
      let isHeadOut = false;
      for (let pending: Promise<Uint8Array | null> = Promise.resolve(first ?? EMPTY); ; pending = stream.pull()) {
        // Where no chunk follows yet the head goes out alone, as the event source sends it. (D23)
        if (!isHeadOut && !(await isReady(pending, 1, false))) {
          isHeadOut = true;
          yield FLUSH;
        }
        const chunk = await pending;
        if (chunk === null) break;
        if (chunk.byteLength === 0) continue;
        isHeadOut = true;
        yield chunk;
      }
      ended = true;
    } finally {
      if (!ended) stream.destroy();
      this.#environ['waygate.wait_until'](done);
    }
  }
}
