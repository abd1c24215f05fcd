// The head of a response that a middleware changes: held back until it cannot change any more, then decided. (MW-04)

import { checkHeaders, checkStatus } from '../core/check.ts';
import type { HeaderList, ReadonlyHeaderList, StartResponse, Write } from '../core/types.ts';
import type { Decide, Head, Outcome } from './outcome.ts';

/** The head of one response. */
export class HeldHead {
  readonly #outer: StartResponse;
  readonly #decide: Decide;
  #given: Head | null = null;
  /** The error that came along with it; the caller of the middleware gets it, too. (MW-04) */
  #error: unknown;
  #outcome: Outcome | null = null;
  #through: Write | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(outer: StartResponse, decide: Decide) {
    this.#outer = outer;
    this.#decide = decide;
  }

  /** What the application gave to startResponse last, until the decision. */
  get given(): Head | null {
    return this.#given;
  }

  /** What was decided; null before, and where the response is the application's own affair. */
  get outcome(): Outcome | null {
    return this.#outcome;
  }

  /** Everything goes straight to the caller of the middleware: the write of its startResponse. */
  get through(): Write | null {
    return this.#through;
  }

  /** The application failed, or gave an error when it was too late for a head of its own. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /**
   * What the application calls.
   *
   * @param write the write of the response that is changed
   */
  start(status: string, headers: ReadonlyHeaderList, error: unknown, write: Write): Write {
    if (this.#through !== null) return this.#outer(status, headers, error);
    if (this.#outcome !== null && error !== undefined) {
      this.#failure = { error };
      throw error;
    }
    // The outer one says what is wrong with a second call, and with arguments that are none.
    if (this.#outcome !== null) return this.#outer(status, headers);
    if (this.#given !== null && error === undefined) {
      this.#pass(this.#given);
      return this.#outer(status, headers);
    }
    this.#given = this.#checked(status, headers, error);
    this.#error = error;
    return write;
  }

  #checked(status: string, headers: ReadonlyHeaderList, error: unknown): Head {
    try {
      const { statusCode } = checkStatus(status);
      return { status, code: statusCode, ...checkHeaders(headers) };
    } catch (refused) {
      this.#given = null;
      this.#outer(status, headers, error);
      throw refused;
    }
  }

  /** The application failed; a failure before this one counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Asks the middleware what becomes of the response. */
  decide(head: Head, chunks: Uint8Array[] | null): Outcome {
    return this.#decide({ ...head, headers: [...head.headers] }, chunks);
  }

  /**
   * Hands the head on.
   *
   * @param isBegun whether the body is being read already: then it cannot go straight through any more
   */
  commit(outcome: Outcome, isBegun: boolean): void {
    if (outcome.coder === undefined && outcome.chunks === undefined && !isBegun) {
      this.#pass(outcome);
      return;
    }
    this.#outcome = outcome;
    this.#outer(outcome.status, outcome.headers, this.#error);
  }

  #pass({ status, headers }: { status: string; headers: HeaderList }): void {
    this.#through = this.#outer(status, headers, this.#error);
  }
}
