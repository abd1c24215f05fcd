// The rules that the validator looks after: one table of ids, levels and texts. The page docs/contract.md has the same
// rules under the same ids; tests/docs/contract.test.ts holds the two against each other.

import { REQUEST_RULES } from './request-rules.ts';
import { RESPONSE_RULES } from './response-rules.ts';

/** A rule of the contract as the validator knows it. */
export interface Rule {
  /** Whom it binds. */
  readonly binds: string;
  /** An error is thrown; a warning goes to `wsgi.errors`, once per rule and validator. */
  readonly level: 'error' | 'warning';
  /** What holds where the rule is kept: the sentence that every message about it carries. */
  readonly text: string;
}

/** The id of a rule that the validator checks. */
export type CheckedRule = keyof typeof REQUEST_RULES | keyof typeof RESPONSE_RULES;

/** Every rule that the validator checks, in the order of docs/contract.md. */
export const RULES: Readonly<Record<CheckedRule, Rule>> = { ...REQUEST_RULES, ...RESPONSE_RULES };
