// The conformance suite: the whole contract as tests, held against anything that serves an application. It needs no test
// runner of its own, only a `describe` and an `it`.

import { fail } from './assert.ts';
import { type Ability, type Capabilities, FULL } from './capabilities.ts';
import { SUITES } from './suite/index.ts';
import { type Serve, TestContext } from './trial.ts';

/** Groups tests: `describe` of vitest, node:test, bun:test, Jasmine and the like. */
export type Describe = (name: string, body: () => void) => unknown;
/** Registers a test: `it` of the same. */
export type It = (name: string, body: () => Promise<void>) => unknown;

/** Options of {@link conformance}. */
export interface ConformanceOptions {
  /**
   * The test runner's function that groups tests.
   *
   * @default the global one
   */
  describe?: Describe;
  /**
   * The test runner's function that registers a test.
   *
   * @default the global one
   */
  it?: It;
  /** What the platform lacks. See {@link Capabilities}. */
  capabilities?: Partial<Capabilities>;
  /**
   * `SCRIPT_NAME` as the platform gives it, for example a stage. Requests go below it.
   *
   * @default ''
   */
  mount?: string;
  /** Evaluates an expression in another realm, for example `vm.runInNewContext`. Without it, such chunks are not tested. (STR-04) */
  otherRealm?: (expression: string) => unknown;
}

/** How the files of the suite register their tests. */
export interface Suite {
  readonly can: Capabilities;
  readonly otherRealm: ConformanceOptions['otherRealm'];
  /** A test that every platform passes. The title starts with the ids of the clauses that it holds up. */
  test(title: string, body: (trial: TestContext) => Promise<void>): void;
  /** A test for platforms that have all these abilities. */
  needs(abilities: Ability[], title: string, body: (trial: TestContext) => Promise<void>): void;
  /** The test that decides whether a platform has an ability: where it is declared to be lacking, this test has to fail. */
  decides(ability: Ability, title: string, body: (trial: TestContext) => Promise<void>): void;
}

/**
 * Registers the whole suite for one platform.
 *
 * @param name names the platform in the titles of the tests
 * @param serve serves an application, with these options, and returns how to reach it
 * @throws {TypeError} where there is no `describe` or `it`
 * @example
 * import { describe, it } from 'node:test';
 * conformance('toFetch', (app, options) => ({ fetch: toFetch(app, options) }), { describe, it, capabilities: { raw: false } });
 */
export function conformance(name: string, serve: Serve, options: ConformanceOptions = {}): void {
  const globals = globalThis as { describe?: Describe; it?: It };
  const describe = options.describe ?? globals.describe;
  const it = options.it ?? globals.it;
  if (typeof describe !== 'function' || typeof it !== 'function') {
    throw new TypeError('conformance() found no describe and it; pass those of the test runner as options.');
  }
  const can: Capabilities = { ...FULL, ...options.capabilities };
  const attempt = async (body: (trial: TestContext) => Promise<void>): Promise<void> => {
    const trial = new TestContext(serve, can, options.mount ?? '');
    try {
      await body(trial);
    } finally {
      await trial.end();
    }
  };
  describe(name, () => {
    for (const [title, register] of Object.entries(SUITES)) {
      const tests: [title: string, body: () => Promise<void>][] = [];
      register({
        can,
        otherRealm: options.otherRealm,
        test: (title, body) => void tests.push([title, () => attempt(body)]),
        needs: (abilities, title, body) => {
          if (abilities.every((ability) => can[ability])) tests.push([title, () => attempt(body)]);
        },
        decides: (ability, title, body) => {
          if (can[ability]) tests.push([title, () => attempt(body)]);
          else tests.push([`lacks ${ability}, so this fails: ${title}`, () => lacks(ability, () => attempt(body))]);
        },
      });
      // Some runners refuse a group without tests.
      if (tests.length > 0) describe(title, () => tests.forEach(([each, body]) => void it(each, body)));
    }
  });
}

/** How long the test of a lacking ability may go on: what waits for something that never comes need not wait on. */
const LACK_MS = 400;

async function lacks(ability: Ability, body: () => Promise<void>): Promise<void> {
  let patience: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    patience = setTimeout(resolve, LACK_MS, 'late');
  });
  try {
    const run = body();
    run.catch(() => {}); // may fail after this test is over
    if ((await Promise.race([run, late])) === 'late') return;
  } catch {
    return;
  } finally {
    clearTimeout(patience);
  }
  fail(`"${ability}" is declared to be lacking, but is there: take it out of the capabilities`);
}
