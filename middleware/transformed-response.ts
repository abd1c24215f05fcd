// One response on its way through a middleware that changes it. The head is held back until it cannot change any more.
// Nothing here waits unless the application or the change does. (MW-01 … MW-06)

import { BodyReader, checkBody, closeBody, FLUSH } from '../core/body.ts';
import { checkChunk } from '../core/check.ts';
import { ClientDisconnectedError, isA, report } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { isThenable } from '../core/thenable.ts';
import type { ApplicationBody, Environ, StartResponse, Write } from '../core/types.ts';
import { LOST, lost, WriteQueue, writtenLate } from '../core/write-queue.ts';

import { CodedChunks, OVER, type Step, stepOf } from './coded-chunks.ts';
import { HeldHead } from './held-head.ts';
import type { Decide, Head, Outcome } from './outcome.ts';

const TAKEN: Promise<void> = Promise.resolve();
const ignore = (): void => {};

/** One response. It is the body as well, where one is needed. */
export class TransformedResponse {
  readonly #environ: Environ;
  readonly #waits: boolean;
  readonly #head: HeldHead;
  readonly #chunks: CodedChunks;

  #returned = false;
  #running: Promise<unknown> | null = null;
  /** Gives the body to the caller when the application writes while it is still running. */
  #answer: ((body: ApplicationBody) => void) | null = null;
  #writes: WriteQueue | null = null;

  #body: ApplicationBody | null = null;
  #reader: BodyReader | null = null;

  constructor(environ: Environ, outer: StartResponse, decide: Decide, waits: boolean) {
    this.#environ = environ;
    this.#waits = waits;
    this.#head = new HeldHead(outer, decide);
    this.#chunks = new CodedChunks((error) => this.#reportError(error));
  }

  // What the application calls.

  readonly startResponse: StartResponse = (status, headers, error) =>
    this.#head.start(status, headers, error, this.#write);

  /** What is written becomes the beginning of the body, unless it goes straight through. (WRITE-01 … WRITE-04) */
  readonly #write: Write = (chunk) => {
    const head = this.#head;
    if (head.through !== null) return head.through(chunk);
    // What is not sent anyway is dropped, also once the response is over.
    if (head.outcome?.chunks !== undefined && !this.#returned) return TAKEN;
    if (this.#chunks.isClosed) return lost();
    if (this.#returned) throw writtenLate();
    checkChunk(chunk, 'The argument of write');
    if (chunk.byteLength === 0) return TAKEN;
    if (head.failure !== null) throw head.failure.error;
    if (head.outcome === null) {
      this.#settle(head.given as Head, null);
      if (head.through !== null) return (head.through as Write)(chunk);
      if (this.#chunks.hasCoder) this.#writes = new WriteQueue();
      this.#answer?.(this.#own(false));
    }
    return this.#writes?.push(chunk) ?? TAKEN;
  };

  // What the application returned.

  wait(result: Promise<ApplicationBody>): Promise<ApplicationBody> {
    const pending = Promise.resolve(result);
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      // It may have written before its first await.
      if (this.#head.outcome !== null) resolve(this.#own(false));
      this.#running = pending
        .then((body) => resolve(this.accept(body)))
        .catch((error) => {
          this.#returned = true;
          // A gateway that has the body already learns of it there.
          this.#head.fail(error);
          this.#writes?.close();
          if (this.#chunks.isClosed) this.#reportError(error);
          reject(error);
        });
    });
  }

  accept(body: ApplicationBody): ApplicationBody | Promise<ApplicationBody> {
    this.#returned = true;
    this.#body = body;
    this.#writes?.close();
    const held = this.#head;
    if (held.through !== null) return body;
    const head = held.given;
    if (this.#chunks.isClosed) {
      this.#releaseLate();
      return [];
    }
    if (held.outcome !== null) return this.#own(isSync(body));
    try {
      checkBody(body);
      if (head === null) return this.#own(isSync(body));
      const chunks = Array.isArray(body) ? checkChunks(body) : null;
      const outcome = held.decide(head, chunks);
      // The head of a body that will be read may change until its first chunk is there.
      if (outcome.coder !== undefined && chunks === null) return this.#own(isSync(body));
      this.#commit(outcome, head);
      if (held.through !== null) return body;
      // An array without close leaves nothing to do afterwards, and another array its length to the gateway.
      if (chunks !== null && typeof body.close !== 'function' && outcome.chunks !== undefined) return outcome.chunks;
      return this.#own(isSync(body));
    } catch (error) {
      // The caller gets no body to close.
      closeBody(body, ignore);
      throw error;
    }
  }

  #settle(head: Head, chunks: Uint8Array[] | null): Outcome {
    const outcome = this.#head.decide(head, chunks);
    this.#commit(outcome, head);
    return outcome;
  }

  /** From now on the head is the middleware's; where it changes no body, the head is the application's. */
  #commit(outcome: Outcome, head: Head): void {
    this.#head.commit(outcome, this.#reader !== null);
    if (outcome.coder !== undefined) this.#chunks.begin(outcome.coder(), outcome.keepsLength ? -1 : head.length);
  }

  // The body, as the caller of the middleware iterates it.

  #own(sync: boolean): ApplicationBody {
    const iteration = { next: this.#next, return: this.#return };
    const close = this.#close;
    if (sync && !this.#waits) return { [Symbol.iterator]: () => iteration as Iterator<Uint8Array>, close };
    // Its steps are promises only where there is something to wait for.
    return { [Symbol.asyncIterator]: () => iteration as unknown as AsyncIterator<Uint8Array>, close };
  }

  readonly #next = (): Step | Promise<Step> => {
    const ready = this.#chunks.shift();
    if (ready !== null) return ready;
    const { failure, outcome } = this.#head;
    if (failure !== null && this.#writes === null) throw failure.error;
    if (this.#chunks.isOver) return OVER;
    if (outcome?.chunks !== undefined) return this.#chunks.finish(outcome.chunks);
    if (this.#writes !== null) return this.#nextWrite(this.#writes);
    if (this.#body === null) return this.#nextOfRunning();
    if (this.#chunks.isFull) return this.#arrived(null);
    this.#reader ??= new BodyReader(this.#body);
    const chunk = this.#reader.pull();
    return isThenable(chunk) ? chunk.then(this.#arrived) : this.#arrived(chunk);
  };

  async #nextWrite(writes: WriteQueue): Promise<Step> {
    const chunk = await writes.next();
    if (chunk !== null) return this.#arrived(chunk);
    this.#writes = null;
    return this.#next();
  }

  /** All that was written is out, and the application has not returned yet. */
  async #nextOfRunning(): Promise<Step> {
    await this.#running;
    return this.#next();
  }

  readonly #arrived = (chunk: Uint8Array | null): Step | Promise<Step> => {
    const { failure, outcome, given } = this.#head;
    if (this.#chunks.isClosed) return OVER;
    if (failure !== null) throw failure.error;
    if (outcome === null) {
      // The head may still change, and chunks without a head are the gateway's to refuse.
      if (given === null || (chunk !== null && chunk.byteLength === 0 && chunk !== FLUSH)) return stepOf(chunk);
      const settled = this.#settle(given, chunk === null ? [] : isWhole(chunk, given) ? [chunk] : null);
      if (settled.chunks !== undefined) return this.#chunks.finish(settled.chunks);
    }
    return this.#chunks.pass(chunk);
  };

  readonly #return = (): Step => {
    this.#chunks.stop();
    return OVER;
  };

  readonly #close = (): void | Promise<void> => {
    if (this.#chunks.isClosed) return;
    this.#chunks.close();
    this.#writes?.lose(new ClientDisconnectedError(LOST));
    if (this.#body !== null) return this.#release();
    // The application still runs: what it returns is closed then.
    if (this.#running !== null) this.#environ['waygate.wait_until'](this.#running);
  };

  /** Ends the iteration inside and closes the body; the gateway reports what that throws. (CLOSE-05) */
  #release(): void | Promise<void> {
    const failures: unknown[] = [];
    const reportError = (error: unknown): void => {
      failures.push(error);
    };
    const done = (): void => {
      if (failures.length > 0) throw failures[0];
    };
    // A stream or a generator that nobody has read has to be ended as well.
    const reader = this.#reader ?? new BodyReader(this.#body as ApplicationBody);
    const closed = reader.release(reportError, { waitUntil: this.#environ['waygate.wait_until'] });
    return isThenable(closed) ? closed.then(done) : done();
  }

  /** The client left while the application was working. (ERR-05) */
  async #releaseLate(): Promise<void> {
    try {
      await this.#release();
    } catch (error) {
      this.#reportError(error);
    }
  }

  /** Nobody else is left to report it. That a client left is nothing to report. (ERR-05) */
  #reportError(error: unknown): void {
    if (!isA(error, ClientDisconnectedError)) log(this.#environ['wsgi.errors'], report(error));
  }
}

/** What is declared has come with the first chunk. */
function isWhole(chunk: Uint8Array, head: Head): boolean {
  return chunk.byteLength > 0 && chunk.byteLength === head.length;
}

function isSync(body: ApplicationBody): boolean {
  return (
    !(body instanceof ReadableStream) && typeof (body as AsyncIterable<unknown>)[Symbol.asyncIterator] !== 'function'
  );
}

function checkChunks(chunks: Uint8Array[]): Uint8Array[] {
  chunks.forEach((chunk: unknown, index) => {
    checkChunk(chunk, `Chunk ${index} of the body`);
  });
  return chunks;
}
