// A body that passes through unchanged while somebody counts: what it gave, how it ended, and when it was closed. (MW-05)

import { checkBody, type Iteration, iterate } from '../core/body.ts';
import { isThenable } from '../core/thenable.ts';
import { markTransparent } from '../core/transparent.ts';
import type { ApplicationBody } from '../core/types.ts';

/** Is called for what happens to a body. What it throws reaches the gateway as a failure of the body. */
export interface BodyObserver {
  /** A chunk of this many bytes is on its way. */
  chunk(bytes: number): void;
  /** The iteration came to its end. */
  end(): void;
  /** The iteration failed. */
  fail(error: unknown): void;
  /** The response is over. Called once. */
  close(): void;
}

type Step = IteratorResult<Uint8Array>;

/**
 * The same body, observed. Synchronous bodies stay synchronous, an array stays an array, and a file keeps its length: the
 * gateway still finds `Content-Length`. Each of them now has a `close`.
 *
 * @param body what the application returned
 * @param observer called for each chunk and for the end
 * @throws {ContractError} BODY-01 when it is not a body
 */
export function observeBody(body: ApplicationBody, observer: BodyObserver): ApplicationBody {
  checkBody(body);
  const observed = new ObservedBody(body, observer);
  if (Array.isArray(body)) {
    const chunks: Uint8Array[] = [...(body as Uint8Array[])];
    const hidden = { enumerable: false, configurable: true, writable: true };
    Object.defineProperty(chunks, Symbol.iterator, { ...hidden, value: observed.start });
    Object.defineProperty(chunks, 'close', { ...hidden, value: observed.close });
    return chunks;
  }
  return inFrontOf(body, observed.start, observed.close);
}

/**
 * A body in front of another one, through which all of it passes: synchronous where that is, and with the length of a file.
 *
 * @param body the one behind
 * @param start begins the iteration, of the kind that the body behind has
 * @param close closes the body behind
 */
export function inFrontOf(
  body: ApplicationBody,
  start: () => Iterator<Uint8Array>,
  close: () => void | Promise<void>,
): ApplicationBody {
  const isAsync = body instanceof ReadableStream || Symbol.asyncIterator in Object(body);
  const front = isAsync ? { [Symbol.asyncIterator]: start, close } : { [Symbol.iterator]: start, close };
  return markTransparent(front as ApplicationBody, Object(body));
}

class ObservedBody {
  readonly #body: ApplicationBody;
  readonly #observer: BodyObserver;
  #iteration: Iteration | null = null;
  #over = false;
  #closed = false;

  constructor(body: ApplicationBody, observer: BodyObserver) {
    this.#body = body;
    this.#observer = observer;
  }

  readonly start = (): Iterator<Uint8Array> => {
    this.#iteration = iterate(this.#body);
    return { next: this.#next, return: this.#return } as unknown as Iterator<Uint8Array>;
  };

  readonly #next = (): Step | Promise<Step> => {
    let step: Step | Promise<Step>;
    try {
      step = (this.#iteration as Iteration).next() as Step | Promise<Step>;
    } catch (error) {
      throw this.#failed(error);
    }
    if (!isThenable(step)) return this.#arrived(step);
    return Promise.resolve(step).then(this.#arrived, (error) => {
      throw this.#failed(error);
    });
  };

  readonly #arrived = (step: Step): Step => {
    if (!step.done) this.#observer.chunk(step.value?.byteLength ?? 0);
    else if (!this.#over) {
      this.#over = true;
      this.#observer.end();
    }
    return step;
  };

  #failed(error: unknown): unknown {
    this.#over = true;
    this.#observer.fail(error);
    return error;
  }

  readonly #return = (): Step | Promise<Step> => {
    this.#over = true;
    const returned = this.#iteration?.return?.() as Step | Promise<Step> | undefined;
    return returned ?? { done: true, value: undefined };
  };

  readonly close = (): void | Promise<void> => {
    if (this.#closed) return;
    this.#closed = true;
    let closed: void | Promise<void>;
    try {
      closed = this.#body.close?.();
    } finally {
      this.#observer.close();
    }
    return closed;
  };
}
