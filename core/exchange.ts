// One request. The application runs, startResponse stores a head, the first chunk commits it, the body follows, and the end
// closes it. The phases are named after the state table in docs/contract.md. Adapters pull the body and never see what the
// application did. (SR, CL, WRITE, ERR; outgoing.ts has the response on its way, head.ts the head, body.ts reads the body)

import { BodyReader, closeBody } from './body.ts';
import { checkChunk } from './check.ts';
import { ClientDisconnectedError, ContractError, statusOf } from './errors.ts';
import { checkRemaining, FileWrapper } from './file-wrapper.ts';
import { checkHead, Head, tooLong } from './head.ts';
import { explainFailure } from './mistaken.ts';
import { Outgoing } from './outgoing.ts';
import { plainResponse } from './plain-response.ts';
import { Returned } from './receive.ts';
import { Reporter } from './reporter.ts';
import type { Answer, ExchangeOptions, GatewayResponse, Passthrough, Receiver } from './response.ts';
import { isNullBodyStatus } from './status.ts';
import { isThenable } from './thenable.ts';
import type { Application, ApplicationBody, Environ, ReadonlyHeaderList, StartResponse, Write } from './types.ts';
import { LOST, lost, WriteQueue, writtenLate } from './write-queue.ts';

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
export function run<Call = never>(
  app: Application,
  environ: Environ,
  options?: ExchangeOptions<Call>,
): Answer<Call> | Promise<Answer<Call>> {
  return new Exchange(environ, options).run(app);
}

/**
 * One request in progress. `close()` may come at any moment; what comes after it changes nothing any more.
 *
 * @typeParam Call what the option `passthrough` finds
 */
export class Exchange<Call = never> extends Outgoing<Call> {
  readonly #method: string;
  /** Who is to have the answer, until it has. */
  #receiver: Receiver<Call> | null = null;
  /** Settles when an asynchronous application has returned or failed. */
  #running: Promise<void> | null = null;
  #hasReturned = false;
  #body: ApplicationBody | null = null;
  #closing: void | Promise<void> = undefined;

  readonly #startResponse: StartResponse = (status, headers, error) => this.#start(status, headers, error);

  constructor(environ: Environ, options: ExchangeOptions<Call> = NO_OPTIONS as ExchangeOptions<Call>) {
    super(new Reporter(environ, options));
    this.#method = environ.REQUEST_METHOD;
  }

  // First: the application runs, and returns its body.

  /** As {@link Exchange.runTo}, with the answer as its result: a promise only if it has to be awaited. */
  run(app: Application): Answer<Call> | Promise<Answer<Call>> {
    const returned = new Returned<Call>();
    this.runTo(app, returned);
    return returned.answered ?? returned.later();
  }

  /**
   * Calls the application and finds its response. Call it, or `run`, once. (CALL-04)
   *
   * @param receiver given the answer: before this returns where nothing has to be awaited, else later
   */
  runTo(app: Application, receiver: Receiver<Call>): void {
    let result: ApplicationBody | Promise<ApplicationBody>;
    let answer: Answer<Call> | Promise<Answer<Call>>;
    this.#receiver = receiver;
    try {
      result = app(this.reporter.environ, this.#startResponse);
      if (isThenable(result)) {
        this.#await(result);
        return;
      }
      answer = this.#accept(result);
    } catch (error) {
      answer = this.#fail(error);
    }
    this.#give(answer);
  }

  #await(result: Promise<ApplicationBody>): void {
    // A thenable of another make may answer at once, twice, or with one more: a promise of it does not. (BODY-01)
    const pending = Promise.resolve(result);
    this.#running = pending.then(
      (body) => this.#give(this.#accept(body)),
      (error) => this.#give(this.#fail(error)),
    );
    // An application that wrote before its first await has committed the head already.
    if (this.response !== null) this.#give(this.response);
  }

  /** Gives the answer to who waits for it, which happens once. */
  #give(answer: Answer<Call> | Promise<Answer<Call>>): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    this.#receiver = null;
    if (answer instanceof Promise) answer.then((each) => receiver.answer(each));
    else receiver.answer(answer);
  }

  /** The same, but later: the application is in the middle of a call of the gateway's. */
  #giveSoon(answer: GatewayResponse): void {
    // It has not returned yet, and may not be asynchronous: who called it gives the response.
    if (this.#receiver !== null && this.#running !== null) this.#give(Promise.resolve(answer));
  }

  #accept(body: ApplicationBody): Answer<Call> | Promise<Answer<Call>> {
    this.#hasReturned = true;
    this.#body = body;
    if (this.ahead instanceof WriteQueue) this.ahead.close();
    try {
      if (this.isOver) return this.#tooLate(body);
      const call = this.phase === 'idle' ? this.reporter.options.passthrough?.(body, this.#startResponse) : null;
      if (call) return this.#passThrough(call);
      if (Array.isArray(body) && this.phase !== 'committed') {
        const whole = this.#acceptArray(body);
        if (whole !== null) return whole;
      }
      if (this.reporter.options.takesStreams === true && this.#isUntouched(body)) return this.#commitStream(body);
      this.reader = new BodyReader(body);
      if (this.response !== null) return this.response;
      const remaining = this.head !== null && !this.head.hasLength ? FileWrapper.remaining(body) : undefined;
      if (!isThenable(remaining)) return this.#begin(remaining);
      return Promise.resolve(remaining)
        .then((length) => this.#begin(length))
        .catch((error) => this.#fail(error));
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** The platform's own app answers: this exchange is over before it began. */
  #passThrough(call: Call): Passthrough<Call> {
    this.phase = 'done';
    return { passthrough: call } as Passthrough<Call>;
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
    const head = this.stored();
    if (isNullBodyStatus(head.statusCode)) return null;
    if (!head.hasLength) head.declare(total);
    else if (!head.isLength(total)) {
      // Where a chunk ends at the declared length nobody looks further; but of an array it is known what follows.
      if (head.isExceededBy(total) && head.hasContent) this.reportOverrun(head);
      return null;
    }
    if (typeof (chunks as ApplicationBody).close === 'function') return null;
    this.phase = 'done';
    this.#closing = this.reporter.flush();
    head.body = head.hasContent ? chunks : [];
    return head;
  }

  /** Whether the body is a native stream that the platform may have untouched. */
  #isUntouched(body: ApplicationBody): body is ReadableStream<Uint8Array> & ApplicationBody {
    if (!(body instanceof ReadableStream) || body.locked || typeof (body as ApplicationBody).close === 'function')
      return false;
    const head = this.head;
    return this.phase === 'stored' && head !== null && !head.hasLength && head.hasContent;
  }

  #commitStream(body: ReadableStream<Uint8Array>): GatewayResponse {
    const response = this.commit(null);
    this.ahead = body;
    return response;
  }

  /** The first chunk with bytes decides the head: until then startResponse may still be called. (SR-14) */
  #begin(remaining: number | undefined): GatewayResponse | Promise<GatewayResponse> {
    if (remaining !== undefined && this.head?.hasLength === false) this.head.declare(checkRemaining(remaining));
    const first = (this.reader as BodyReader).pullBytes(true);
    if (!isThenable(first)) return this.commit(first);
    return first
      .then((chunk) => (this.phase === 'left' ? this.#nobody() : this.commit(chunk)))
      .catch((error) => this.#fail(error));
  }

  // Then: what the application calls.

  #start(status: string, headers: ReadonlyHeaderList, error?: unknown): Write {
    const isOver = this.isOver;
    if (error !== undefined) {
      // Too late to replace the head: the application gets its own error back. (SR-11)
      if (isOver || this.phase === 'committed') {
        this.fault = { error, isReported: this.fault?.isReported === true };
        throw error;
      }
    } else if (this.phase === 'done') {
      throw new ContractError('SR-16', 'startResponse was called after the response was finished.');
    } else if (this.phase !== 'idle' && (this.phase !== 'left' || this.head !== null)) {
      throw new ContractError(
        'SR-13',
        'startResponse was called a second time; only an error handler may, with its error as third argument.',
      );
    }
    this.head = null;
    if (!isOver) this.phase = 'failed';
    this.head = checkHead(status, headers, this.#method);
    if (!isOver) this.phase = 'stored';
    return (chunk) => this.#write(chunk);
  }

  #write(chunk: Uint8Array): Promise<void> {
    if (this.phase === 'left') return lost();
    // A response without content may be over while the application still writes it: that is dropped as it was before.
    if (this.phase === 'done' && (this.#hasReturned || this.head?.hasContent !== false))
      throw new ContractError('SR-16', 'write was called after the response was finished.');
    if (this.#hasReturned) throw writtenLate();
    checkChunk(chunk, 'The argument of write');
    if (chunk.byteLength === 0) return TAKEN;
    if (this.fault !== null) throw this.fault.error;
    if (this.response === null) {
      const response = this.commit(null);
      this.ahead = new WriteQueue();
      this.#giveSoon(response);
    }
    const head = this.head as Head;
    if (!head.hasContent) return TAKEN;
    const allowed = head.take(chunk);
    const taken = allowed.byteLength === 0 ? TAKEN : (this.ahead as WriteQueue).push(allowed);
    if (allowed.byteLength < chunk.byteLength) throw tooLong();
    return taken;
  }

  // At last: the end, and everything that goes wrong.

  close(): void | Promise<void> {
    if (this.isOver) return this.#closing;
    // Before its end the client has left, and what the application still does is nobody's fault. (ERR-05)
    const isEnd = this.head?.isFull === true || this.fault?.isReported === true || this.stream !== null;
    this.phase = isEnd ? 'done' : 'left';
    this.#closing = this.#release();
    const { context } = this.reporter.options;
    if (!this.#hasReturned && this.#running !== null) context?.waitUntil(this.#running.then(() => this.#closing));
    if (this.response === null) this.#giveSoon(this.#nobody());
    if (this.ahead instanceof WriteQueue) this.ahead.lose(new ClientDisconnectedError(LOST));
    return this.#closing;
  }

  #release(): void | Promise<void> {
    const fail = (error: unknown): void => this.reportError(error);
    const closed =
      this.reader !== null ? this.reader.release(fail, this.reporter.options.context) : closeBody(this.#body, fail);
    return isThenable(closed) ? closed.then(() => this.reporter.flush()) : this.reporter.flush();
  }

  /** The client left while the application was working: its body is closed without being read. (ERR-05) */
  #tooLate(body: ApplicationBody): GatewayResponse {
    if (typeof body?.close !== 'function') this.reader = new BodyReader(body);
    this.#closing = this.#release();
    return this.#nobody();
  }

  /** The response to a client that has left: what the application would answer by now is not looked at. (ERR-05) */
  #nobody(): GatewayResponse {
    return this.response ?? plainResponse(499, this.#method);
  }

  /** A failure of the application: a plain answer while the head is not out, a broken connection after. (ERR-02 … 04) */
  #fail(error: unknown): GatewayResponse {
    this.#hasReturned = true;
    this.reportError(this.phase === 'idle' ? explainFailure(error, this.#startResponse) : error);
    if (this.response !== null) {
      this.fault = { error, isReported: true };
      if (this.ahead instanceof WriteQueue) this.ahead.close();
      return this.response;
    }
    const page = plainResponse(statusOf(error), this.#method);
    const failure = this.reporter.options.onFailure === undefined ? undefined : { error };
    if (this.#body === null) {
      if (!this.isOver) this.phase = 'done';
      this.#closing = this.reporter.flush();
      return failure === undefined ? page : { ...page, failure };
    }
    // The page goes out first, then the body it stands in for is closed.
    const [first = null] = page.body as Uint8Array[];
    this.head = new Head(page, page.headers, first?.byteLength ?? 0, this.#method);
    this.ahead = first;
    const response = this.commitTo(this.head);
    return failure === undefined ? response : { ...response, failure };
  }
}
