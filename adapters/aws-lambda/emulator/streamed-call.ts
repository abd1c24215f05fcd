// One call of a handler that streams: what it writes goes out as it comes, where the event source streams.

import { FLUSH } from '../../../core/body.ts';
import { EMPTY } from '../../../core/bytes.ts';
import { ClientDisconnectedError, describe } from '../../../core/errors.ts';
import { isReady } from '../../../core/ready.ts';
import type { ApplicationBody, Environ, HeaderList, StartResponse } from '../../../core/types.ts';
import { answerOf, begin, failed, send } from './answer.ts';
import { type ClientRequest, type Emulator, MalformedResultError } from './emulator.ts';
import type { FromLambdaOptions } from './options.ts';
import { addCookies, addDefaultType, addMap, objectOf, statusOf } from './response.ts';
import { type AnyHandler, callStreaming } from './runtime.ts';
import { DEFAULT_TYPE, StreamReader } from './stream-reader.ts';

/** One call of a streaming handler. */
export class StreamedCall {
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

  /** Calls the handler, and sends what it writes. */
  async run(handler: AnyHandler, event: unknown, startResponse: StartResponse): Promise<ApplicationBody> {
    const stream = this.#stream;
    stream.on('error', () => {}); // reported by pull()
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
