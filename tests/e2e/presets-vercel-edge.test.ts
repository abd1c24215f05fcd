// toVercel in Vercel's own edge-runtime.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundle } from './presets/bundle.ts';
import { vercelEdge } from './presets/capabilities.ts';
import { packages } from './presets/tools.ts';
import { type Outcome, suiteEntries } from './runtimes/suite.ts';

interface EdgeRuntime {
  dispatchFetch(url: string, init?: RequestInit): Promise<Response & { waitUntil(): Promise<unknown> }>;
  evaluate(code: string): unknown;
}

interface EdgePackage {
  EdgeRuntime: new (options: { initialCode: string }) => EdgeRuntime;
}

/** An edge runtime with the program edge-suite.ts in it. */
async function start(): Promise<EdgeRuntime> {
  const { EdgeRuntime } = packages('.')('edge-runtime') as EdgePackage;
  const folder = mkdtempSync(join(tmpdir(), 'waygate-edge-'));
  const file = join(folder, 'suite.js');
  try {
    await bundle('./edge-suite.ts', file);
    return new EdgeRuntime({ initialCode: readFileSync(file, 'utf8') });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const edge = await start();

describe('toVercel in edge-runtime', () => {
  suiteEntries(vercelEdge).forEach(({ title }, index) => {
    it(title, async () => {
      const outcome = (await (await edge.dispatchFetch(`https://edge.example/run/${index}`)).json()) as Outcome;
      expect(outcome.title).toBe(title);
      if (outcome.failure !== null) throw new Error(outcome.failure);
    });
  });
});

it('as a listener of the runtime’s fetch events it has address, id, place and context of the edge', async () => {
  const response = await edge.dispatchFetch('https://site.example/a?b', {
    headers: {
      'x-real-ip': '192.0.2.1',
      'x-vercel-id': 'fra1::abcde-1',
      'x-vercel-ip-country': 'DE',
      'x-vercel-ip-country-region': 'BY',
      'x-vercel-ip-city': 'M%C3%BCnchen',
      'x-vercel-ip-latitude': '48.1',
      'x-vercel-ip-longitude': '11.5',
      'x-vercel-ip-timezone': 'Europe/Berlin',
    },
  });
  expect(await response.json()).toMatchObject({
    'waygate.gateway': 'vercel',
    'wsgi.url_scheme': 'https',
    REMOTE_ADDR: '192.0.2.1',
    'waygate.request_id': 'fra1::abcde-1',
    context: 'function',
    geo: {
      country: 'DE',
      region: 'BY',
      city: 'München',
      latitude: 48.1,
      longitude: 11.5,
      timezone: 'Europe/Berlin',
    },
  });
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  await response.waitUntil();
  expect(edge.evaluate('globalThis.isDone')).toBe(true);
});
