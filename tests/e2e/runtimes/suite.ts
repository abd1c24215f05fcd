// The conformance suite inside a runtime that is not Node: its tests as a list, each run on request. It runs there as a
// whole, application and client, since its applications are closures that cannot be sent anywhere.

import type { Capabilities, Serve } from '../../../testing/index.ts';
import { conformance } from '../../../testing/index.ts';

/** One test of the suite. */
export interface Entry {
  title: string;
  body(): Promise<void>;
}

/** What `GET /run/{index}` answers. */
export interface Outcome {
  title: string;
  /** The failure as text, or null. */
  failure: string | null;
}

/**
 * The tests of the suite for a platform. Both sides make the same list: the titles depend on the capabilities alone.
 *
 * @param serve how an application is served there; left out where only the titles count
 */
export function suiteEntries(capabilities: Partial<Capabilities>, serve?: Serve): Entry[] {
  const entries: Entry[] = [];
  const groups: string[] = [];
  const absent: Serve = () => {
    throw new Error('Nothing is served on this side.');
  };
  conformance('suite', serve ?? absent, {
    capabilities,
    describe(name, body) {
      groups.push(name);
      body();
      groups.pop();
    },
    it: (name, body) => void entries.push({ title: [...groups.slice(1), name].join(' > '), body }),
  });
  return entries;
}

/**
 * Answers `GET /run/{index}` with the {@link Outcome} of that test, anything else with the word `ready`.
 *
 * @param path the path of the request
 */
export async function runEntry(entries: Entry[], path: string): Promise<Response> {
  const entry = entries[Number(/^\/run\/([0-9]+)$/.exec(path)?.[1] ?? Number.NaN)];
  if (entry === undefined) return new Response('ready');
  let failure: string | null = null;
  try {
    await entry.body();
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  }
  const outcome: Outcome = { title: entry.title, failure };
  return Response.json(outcome);
}
