// toNetlify under `@netlify/dev`, Netlify's development server. Nightly: it is large, and starts a worker for each request.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { netlify } from './presets/capabilities.ts';
import { startNetlify } from './presets/netlify-dev.ts';
import { runsLarge } from './presets/tools.ts';
import type { Running } from './runtimes/process.ts';
import { type Outcome, suiteEntries } from './runtimes/suite.ts';

/** How many tests of the suite run in one request. */
const AT_ONCE = 100;

describe.runIf(runsLarge)('Netlify', () => {
  let there: Running;
  beforeAll(async () => {
    there = await startNetlify('netlify-suite');
  });
  afterAll(() => there?.stop());

  const titles = suiteEntries(netlify).map(({ title }) => title);
  for (let from = 0; from < titles.length; from += AT_ONCE) {
    it(`toNetlify conforms: tests ${from} to ${Math.min(from + AT_ONCE, titles.length)}`, async () => {
      const response = await fetch(`${there.url}/runs/${from}-${from + AT_ONCE}`);
      const outcomes = (await response.json()) as Outcome[];
      expect(outcomes.map(({ title }) => title)).toEqual(titles.slice(from, from + AT_ONCE));
      expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([]);
    });
  }

  it('has the id, the place and the context of Netlify', async () => {
    const response = await fetch(`${there.url}/a%2Fb?c`, { method: 'POST', body: 'text' });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const environ = (await response.json()) as Record<string, unknown>;
    expect(environ).toMatchObject({
      'waygate.gateway': 'netlify',
      REQUEST_URI: '/a%2Fb?c',
      PATH_INFO: '/a/b',
      body: 'text',
      geo: { country: 'US', region: 'CA', city: 'San Francisco', timezone: 'UTC' },
    });
    expect(environ['waygate.request_id']).toMatch(/^[0-9A-Z]{26}$/);
    expect(environ.objects).toContain('netlify.context');
    // The development server knows no address.
    expect(environ).not.toHaveProperty('REMOTE_ADDR');
  });
});
