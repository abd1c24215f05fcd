// How the files of the suite register their tests.

import type { Ability, Capabilities } from '../capabilities.ts';
import type { TestContext } from '../test-context.ts';

/** How the files of the suite register their tests. */
export interface Suite {
  readonly capabilities: Capabilities;
  readonly otherRealm: ((expression: string) => unknown) | undefined;
  /** A test that every platform passes. The title starts with the ids of the clauses that it holds up. */
  test(title: string, body: (context: TestContext) => Promise<void>): void;
  /** A test for platforms that have all these abilities. */
  requires(abilities: Ability[], title: string, body: (context: TestContext) => Promise<void>): void;
  /** The test that proves that a platform has an ability: where it is declared to be lacking, this test has to fail. */
  proves(ability: Ability, title: string, body: (context: TestContext) => Promise<void>): void;
}
