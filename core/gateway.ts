// The gateway: runs an application for one request and hands out its response. The whole state of the request is an
// Exchange; docs/contract.md has its state table. Adapters pull the body and never see what the application did. (SR, CL,
// WRITE, ERR; how a body is read stands in body.ts)

import { BodyReader, closeBody, FLUSH } from './body.ts';
import { checkChunk, checkHeaders, checkStatus } from './check.ts';
import { ClientDisconnectedError, ContractError, isA, RequestError, report, statusOf } from './errors.ts';
import { checkRemaining, FileWrapper } from './file-wrapper.ts';
import { flush, log } from './log.ts';
import { explainFailure } from './mistaken.ts';
import { plainResponse } from './plain-response.ts';
import type { ExchangeOptions, GatewayResponse, Receiver, ResponseBody } from './response.ts';
import { isNullBodyStatus } from './status.ts';
import { isThenable } from './thenable.ts';
import type {
  Application,
  ApplicationBody,
  Environ,
  ErrorStream,
  HeaderList,
  ReadonlyHeaderList,
  StartResponse,
  Write,
} from './types.ts';
import { LOST, lost, WriteQueue } from './write-queue.ts';

const NO_OPTIONS: ExchangeOptions = {};
const TAKEN: Promise<void> = Promise.resolve();

/**
 * Runs an application for one request.
 *
 * @param app the application
 * @param environ the request; the gateway reads what it needs before the application is called (ENV-02)
 * @returns the response: a promise only if the application or the first step of its body is asynchronous. Failures of the
 *   application are responses too, so it neither throws nor rejects.
 * @example
 * const { status, body } = await run(app, setupTestingDefaults({ PATH_INFO: '/notes' }));
 */
export function run(
  app: Application,
  environ: Environ,
  options: ExchangeOptions = NO_OPTIONS,
): GatewayResponse | Promise<GatewayResponse> {
  return new Exchange(environ, options).run(app);
}

/** What {@link Exchange.run} returns, from what a receiver gets. */
class Returned implements Receiver {
  /** The response, where it is there already. */
  response: GatewayResponse | null = null;
  #resolve: ((response: GatewayResponse) => void) | null = null;

  answer(response: GatewayResponse): void {
    this.response = response;
    this.#resolve?.(response);
  }

  later(): Promise<GatewayResponse> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}

/** A class, and no literal, for the reason that `createEnviron` has. */
class Answer implements GatewayResponse {
  readonly status: string;
  readonly statusCode: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array[] | ResponseBody;
  readonly passthrough: object | undefined = undefined;

  constructor(status: string, statusCode: number, headers: HeaderList, body: Uint8Array[] | ResponseBody) {
    this.status = status;
    this.statusCode = statusCode;
    this.reason = status.slice(4);
    this.headers = headers;
    this.body = body;
  }
}

/** One request in progress. `close()` may come at any moment; what comes after it changes nothing any more. */
export class Exchange implements ResponseBody {
  readonly #environ: Environ;
  readonly #errors: ErrorStream;
  readonly #options: ExchangeOptions;
  readonly #head: boolean;

  /** Whether startResponse was called, rightly or not. */
  #called = false;
  /** The stored status and its code; the code is 0 while there is none that holds. */
  #status = '';
  #code = 0;
  #headers: HeaderList = [];
  /** Bytes that the declared Content-Length still wants; -1 when none is declared. */
  #bytesLeft = -1;
  /** The body was told to be longer than that. */
  #isTooLong = false;
  /** The response, once its head can no longer change. */
  #response: GatewayResponse | null = null;
  /** Who is to have the response, until it has. */
  #receiver: Receiver | null = null;

  /** The application has returned or failed. */
  #returned = false;
  /** Settles when the application has, if it is asynchronous. */
  #running: Promise<void> | null = null;
  #body: ApplicationBody | null = null;
  #reader: BodyReader | null = null;
  #writes: WriteQueue | null = null;
  /** The chunk that committed the head, until it is asked for. */
  #first: Uint8Array | null = null;
  /** No more chunks of the body go out. */
  #ended = false;
  #failed = false;
  #failure: unknown;
  /** An error came too late for a head of its own: no more may go out, whether the application lets it pass or not. */
  #hasLateError = false;

  /** The failure that was reported last. */
  #told: unknown;

  #done = false;
  /** Closed before its end: the client left, and what the application still does is nobody's fault. (ERR-05) */
  #clientLeft = false;
  #closing: void | Promise<void> = undefined;

  stream: ReadableStream<Uint8Array> | null = null;
  wantsHead = false;

  readonly #startResponse: StartResponse = (status, headers, error) => this.#start(status, headers, error);

  constructor(environ: Environ, options: ExchangeOptions = NO_OPTIONS) {
    this.#environ = environ;
    this.#errors = environ['wsgi.errors'];
    this.#head = environ.REQUEST_METHOD === 'HEAD';
    this.#options = options;
  }

  // The story of a request: the application runs, returns its body, and the first chunk decides the head.

  /** As {@link Exchange.runTo}, with the response as its result: a promise only if it has to be awaited. */
  run(app: Application): GatewayResponse | Promise<GatewayResponse> {
    const returned = new Returned();
    this.runTo(app, returned);
    return returned.response ?? returned.later();
  }

  /**
   * Calls the application and finds its response. Call it, or `run`, once. (CALL-04)
   *
   * @param receiver given the response: before this returns where nothing has to be awaited, else later
   */
  runTo(app: Application, receiver: Receiver): void {
    let result: ApplicationBody | Promise<ApplicationBody>;
    let response: GatewayResponse | Promise<GatewayResponse>;
    this.#receiver = receiver;
    try {
      result = app(this.#environ, this.#startResponse);
      if (isThenable(result)) {
        this.#await(result);
        return;
      }
      response = this.#accept(result);
    } catch (error) {
      response = this.#fail(error);
    }
    this.#give(response);
  }

  #await(result: Promise<ApplicationBody>): void {
    // A thenable of another make may answer at once, twice, or with one more: a promise of it does not. (BODY-01)
    const pending = Promise.resolve(result);
    this.#running = pending.then(
      (body) => this.#give(this.#accept(body)),
      (error) => this.#give(this.#fail(error)),
    );
    // An application that wrote before its first await has committed the head already.
    if (this.#response !== null) this.#give(this.#response);
  }

  /** Gives the response to who waits for it, which happens once. */
  #give(response: GatewayResponse | Promise<GatewayResponse>): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    this.#receiver = null;
    if (response instanceof Promise) response.then((each) => receiver.answer(each));
    else receiver.answer(response);
  }

  /** The same, once the application has come to rest: it is in the middle of a call of the gateway's. */
  #giveSoon(response: GatewayResponse): void {
    const receiver = this.#receiver;
    // It has not returned yet, and may not be asynchronous: who called it gives the response.
    if (receiver === null || this.#running === null) return;
    this.#receiver = null;
    Promise.resolve(response).then((each) => receiver.answer(each));
  }

  #accept(body: ApplicationBody): GatewayResponse | Promise<GatewayResponse> {
    this.#returned = true;
    this.#body = body;
    this.#writes?.close();
    try {
      if (this.#done) return this.#tooLate(body);
      const passthrough = this.#called ? null : this.#options.passthrough?.(body, this.#startResponse);
      if (passthrough) return this.#handOver(passthrough);
      if (Array.isArray(body) && this.#response === null) {
        const whole = this.#acceptArray(body);
        if (whole !== null) return whole;
      }
      if (this.#options.takesStreams === true && this.#passes(body)) return this.#commit(null);
      this.#reader = new BodyReader(body);
      if (this.#response !== null) return this.#response;
      const remaining = this.#code !== 0 && this.#bytesLeft < 0 ? FileWrapper.remaining(body) : undefined;
      if (!isThenable(remaining)) return this.#begin(remaining);
      return Promise.resolve(remaining)
        .then((length) => this.#begin(length))
        .catch((error) => this.#fail(error));
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** The platform's own app answers: this exchange is over before it began. */
  #handOver(passthrough: object): GatewayResponse {
    this.#done = true;
    return { status: '', statusCode: 0, reason: '', headers: [], body: [], passthrough };
  }

  #begin(remaining: number | undefined): GatewayResponse | Promise<GatewayResponse> {
    if (remaining !== undefined) this.#declare(checkRemaining(remaining));
    const first = this.#pull();
    if (!isThenable(first)) return this.#commit(first);
    return first
      .then((chunk) => (this.#clientLeft ? this.#nobody() : this.#commit(chunk)))
      .catch((error) => this.#fail(error));
  }

  /**
   * A body in memory: all of it is checked before anything goes out, and its length is known. (CL-04)
   *
   * @returns the response, or null where something is left to do after the head: close, cut, break off, or drop
   */
  #acceptArray(chunks: Uint8Array[]): GatewayResponse | null {
    let total = 0;
    for (let index = 0; index < chunks.length; index++) {
      const chunk: unknown = chunks[index];
      checkChunk(chunk, `Chunk ${index} of the body`);
      total += chunk.byteLength;
    }
    if (this.#code === 0) throw this.#neverStarted();
    if (isNullBodyStatus(this.#code)) return null;
    if (this.#bytesLeft < 0) this.#declare(total);
    else if (this.#bytesLeft !== total) {
      // Where a chunk ends at the declared length nobody looks further; but of an array it is known what follows.
      if (total > this.#bytesLeft && !this.#head) this.#tellTooLong();
      return null;
    }
    if (typeof (chunks as ApplicationBody).close === 'function') return null;
    this.#done = true;
    this.#closing = flush(this.#errors);
    return this.#makeResponse(this.#head ? [] : chunks);
  }

  /** Whether the body is a native stream that the platform may have untouched. */
  #passes(body: ApplicationBody): boolean {
    if (!(body instanceof ReadableStream) || body.locked || typeof (body as ApplicationBody).close === 'function')
      return false;
    if (this.#code === 0 || this.#response !== null || this.#bytesLeft >= 0 || this.#head) return false;
    if (isNullBodyStatus(this.#code)) return false;
    this.stream = body;
    return true;
  }

  /** The head can no longer change: status and headers become the response. (SR-09) */
  #commit(chunk: Uint8Array | null): GatewayResponse {
    if (this.#response !== null) return this.#response;
    this.wantsHead = chunk === FLUSH;
    const first = this.wantsHead ? null : chunk;
    if (this.#code === 0) throw this.#neverStarted();
    if (isNullBodyStatus(this.#code)) this.#dropBody(first);
    else if (this.#head) this.#ended = true;
    else if (this.#bytesLeft < 0 && this.#reader?.exhausted && first === null) this.#declare(0);
    this.#first = this.#ended ? null : first;
    return this.#makeResponse(this);
  }

  #makeResponse(body: Uint8Array[] | ResponseBody): GatewayResponse {
    const status = this.#status;
    this.#response = new Answer(status, this.#code, this.#headers, body);
    return this.#response;
  }

  /** A status without content: no bytes, and of the length only what the status allows. (HTTP-06) */
  #dropBody(first: Uint8Array | null): void {
    const code = this.#code;
    this.#ended = true;
    if (first !== null) log(this.#errors, `A ${code} response has no content: the bytes of its body were dropped.`);
    if (code === 304) return;
    this.#headers = this.#headers.filter(([name]) => name.toLowerCase() !== 'content-length');
    if (code === 205) this.#headers.push(['Content-Length', '0']);
  }

  /** Adds the length that the gateway found out. An application may leave the body out for HEAD: 0 would be a guess. */
  #declare(length: number): void {
    if (isNullBodyStatus(this.#code) || (this.#head && length === 0)) return;
    this.#headers.push(['Content-Length', String(length)]);
    this.#bytesLeft = length;
  }

  // What the application calls.

  #start(status: string, headers: ReadonlyHeaderList, error?: unknown): Write {
    if (error !== undefined) {
      // Too late to replace the head: the application gets its own error back. (SR-11)
      if (this.#response !== null || this.#done) {
        this.#hasLateError = true;
        this.#failure = error;
        throw error;
      }
    } else if (this.#done && !this.#clientLeft) {
      throw new ContractError('SR-16', 'startResponse was called after the response was finished.');
    } else if (this.#called) {
      throw new ContractError(
        'SR-13',
        'startResponse was called a second time; only an error handler may, with its error as third argument.',
      );
    }
    this.#called = true;
    this.#code = 0;
    checkStatus(status);
    const checked = checkHeaders(headers);
    this.#headers = checked.headers;
    this.#bytesLeft = checked.length;
    this.#status = status;
    this.#code = Number(status.slice(0, 3));
    return (chunk) => this.#write(chunk);
  }

  #write(chunk: Uint8Array): Promise<void> {
    if (this.#clientLeft) return lost();
    // A response without content may be over while the application still writes it: that is dropped as it was before.
    if (this.#done && (this.#returned || !this.#ended))
      throw new ContractError('SR-16', 'write was called after the response was finished.');
    if (this.#returned) {
      throw new ContractError(
        'WRITE-03',
        'write was called after the application returned its body; yield the chunk instead.',
      );
    }
    checkChunk(chunk, 'The argument of write');
    if (chunk.byteLength === 0) return TAKEN;
    if (this.#hasLateError) throw this.#failure;
    if (this.#response === null) {
      const response = this.#commit(null);
      this.#writes = new WriteQueue();
      this.#giveSoon(response);
    }
    if (this.#ended) return TAKEN;
    const allowed = this.#count(chunk);
    const taken = allowed.byteLength === 0 ? TAKEN : (this.#writes as WriteQueue).push(allowed);
    if (allowed.byteLength < chunk.byteLength) throw this.#tooLong();
    return taken;
  }

  // The body, as the adapter pulls it.

  next(): Uint8Array | null | Promise<Uint8Array | null> {
    const first = this.#first;
    if (first !== null) {
      this.#first = null;
      return this.#send(first);
    }
    if (this.#writes !== null) return this.#nextWrite(this.#writes);
    if (this.#failed) throw this.#failure;
    if (this.#ended || this.#done || this.#bytesLeft === 0) return null;
    try {
      const chunk = this.#pull();
      if (!isThenable(chunk)) return this.#deliver(chunk);
      return chunk.then((each) => this.#deliver(each)).catch((error) => this.#abort(error));
    } catch (error) {
      return this.#abort(error);
    }
  }

  /** What was written goes out before the body. (WRITE-03) */
  async #nextWrite(writes: WriteQueue): Promise<Uint8Array | null> {
    const chunk = await writes.next();
    if (chunk !== null) return chunk;
    this.#writes = null;
    return this.next();
  }

  /** The next chunk with bytes in it or that asks for the head, or null at the end. (BODY-07) */
  #pull(): Uint8Array | null | Promise<Uint8Array | null> {
    const reader = this.#reader as BodyReader;
    for (;;) {
      const chunk = reader.pull();
      if (isThenable(chunk)) return this.#pullOn(reader, chunk);
      if (chunk === null || this.#hasBytes(chunk)) return chunk;
    }
  }

  async #pullOn(reader: BodyReader, pending: Promise<Uint8Array | null>): Promise<Uint8Array | null> {
    for (let chunk = await pending; ; chunk = await reader.pull()) {
      if (chunk === null || this.#done || this.#hasBytes(chunk)) return chunk;
    }
  }

  #hasBytes(chunk: Uint8Array): boolean {
    if (chunk.byteLength === 0 && (chunk !== FLUSH || this.#response !== null)) return false;
    if (this.#code === 0) throw this.#neverStarted();
    return true;
  }

  #deliver(chunk: Uint8Array | null): Uint8Array | null {
    if (this.#done) return null;
    if (this.#hasLateError) throw this.#failure;
    if (chunk !== null) return this.#send(chunk);
    this.#ended = true;
    if (this.#bytesLeft > 0) {
      throw new ContractError(
        'CL-02',
        `The body ended ${this.#bytesLeft} bytes short of the Content-Length it declared.`,
      );
    }
    return null;
  }

  /** A chunk of the body, cut to the declared length. (CL-01) */
  #send(chunk: Uint8Array): Uint8Array | null {
    const allowed = this.#count(chunk);
    if (allowed.byteLength < chunk.byteLength) {
      this.#ended = true;
      this.#tellTooLong();
    }
    return allowed.byteLength === 0 ? null : allowed;
  }

  #count(chunk: Uint8Array): Uint8Array {
    if (this.#bytesLeft < 0) return chunk;
    const allowed = chunk.byteLength > this.#bytesLeft ? chunk.subarray(0, this.#bytesLeft) : chunk;
    this.#bytesLeft -= allowed.byteLength;
    return allowed;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const over: IteratorReturnResult<undefined> = { done: true, value: undefined };
    const close = async (): Promise<IteratorReturnResult<undefined>> => {
      await this.close();
      return over;
    };
    return {
      next: async () => {
        let value: Uint8Array | null;
        try {
          value = await this.next();
        } catch (error) {
          // A loop that is left by an error of the iteration does not call return().
          await this.close();
          throw error;
        }
        return value === null ? close() : { done: false, value };
      },
      return: close,
    };
  }

  // The end, and everything that goes wrong.

  close(): void | Promise<void> {
    if (this.#done) return this.#closing;
    this.#done = true;
    this.#clientLeft = !this.#ended && !this.#failed && this.#bytesLeft !== 0 && this.stream === null;
    this.#closing = this.#release();
    if (!this.#returned && this.#running !== null)
      this.#options.context?.waitUntil(this.#running.then(() => this.#closing));
    if (this.#response === null) this.#giveSoon(this.#nobody());
    this.#writes?.lose(new ClientDisconnectedError(LOST));
    return this.#closing;
  }

  #release(): void | Promise<void> {
    const reportError = (error: unknown): void => this.reportError(error);
    const closed =
      this.#reader !== null
        ? this.#reader.release(reportError, this.#options.context)
        : closeBody(this.#body, reportError);
    return isThenable(closed) ? closed.then(() => flush(this.#errors)) : flush(this.#errors);
  }

  /** The client left while the application was working: its body is closed without being read. (ERR-05) */
  #tooLate(body: ApplicationBody): GatewayResponse {
    if (typeof body?.close !== 'function') this.#reader = new BodyReader(body);
    this.#closing = this.#release();
    return this.#nobody();
  }

  /** The response to a client that has left: what the application would answer by now is not looked at. (ERR-05) */
  #nobody(): GatewayResponse {
    return this.#response ?? plainResponse(499, this.#head);
  }

  /** A failure of the application: a plain answer while the head is not out, a broken connection after. (ERR-02 … 04) */
  #fail(error: unknown): GatewayResponse {
    this.#returned = true;
    this.reportError(this.#called ? error : explainFailure(error, this.#startResponse));
    if (this.#response !== null) {
      this.#failed = true;
      this.#failure = error;
      this.#writes?.close();
      return this.#response;
    }
    const page = plainResponse(statusOf(error), this.#head);
    const response = this.#options.onFailure === undefined ? page : { ...page, failure: { error } };
    this.#ended = true;
    if (this.#body === null) {
      this.#done = true;
      this.#closing = flush(this.#errors);
      this.#response = response;
      return response;
    }
    // The page goes out first, then the body it stands in for is closed.
    this.#status = response.status;
    this.#code = response.statusCode;
    this.#headers = response.headers;
    this.#bytesLeft = -1;
    this.#first = (response.body as Uint8Array[])[0] ?? null;
    const made = this.#makeResponse(this);
    return response === page ? made : { ...made, failure: { error } };
  }

  /** After the head: tells, and makes the adapter break the connection. */
  #abort(error: unknown): never {
    this.#failed = true;
    this.#failure = error;
    this.#ended = true;
    this.reportError(error);
    throw error;
  }

  /** Reports a failure of the application. What a client did wrong, or that it left, is no such thing. (ERR-05) */
  reportError(error: unknown): void {
    if (isA(error, ClientDisconnectedError)) return;
    // A stream that fails gives the same error to whoever reads it and to whoever cancels it. (ERR-02)
    if (typeof error === 'object' && error !== null && error === this.#told) return;
    this.#told = error;
    if (this.#done && isAbort(error)) return;
    const { onFailure } = this.#options;
    if (onFailure !== undefined) {
      onFailure(error);
      return;
    }
    if (isA(error, RequestError)) {
      log(this.#errors, `${error.name}: ${error.message}`);
      return;
    }
    log(this.#errors, report(error));
    const fail = (second: unknown): void => log(this.#errors, report(second));
    try {
      const told: unknown = this.#options.onError?.(error, this.#environ);
      if (isThenable(told)) Promise.resolve(told).catch(fail);
    } catch (second) {
      fail(second);
    }
  }

  #neverStarted(): ContractError {
    return this.#called
      ? new ContractError('SR-13', 'The application went on after startResponse had refused its arguments.')
      : new ContractError('SR-15', 'The application gave a body without calling startResponse before its first chunk.');
  }

  /** Once for a body, since an array tells ahead. */
  #tellTooLong(): void {
    if (!this.#isTooLong) this.reportError(this.#tooLong());
    this.#isTooLong = true;
  }

  #tooLong(): ContractError {
    return new ContractError('CL-01', 'The body is longer than the Content-Length it declared; the rest was cut off.');
  }
}

/** Whether a value is what `fetch` and its kind throw once their signal has aborted. Never throws. */
function isAbort(thrown: unknown): boolean {
  try {
    return thrown instanceof Error && thrown.name === 'AbortError';
  } catch {
    return false;
  }
}
