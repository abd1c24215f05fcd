// A response on its way: its head is committed, and its body follows as the adapter pulls it. The phases are those of the
// state table in docs/contract.md. (SR-09, CL, BODY-02, BODY-07)

import { BodyReader, FLUSH } from './body.ts';
import { isBytes } from './bytes.ts';
import { ContractError } from './errors.ts';
import type { Head } from './head.ts';
import { iterateBody } from './receive.ts';
import { isAbort, type Reporter } from './reporter.ts';
import type { GatewayResponse, ResponseBody } from './response.ts';
import { isNullBodyStatus } from './status.ts';
import { isThenable } from './thenable.ts';
import { WriteQueue } from './write-queue.ts';

/**
 * Where a response stands, in the words of the contract's state table: `idle` before startResponse, `failed` where that was
 * refused, `stored` with a head, `committed` with the head out, `done` at the end; `left` where that came too early.
 */
export type Phase = 'idle' | 'failed' | 'stored' | 'committed' | 'done' | 'left';

/** What no response can go on after: it was committed by then. */
export interface Fault {
  readonly error: unknown;
  /** Whether it was reported; else the application was only told so, and may still let it pass. (SR-12) */
  readonly isReported: boolean;
}

/** The response of one request, from its head to the last chunk. Exchange is the application's side of it. */
export abstract class Outgoing<Call> implements ResponseBody {
  protected readonly reporter: Reporter<Call>;
  protected phase: Phase = 'idle';
  /** The head that holds, if there is one; the response, once it is committed. */
  protected head: Head | null = null;
  /** Reads what the application returned. */
  protected reader: BodyReader | null = null;
  /** What goes out ahead of that: the chunk that committed the head, what was written, or a native stream. */
  protected ahead: Uint8Array | WriteQueue | ReadableStream<Uint8Array> | null = null;
  protected fault: Fault | null = null;

  constructor(reporter: Reporter<Call>) {
    this.reporter = reporter;
  }

  abstract close(): void | Promise<void>;

  protected get isOver(): boolean {
    return this.phase === 'done' || this.phase === 'left';
  }

  // The head can no longer change: status and headers become the response. (SR-09)

  protected commit(chunk: Uint8Array | null): GatewayResponse {
    if (this.response !== null) return this.response;
    const head = this.stored();
    if (head.hasContent) {
      if (!head.hasLength && this.reader?.exhausted && chunk === null) head.declare(0);
      this.ahead = chunk;
    } else {
      if (isNullBodyStatus(head.statusCode) && chunk !== null && chunk !== FLUSH)
        this.reporter.log(`A ${head.statusCode} response has no content: the bytes of its body were dropped.`);
      head.dropContent();
      this.ahead = chunk === FLUSH ? FLUSH : null;
    }
    return this.commitTo(head);
  }

  protected commitTo(head: Head): GatewayResponse {
    head.body = this;
    if (!this.isOver) this.phase = 'committed';
    return head;
  }

  /** @throws {ContractError} where no head holds */
  protected stored(): Head {
    if (this.head !== null) return this.head;
    throw this.phase === 'idle'
      ? new ContractError('SR-15', 'The application gave a body without calling startResponse before its first chunk.')
      : new ContractError('SR-13', 'The application went on after startResponse had refused its arguments.');
  }

  /** The response, once its head can no longer change. */
  protected get response(): GatewayResponse | null {
    return this.head?.isCommitted ? this.head : null;
  }

  get wantsHead(): boolean {
    return this.ahead === FLUSH;
  }

  get stream(): ReadableStream<Uint8Array> | null {
    const { ahead } = this;
    // Not by its class: where nobody uses streams, as on Lambda, the first look at that name loads all of them.
    return ahead === null || ahead instanceof WriteQueue || isBytes(ahead) ? null : ahead;
  }

  // The body, as the adapter pulls it.

  next(): Uint8Array | null | Promise<Uint8Array | null> {
    const ahead = this.ahead;
    if (ahead !== null) {
      if (ahead instanceof WriteQueue) return this.#nextWrite(ahead);
      this.ahead = null;
      if (!isBytes(ahead)) this.reader = new BodyReader(ahead);
      else if (ahead !== FLUSH) return this.#send(ahead);
    }
    if (this.fault?.isReported) throw this.fault.error;
    if (this.isOver || (this.head as Head).isFull) return null;
    try {
      const chunk = (this.reader as BodyReader).pullBytes(false);
      if (!isThenable(chunk)) return this.#deliver(chunk);
      return chunk.then((each) => this.#deliver(each)).catch((error) => this.abort(error));
    } catch (error) {
      return this.abort(error);
    }
  }

  /** What was written goes out before the body. (WRITE-03) */
  async #nextWrite(writes: WriteQueue): Promise<Uint8Array | null> {
    const chunk = await writes.next();
    if (chunk !== null) return chunk;
    this.ahead = null;
    return this.next();
  }

  #deliver(chunk: Uint8Array | null): Uint8Array | null {
    if (this.isOver) return null;
    if (this.fault !== null) throw this.fault.error;
    if (chunk !== null) return this.#send(chunk);
    (this.head as Head).end();
    return null;
  }

  /** A chunk of the body, cut to the declared length. (CL-01) */
  #send(chunk: Uint8Array): Uint8Array | null {
    const head = this.head as Head;
    const allowed = head.take(chunk);
    if (allowed.byteLength < chunk.byteLength) this.reportOverrun(head);
    return allowed.byteLength === 0 ? null : allowed;
  }

  protected reportOverrun(head: Head): void {
    const overrun = head.overrun();
    if (overrun !== null) this.reportError(overrun);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return iterateBody(this);
  }

  /** After the head: reports, and makes the adapter break the connection. */
  protected abort(error: unknown): never {
    this.fault = { error, isReported: true };
    this.reportError(error);
    throw error;
  }

  /** Reports a failure of the application; what its own aborted `fetch` throws once the response is over is none. (ERR-05) */
  reportError(error: unknown): void {
    if (!this.isOver || !isAbort(error)) this.reporter.report(error);
  }
}
