// The conformance suite as tests of vitest that run in another runtime, one request each.

import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Capabilities } from 'waygate/testing';
import type { Running } from './process.ts';
import { type Outcome, suiteEntries } from './suite.ts';

/**
 * @param name names the platform in the titles
 * @param capabilities the same that the runtime's own side has
 * @param start starts the program there that answers with `runEntry`
 * @param except tests that would end the platform itself, by the start of their titles, with the reason
 */
export function remoteConformance(
  name: string,
  capabilities: Partial<Capabilities>,
  start: () => Promise<Running>,
  except: Record<string, string> = {},
): void {
  describe(name, () => {
    let there: Running;
    beforeAll(async () => {
      there = await start();
    });
    afterAll(() => there?.stop());

    const run = async (index: number, title: string): Promise<string | null> => {
      const response = await fetch(`${there.url}/run/${index}`);
      const text = await response.text();
      if (!response.ok) return `the runtime answered ${response.status}: ${text}\n${there.output()}`;
      const outcome = JSON.parse(text) as Outcome;
      return outcome.title === title ? outcome.failure : `ran "${outcome.title}": the two sides list different tests`;
    };

    suiteEntries(capabilities).forEach(({ title }, index) => {
      if (Object.keys(except).some((start) => title.includes(start))) return;
      it(title, async () => {
        let failure = await run(index, title).catch(String);
        if (failure !== null && (await hasDied(there))) {
          // `wrangler dev` itself falls over now and then when an upload is answered before it was read.
          console.warn(`The runtime died in "${title}", which runs once more in a new one.`);
          there = await start();
          failure = await run(index, title);
        }
        if (failure !== null) throw new Error(failure);
      });
    });
  });
}

/** Whether a runtime has ended; one that is about to gets a moment for it. */
async function hasDied(there: Running): Promise<boolean> {
  for (let turn = 0; turn < 10 && !there.hasEnded(); turn++) await new Promise((resolve) => setTimeout(resolve, 50));
  return there.hasEnded();
}
