// The body as the validator hands it on. It checks each chunk on its way, and the code that iterates and closes. (BODY,
// CLOSE, MW)

import { checkBody, type Iteration, iterate } from '../../core/body.ts';
import { checkChunk } from '../../core/check.ts';
import { FileWrapper } from '../../core/file-wrapper.ts';
import { isThenable } from '../../core/thenable.ts';
import { markTransparent, unwrap } from '../../core/transparent.ts';
import type { ApplicationBody } from '../../core/types.ts';
import type { ValidatedCall } from './call.ts';
import type { ResponseWatch } from './head.ts';
import { violation } from './report.ts';

type Step = IteratorResult<Uint8Array>;
const OVER: Step = { done: true, value: undefined };

/**
 * The body for the caller of the application. An array without `close` stays an array, so that its length still counts:
 * it is checked as a whole. That of a file counts too. (FILE-06)
 *
 * @param body what the application returned
 * @throws {ContractError} when it is not a body, or an array that breaks a rule
 */
export function validBody(body: ApplicationBody, call: ValidatedCall, head: ResponseWatch): ApplicationBody {
  checkBody(body);
  if (Array.isArray(body) && typeof (body as ApplicationBody).close !== 'function') return wholeBody(body, call, head);
  const asynchronous =
    body instanceof ReadableStream || typeof (body as AsyncIterable<unknown>)[Symbol.asyncIterator] === 'function';
  const valid = new ValidBody(body, asynchronous, call, head);
  const result: ApplicationBody = asynchronous
    ? { [Symbol.asyncIterator]: () => valid.start() as AsyncIterator<Uint8Array>, close: valid.close }
    : { [Symbol.iterator]: () => valid.start() as Iterator<Uint8Array>, close: valid.close };
  call.open = true;
  noticeLeak(result, call);
  return markTransparent(result, body);
}

function wholeBody(chunks: Uint8Array[], call: ValidatedCall, head: ResponseWatch): ApplicationBody {
  let total = 0;
  for (let index = 0; index < chunks.length; index++) {
    const chunk: unknown = chunks[index];
    checkChunk(chunk, `Chunk ${index} of the body`);
    total += chunk.byteLength;
  }
  head.count(total, true);
  head.end();
  call.over = true;
  call.checkInnerClosed();
  return [...chunks];
}

/** One body, iterated once. */
class ValidBody {
  readonly #body: ApplicationBody;
  readonly #asynchronous: boolean;
  readonly #isFile: boolean;
  readonly #call: ValidatedCall;
  readonly #head: ResponseWatch;
  #iteration: Iteration | null = null;
  #pending = false;
  /** The iteration came to its end, threw, or was told to return. */
  #ended = false;
  /** The validator itself broke the iteration off: nobody else has to end it. */
  #stopped = false;
  #closed = false;
  /** The chunk given last and its fingerprint, until the next one is asked for. */
  #last: Uint8Array | null = null;
  #mark = 0;

  constructor(body: ApplicationBody, asynchronous: boolean, call: ValidatedCall, head: ResponseWatch) {
    this.#body = body;
    this.#asynchronous = asynchronous;
    this.#isFile = unwrap(body) instanceof FileWrapper;
    this.#call = call;
    this.#head = head;
  }

  start(): object {
    if (this.#iteration !== null) throw violation('L-53', 'The body is iterated a second time.');
    if (this.#closed) throw violation('L-52', 'The iteration of the body begins after it was closed.');
    this.#iteration = iterate(this.#body);
    return { next: this.#next, return: this.#return };
  }

  readonly #next = (): Step | Promise<Step> => {
    this.#looked(() => this.#checkTurn());
    this.#last = null;
    if (this.#ended) return this.#over();
    let step: IteratorResult<unknown> | Promise<IteratorResult<unknown>>;
    try {
      step = (this.#iteration as Iteration).next();
    } catch (error) {
      this.#ended = true;
      throw error;
    }
    if (!isThenable(step)) return this.#arrived(step);
    this.#pending = true;
    return Promise.resolve(step).then(
      (each) => {
        this.#pending = false;
        return this.#arrived(each);
      },
      (error) => {
        this.#pending = false;
        this.#ended = true;
        throw error;
      },
    );
  };

  /** The code that iterates gets an error of the validator, and need not end what has failed. */
  #looked<T>(look: () => T): T {
    try {
      return look();
    } catch (error) {
      this.#stopped = true;
      throw error;
    }
  }

  #over(): Step | Promise<Step> {
    return this.#asynchronous ? Promise.resolve(OVER) : OVER;
  }

  #checkTurn(): void {
    if (this.#closed) throw violation('L-52', 'A chunk of the body was asked for after it was closed.');
    if (this.#pending) throw violation('BODY-09', 'A chunk of the body was asked for while another was pending.');
    this.#call.checkPace();
    if (this.#last !== null && fingerprint(this.#last) !== this.#mark) {
      throw violation('BODY-08', 'The chunk given last has changed before the next one was asked for.');
    }
  }

  #arrived(step: IteratorResult<unknown>): Step {
    return this.#looked(() => {
      if (step.done) {
        this.#ended = true;
        this.#head.end();
        return OVER;
      }
      const chunk = step.value;
      checkChunk(chunk, 'A chunk of the body');
      if (chunk.byteLength === 0) this.#head.empty();
      else this.#head.count(chunk.byteLength, this.#isFile);
      this.#call.give();
      this.#last = chunk;
      this.#mark = fingerprint(chunk);
      return { done: false, value: chunk };
    });
  }

  readonly #return = (): Step | Promise<Step> => {
    this.#last = null;
    if (this.#ended) return this.#over();
    this.#ended = true;
    const returned = this.#iteration?.return?.();
    return isThenable(returned) ? Promise.resolve(returned).then(() => OVER) : this.#over();
  };

  readonly close = (): void | Promise<void> => {
    if (this.#closed) throw violation('CLOSE-02', 'close was called a second time.');
    this.#closed = true;
    this.#call.open = false;
    this.#call.over = true;
    this.#call.gone = !this.#ended;
    if (this.#iteration === null || this.#ended) return this.#closeBody();
    const returned = this.#return();
    // A pending step may never settle, and what was asked to return waits behind it.
    const closed = isThenable(returned) && !this.#pending ? returned.then(() => this.#closeBody()) : this.#closeBody();
    if (this.#stopped) return closed;
    if (isThenable(closed)) closed.catch(() => {});
    throw violation('CLOSE-04', 'The body was closed in the middle of an iteration that was not ended with return().');
  };

  #closeBody(): void | Promise<void> {
    const closed = this.#body.close?.();
    if (!isThenable(closed)) return this.#call.checkInnerClosed();
    return Promise.resolve(closed).then(() => this.#call.checkInnerClosed());
  }
}

/** A chunk that was changed has another number, most likely: 64 bytes of it or a few more are looked at. */
function fingerprint(chunk: Uint8Array): number {
  const step = Math.max(1, chunk.byteLength >> 6);
  let hash = chunk.byteLength;
  for (let at = 0; at < chunk.byteLength; at += step) hash = Math.imul(hash ^ (chunk[at] as number), 0x01000193);
  return hash;
}

/** Told what happened to bodies that nobody holds any more. Not every platform has it. */
const leaks =
  typeof FinalizationRegistry === 'undefined'
    ? null
    : new FinalizationRegistry<ValidatedCall>((call) => {
        if (call.open) call.warn('L-54', 'A body was thrown away and never closed.');
      });

function noticeLeak(body: ApplicationBody, call: ValidatedCall): void {
  leaks?.register(body, call);
}
