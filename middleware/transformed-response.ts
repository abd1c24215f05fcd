// One response on its way through a middleware that changes it. The head is held back until it cannot change any more.
// Nothing here waits unless the application or the change does. (MW-01 … MW-06)

import { BodyReader, checkBody, closeBody, FLUSH } from '../core/body.ts';
import { EMPTY } from '../core/bytes.ts';
import { checkChunk, checkHeaders, checkStatus } from '../core/check.ts';
import type { ChunkCoder } from '../core/coding.ts';
import { ClientDisconnectedError, ContractError, isA, report } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { isThenable } from '../core/thenable.ts';
import type { ApplicationBody, Environ, HeaderList, ReadonlyHeaderList, StartResponse, Write } from '../core/types.ts';
import { LOST, lost, WriteQueue } from '../core/write-queue.ts';

import type { Decide, Head, Outcome } from './outcome.ts';

type Step = IteratorResult<Uint8Array>;
const OVER: Step = { done: true, value: undefined };
const TAKEN: Promise<void> = Promise.resolve();
const ignore = (): void => {};

/** One response. It is the body as well, where one is needed. */
export class TransformedResponse {
  readonly #environ: Environ;
  readonly #outer: StartResponse;
  readonly #decide: Decide;
  readonly #waits: boolean;

  /** What the application gave to startResponse last, until the decision. */
  #head: Head | null = null;
  /** The error that it gave along with that; whoever is outside gets it, too. (MW-04) */
  #error: unknown;
  #outcome: Outcome | null = null;
  #coder: ChunkCoder | null = null;
  /** Everything goes straight to the caller of the middleware: the write of its startResponse. */
  #through: Write | null = null;
  /** The application gave an error when it was too late for a head of its own. */
  #failure: { error: unknown } | null = null;

  #returned = false;
  #running: Promise<unknown> | null = null;
  /** Gives the body to the caller when the application writes while it is still running. */
  #answer: ((body: ApplicationBody) => void) | null = null;
  #writes: WriteQueue | null = null;

  #body: ApplicationBody | null = null;
  #reader: BodyReader | null = null;
  #ready: Uint8Array[] = [];
  /** Bytes that the declared length still wants; -1 where none is declared. */
  #left = -1;
  #ended = false;
  #closed = false;

  constructor(environ: Environ, outer: StartResponse, decide: Decide, waits: boolean) {
    this.#environ = environ;
    this.#outer = outer;
    this.#decide = decide;
    this.#waits = waits;
  }

  // What the application calls.

  readonly startResponse: StartResponse = (status, headers, error) => {
    if (this.#through !== null) return this.#outer(status, headers, error);
    if (this.#outcome !== null && error !== undefined) {
      this.#failure = { error };
      throw error;
    }
    // The outer one says what is wrong with a second call, and with arguments that are none.
    if (this.#outcome !== null) return this.#outer(status, headers);
    if (this.#head !== null && error === undefined) {
      this.#pass(this.#head);
      return this.#outer(status, headers);
    }
    this.#head = this.#checked(status, headers, error);
    this.#error = error;
    return this.#write;
  };

  #checked(status: string, headers: ReadonlyHeaderList, error: unknown): Head {
    try {
      checkStatus(status);
      return { status, code: Number(status.slice(0, 3)), ...checkHeaders(headers) };
    } catch (refused) {
      this.#head = null;
      this.#outer(status, headers, error);
      throw refused;
    }
  }

  /** What is written becomes the beginning of the body, unless it goes straight through. (WRITE-01 … WRITE-04) */
  readonly #write: Write = (chunk) => {
    if (this.#through !== null) return this.#through(chunk);
    // What is not sent anyway is dropped, also once the response is over.
    if (this.#outcome?.chunks !== undefined && !this.#returned) return TAKEN;
    if (this.#closed) return lost();
    if (this.#returned) {
      throw new ContractError(
        'WRITE-03',
        'write was called after the application returned its body; yield the chunk instead.',
      );
    }
    checkChunk(chunk, 'The argument of write');
    if (chunk.byteLength === 0) return TAKEN;
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#outcome === null) {
      this.#settle(this.#head as Head, null);
      if (this.#through !== null) return (this.#through as Write)(chunk);
      if (this.#coder !== null) this.#writes = new WriteQueue();
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
      if (this.#outcome !== null) resolve(this.#own(false));
      this.#running = pending
        .then((body) => resolve(this.accept(body)))
        .catch((error) => {
          this.#returned = true;
          // Whoever has the body already learns of it there.
          this.#failure ??= { error };
          this.#writes?.close();
          if (this.#closed) this.#tell(error);
          reject(error);
        });
    });
  }

  accept(body: ApplicationBody): ApplicationBody | Promise<ApplicationBody> {
    this.#returned = true;
    this.#body = body;
    this.#writes?.close();
    if (this.#through !== null) return body;
    const head = this.#head;
    if (this.#closed) {
      this.#releaseLate();
      return [];
    }
    if (this.#outcome !== null) return this.#own(isSync(body));
    try {
      checkBody(body);
      if (head === null) return this.#own(isSync(body));
      const chunks = Array.isArray(body) ? checkChunks(body) : null;
      const outcome = this.#decide(copyOf(head), chunks);
      // The head of a body that will be read may change until its first chunk is there.
      if (outcome.coder !== undefined && chunks === null) return this.#own(isSync(body));
      this.#commit(outcome, head);
      if (this.#through !== null) return body;
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
    const outcome = this.#decide(copyOf(head), chunks);
    this.#commit(outcome, head);
    return outcome;
  }

  /** From now on the head is the middleware's, or, where it changes no body, the application's own affair. */
  #commit(outcome: Outcome, head: Head): void {
    if (outcome.coder === undefined && outcome.chunks === undefined && this.#reader === null) {
      this.#pass(outcome);
      return;
    }
    this.#outcome = outcome;
    this.#outer(outcome.status, outcome.headers, this.#error);
    if (outcome.coder === undefined) return;
    this.#left = head.length;
    this.#coder = outcome.coder();
  }

  #pass({ status, headers }: { status: string; headers: HeaderList }): void {
    this.#through = this.#outer(status, headers, this.#error);
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
    const ready = this.#ready.shift();
    if (ready !== undefined) return { done: false, value: ready };
    if (this.#failure !== null && this.#writes === null) throw this.#failure.error;
    if (this.#ended || this.#closed) return OVER;
    const replaced = this.#outcome?.chunks;
    if (replaced !== undefined) return this.#finish(replaced);
    if (this.#writes !== null) return this.#nextWrite(this.#writes);
    if (this.#body === null) return this.#nextOfRunning();
    if (this.#left === 0) return this.#arrived(null);
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
    if (this.#closed) return OVER;
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#outcome === null) {
      // The head may still change, and chunks without a head are the gateway's to refuse.
      if (this.#head === null || (chunk !== null && chunk.byteLength === 0 && chunk !== FLUSH)) return stepOf(chunk);
      const outcome = this.#settle(this.#head, chunk === null ? [] : isWhole(chunk, this.#head) ? [chunk] : null);
      if (outcome.chunks !== undefined) return this.#finish(outcome.chunks);
    }
    const coder = this.#coder;
    if (coder === null || chunk?.byteLength === 0) return stepOf(chunk);
    if (chunk === null) {
      if (this.#left > 0) {
        throw new ContractError('CL-02', `The body ended ${this.#left} bytes short of the Content-Length it declared.`);
      }
      return this.#finish(coder.end());
    }
    const coded = coder.write(this.#count(chunk));
    return isThenable(coded) ? coded.then(this.#give) : this.#give(coded);
  };

  /** A chunk of the body, cut to the declared length, which the gateway does not get to see. (CL-01) */
  #count(chunk: Uint8Array): Uint8Array {
    if (this.#left < 0) return chunk;
    if (chunk.byteLength <= this.#left) {
      this.#left -= chunk.byteLength;
      return chunk;
    }
    const tooLong = 'The body is longer than the Content-Length it declared; the rest was cut off.';
    this.#tell(new ContractError('CL-01', tooLong));
    const allowed = chunk.subarray(0, this.#left);
    this.#left = 0;
    return allowed;
  }

  #finish(last: Uint8Array[] | Promise<Uint8Array[]>): Step | Promise<Step> {
    this.#ended = true;
    return isThenable(last) ? last.then(this.#give) : this.#give(last);
  }

  /** For every chunk that came, one goes out, and be it empty. (MW-02) */
  readonly #give = (chunks: Uint8Array[]): Step => {
    if (this.#closed) return OVER;
    this.#ready = chunks.filter(({ byteLength }) => byteLength > 0);
    const chunk = this.#ready.shift();
    if (chunk !== undefined) return { done: false, value: chunk };
    return this.#ended ? OVER : { done: false, value: EMPTY };
  };

  readonly #return = (): Step => {
    this.#ended = true;
    this.#ready = [];
    return OVER;
  };

  readonly #close = (): void | Promise<void> => {
    if (this.#closed) return;
    this.#closed = true;
    this.#ready = [];
    this.#writes?.lose(new ClientDisconnectedError(LOST));
    this.#coder?.destroy();
    if (this.#body !== null) return this.#release();
    // The application still runs: what it returns is closed then.
    if (this.#running !== null) this.#environ['waygate.wait_until'](this.#running);
  };

  /** Ends the iteration inside and closes the body; what that throws is for the gateway to report. (CLOSE-05) */
  #release(): void | Promise<void> {
    const failures: unknown[] = [];
    const tell = (error: unknown): void => {
      failures.push(error);
    };
    const done = (): void => {
      if (failures.length > 0) throw failures[0];
    };
    // A stream or a generator that nobody has read is to be ended as well.
    const reader = this.#reader ?? new BodyReader(this.#body as ApplicationBody);
    const closed = reader.release(tell, { waitUntil: this.#environ['waygate.wait_until'] });
    return isThenable(closed) ? closed.then(done) : done();
  }

  /** The client left while the application was working. (ERR-05) */
  async #releaseLate(): Promise<void> {
    try {
      await this.#release();
    } catch (error) {
      this.#tell(error);
    }
  }

  /** Nobody else is left to report it. That a client left is nothing to report. (ERR-05) */
  #tell(error: unknown): void {
    if (!isA(error, ClientDisconnectedError)) log(this.#environ['wsgi.errors'], report(error));
  }
}

function copyOf(head: Head): Head {
  return { ...head, headers: [...head.headers] };
}

/** What is declared has come with the first chunk. */
function isWhole(chunk: Uint8Array, head: Head): boolean {
  return chunk.byteLength > 0 && chunk.byteLength === head.length;
}

function stepOf(chunk: Uint8Array | null): Step {
  return chunk === null ? OVER : { done: false, value: chunk };
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
