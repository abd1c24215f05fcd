// A body as the gateway reads it: one iteration, never overlapping, ended and closed as PEP 3333 asks. (BODY, CLOSE)

import { isBytes } from './bytes.ts';
import { checkChunk } from './check.ts';
import { advice, ContractError, describe } from './errors.ts';
import { isThenable } from './thenable.ts';
import type { ApplicationBody } from './types.ts';
import type { WaitContext } from './work.ts';

/** What a body is read through; `next` and `return` may answer at once or with a promise. */
export type Iteration = Iterator<unknown> | AsyncIterator<unknown>;

/**
 * By this very chunk the body of a hosted app asks for the head ahead of its first bytes, as `flushHeaders()` and a
 * `Response` do. It is empty, and anything else sees an empty chunk. A middleware that holds the body back, or makes chunks
 * of its own, holds the head back as well. No other empty chunk commits a head. (BODY-07)
 */
export const FLUSH: Uint8Array = new Uint8Array(0);

/** Told about failures that must change nothing any more. */
type ReportError = (error: unknown) => void;

/** Reads one body. */
export class BodyReader {
  readonly #body: ApplicationBody;
  readonly #iteration: Iteration;
  #pulling = false;
  /** The iteration came to its end or failed: it is neither asked nor ended again. */
  exhausted = false;

  /**
   * @param body what the application returned
   * @throws {ContractError} BODY-01 unless it is an iterable that can hold chunks
   */
  constructor(body: ApplicationBody) {
    this.#body = body;
    this.#iteration = iterate(body);
  }

  /**
   * The next chunk, empty ones included, or null at the end; a promise only if the body makes one.
   *
   * @throws {ContractError} STR-04 for a chunk that is not bytes, and whatever the body throws
   */
  pull(): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.exhausted) return null;
    let step: IteratorResult<unknown> | Promise<IteratorResult<unknown>>;
    try {
      step = this.#iteration.next();
    } catch (error) {
      this.exhausted = true;
      throw error;
    }
    if (!isThenable(step)) return this.#step(step);
    this.#pulling = true;
    return Promise.resolve(step).then(this.#arrived, this.#refused);
  }

  /**
   * The next chunk with bytes in it, or null at the end: empty ones are skipped. (BODY-07)
   *
   * @param takesFlush whether {@link FLUSH} counts as well: while the head is not out
   */
  pullBytes(takesFlush: boolean): Uint8Array | null | Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.pull();
      if (isThenable(chunk)) return this.#pullOn(chunk, takesFlush);
      if (chunk === null || chunk.byteLength > 0 || (takesFlush && chunk === FLUSH)) return chunk;
    }
  }

  async #pullOn(pending: Promise<Uint8Array | null>, takesFlush: boolean): Promise<Uint8Array | null> {
    for (let chunk = await pending; ; chunk = await this.pull()) {
      if (chunk === null || chunk.byteLength > 0 || (takesFlush && chunk === FLUSH)) return chunk;
    }
  }

  #arrived = (step: IteratorResult<unknown>): Uint8Array | null => {
    this.#pulling = false;
    return this.#step(step);
  };

  #refused = (error: unknown): never => {
    this.#pulling = false;
    this.exhausted = true;
    throw error;
  };

  #step(step: IteratorResult<unknown>): Uint8Array | null {
    if (step.done) {
      this.exhausted = true;
      return null;
    }
    checkChunk(step.value, 'A chunk of the body');
    return step.value;
  }

  /**
   * Ends the iteration, then closes the body; after its own end only the latter. Call it once. (CLOSE-01 … CLOSE-04)
   *
   * @param context waits for the end of the iteration where this does not
   */
  release(reportError: ReportError, context?: WaitContext): void | Promise<void> {
    const returned = this.exhausted ? undefined : attempt(() => this.#iteration.return?.(), reportError);
    this.exhausted = true;
    // A generator queues return() behind a pending next(), which may never settle: close() must not wait for that.
    if (isThenable(returned)) {
      if (!this.#pulling) return returned.then(() => closeBody(this.#body, reportError));
      context?.waitUntil(returned);
    }
    return closeBody(this.#body, reportError);
  }
}

/**
 * Calls a body's own `close`, if it has one.
 *
 * @param reportError given what `close` throws (CLOSE-05)
 */
export function closeBody(body: unknown, reportError: ReportError): void | Promise<void> {
  return attempt(() => {
    const close = (body as ApplicationBody | null | undefined)?.close;
    if (typeof close === 'function') return close.call(body);
  }, reportError);
}

function attempt(step: () => unknown, reportError: ReportError): void | Promise<void> {
  try {
    const result = step();
    if (isThenable(result)) return Promise.resolve(result).then(() => {}, reportError);
  } catch (error) {
    reportError(error);
  }
}

/**
 * @param body what an application returned
 * @throws {ContractError} BODY-01 unless it is an iterable that can hold chunks
 */
export function checkBody(body: unknown): asserts body is ApplicationBody {
  if (isIterable(body)) return;
  throw new ContractError(
    'BODY-01',
    `The application returned ${describe(body)}; expected an iterable of Uint8Array chunks, such as [chunk].${advice(body)}`,
  );
}

/** The one iterator that a body is read through. (BODY-09) */
export function iterate(body: unknown): Iteration {
  checkBody(body);
  const iterable = body as AsyncIterable<unknown> & Iterable<unknown>;
  const asynchronous = iterable[Symbol.asyncIterator];
  if (isStream(body)) {
    const reader = body.getReader();
    // Not the stream's own iterator: its return() waits for a pending read, cancel() does not.
    return {
      next: () => reader.read() as Promise<IteratorResult<unknown>>,
      return: async () => {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    };
  }
  return typeof asynchronous === 'function' ? asynchronous.call(iterable) : iterable[Symbol.iterator]();
}

/**
 * Whether a body is a native stream. Nothing is looked at but its prototypes. In Node the first look at the class itself loads
 * all web streams, which takes some milliseconds of a cold start. (BODY-06)
 */
function isStream(body: unknown): body is ReadableStream {
  for (let at = Object.getPrototypeOf(body); at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, 'getReader')) return body instanceof ReadableStream;
  }
  return false;
}

/** A text and a byte array are iterable too, but hold no chunks. (BODY-01) */
function isIterable(body: unknown): body is ApplicationBody {
  if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body) || isBytes(body)) return false;
  return Symbol.asyncIterator in body || Symbol.iterator in body || body instanceof ReadableStream;
}
