// The conformance suite as tests of vitest that run in another runtime, one request each.

import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Capabilities } from 'waygate/testing';
import type { Running } from './process.ts';
import { type Outcome, suiteEntries } from './suite.ts';

/**
 * @param name names the platform in the titles
 * @param capabilities the same that the runtime's own side has
 * @param start starts the program there that answers with `runEntry`
 */
export function remoteConformance(
  name: string,
  capabilities: Partial<Capabilities>,
  start: () => Promise<Running>,
): void {
  describe(name, () => {
    let there: Running;
    beforeAll(async () => {
      there = await start();
    });
    afterAll(() => there?.stop());

    suiteEntries(capabilities).forEach(({ title }, index) => {
      it(title, async () => {
        const response = await fetch(`${there.url}/run/${index}`);
        const text = await response.text();
        if (!response.ok) throw new Error(`the runtime answered ${response.status}: ${text}\n${there.output()}`);
        const outcome = JSON.parse(text) as Outcome;
        if (outcome.title !== title) throw new Error(`ran "${outcome.title}": the two sides list different tests`);
        if (outcome.failure !== null) throw new Error(outcome.failure);
      });
    });
  });
}
