// The conformance suite: the whole contract as tests, held against anything that serves an application. It needs no test
// runner of its own, only a `describe` and an `it`.

import { fail } from './assert.ts';
import { type Ability, type Capabilities, FULL } from './capabilities.ts';
import { SUITES } from './suite/index.ts';
import { type Serve, TestContext } from './test-context.ts';

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
  /**
   * What the platform lacks. See {@link Capabilities}.
   *
   * @default the platform lacks nothing
   */
  capabilities?: Partial<Capabilities>;
  /**
   * `SCRIPT_NAME` as the platform gives it, for example a stage. Requests go below it.
   *
   * @default ''
   */
  mount?: string;
  /**
   * Evaluates an expression in another realm, for example `vm.runInNewContext`. Without it, such chunks are not tested. (STR-04)
   *
   * @default such chunks are not tested
   */
  otherRealm?: (expression: string) => unknown;
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
  const capabilities: Capabilities = { ...FULL, ...options.capabilities };
  const attempt = async (body: (context: TestContext) => Promise<void>): Promise<void> => {
    const context = new TestContext(serve, capabilities, options.mount ?? '');
    try {
      await body(context);
    } finally {
      await context.end();
    }
  };
  describe(name, () => {
    for (const [title, register] of Object.entries(SUITES)) {
      const tests: [title: string, body: () => Promise<void>][] = [];
      register({
        capabilities,
        otherRealm: options.otherRealm,
        test: (title, body) => void tests.push([title, () => attempt(body)]),
        requires: (abilities, title, body) => {
          if (abilities.every((ability) => capabilities[ability])) tests.push([title, () => attempt(body)]);
        },
        proves: (ability, title, body) => {
          if (capabilities[ability]) tests.push([title, () => attempt(body)]);
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
