// How the validator speaks: an error is thrown, a warning goes to `wsgi.errors`, both in the words of the table of rules.

import { ContractError, helpFor } from '../../core/errors.ts';
import type { ErrorStream } from '../../core/types.ts';
import { type CheckedRule, RULES } from './rules.ts';

/**
 * An error about a broken rule.
 *
 * @param rule its id
 * @param seen a sentence that says what was seen
 */
export function violation(rule: CheckedRule, seen: string): ContractError {
  return new ContractError(rule, `${seen} ${RULES[rule].text}`);
}

/** Warns: `seen` as in {@link violation}. */
export type Warn = (rule: CheckedRule, seen: string) => void;

/** The warnings of one validator: each rule once, however many requests break it. */
export class Warnings {
  readonly #given = new Set<CheckedRule>();

  /** @param errors the `wsgi.errors` of the request, as the gateway made it */
  to(errors: ErrorStream): Warn {
    return (rule, seen) => {
      if (this.#given.has(rule)) return;
      this.#given.add(rule);
      errors.write(`validator: warning: ${seen} ${RULES[rule].text} See ${helpFor(rule)} [${rule}]\n`);
    };
  }
}
