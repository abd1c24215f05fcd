// One call of a validated application: what is known of it, and of the validators around and inside it. Stacked validators
// find each other through a key of environ, which survives when a middleware copies it. (MW)

import type { Environ } from '../../core/types.ts';
import { violation, type Warn } from './report.ts';

const KEY = 'waygate.validator';

export class ValidatedCall {
  readonly warn: Warn;
  /** The call of the validator around this one, with a middleware in between; null for the outermost. */
  readonly outer: ValidatedCall | null;
  /** The calls of validators inside, in the order they began. */
  readonly inner: ValidatedCall[] = [];

  /** The application has returned its body. */
  returned = false;
  /** The response is over: the body is closed, or was an array, or there never was one. */
  over = false;
  /** The body was closed before its end: the client has left, and what is still called has no effect. */
  gone = false;
  /** Whether the application returned a body that has to be closed. */
  open = false;
  /** Chunks that the body gave to the code that iterates it. */
  gave = 0;
  /** Chunks that the bodies inside gave to the middleware. */
  got = 0;
  /** Whether the application called `write` with data. */
  wrote = false;

  /**
   * @throws {ContractError} ENV-03 when this environ served a request already
   */
  constructor(environ: Environ, warn: Warn) {
    this.warn = warn;
    let around = environ[KEY] as ValidatedCall | undefined;
    const first = around;
    while (around?.over) around = around.outer ?? undefined;
    if (first !== undefined && around === undefined) {
      throw violation('ENV-03', 'The environ of an earlier request came again.');
    }
    this.outer = around ?? null;
    this.outer?.inner.push(this);
    environ[KEY] = this;
  }

  /**
   * A chunk of the body is asked for: is it this middleware's turn?
   *
   * @throws {ContractError} L-55, L-56
   */
  checkPace(): void {
    const { outer } = this;
    if (outer === null) return;
    if (!outer.returned) {
      throw violation('L-55', 'A middleware asked for a chunk of the body inside before it returned its own body.');
    }
    if (outer.gave < outer.got) {
      throw violation('L-56', `A middleware asked for chunk ${outer.got + 1} after it gave ${outer.gave}.`);
    }
  }

  /** A chunk of the body is handed out. */
  give(): void {
    this.gave++;
    if (this.outer !== null) this.outer.got++;
  }

  /**
   * The body of a middleware is closed: those inside have to be, too.
   *
   * @throws {ContractError} L-64
   */
  checkInnerClosed(): void {
    if (this.inner.some((each) => each.open)) {
      throw violation('L-64', 'A middleware was done with its own body and left the body inside it open.');
    }
  }
}

/** The outermost validator sees what the gateway made; below it a middleware may have changed that. */
export function isOutermost(environ: Environ): boolean {
  return environ[KEY] === undefined;
}
