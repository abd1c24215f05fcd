// What the validator costs: the same application through `toFetch`, alone, behind the validator, and behind two of them.
// Alone is what production runs: nothing of the validator is loaded or called there.

import { toFetch } from '../../dist/adapters/fetch/index.js';
import { encode } from '../../dist/core/index.js';
import { validator } from '../../dist/middleware/index.js';
import { inTurns } from '../lib/rounds.mjs';

export const title = 'The validator: one application through toFetch, in one process';

const TYPE = [['Content-Type', 'text/plain']];
const page = encode('Hello, world!\n');
const kilobyte = new Uint8Array(1024);

const APPLICATIONS = [
  [
    'GET, an array of one chunk',
    (_environ, startResponse) => {
      startResponse('200 OK', TYPE);
      return [page];
    },
  ],
  [
    'GET, a generator of 100 chunks of 1 KiB',
    function* (_environ, startResponse) {
      startResponse('200 OK', TYPE);
      for (let chunk = 0; chunk < 100; chunk++) yield kilobyte;
    },
  ],
  [
    'POST, ten lines read and sent back',
    async (environ, startResponse) => {
      startResponse('200 OK', TYPE);
      const lines = [];
      for await (const line of environ['wsgi.input']) lines.push(line);
      return lines;
    },
    { method: 'POST', body: 'a line of the body\n'.repeat(10) },
  ],
];

const CONTESTANTS = [
  ['alone', (app) => app],
  ['validator', validator],
  ['two validators', (app) => validator(validator(app))],
];

/** Microseconds per request, over this many seconds. */
async function measure(serve, init, seconds) {
  let requests = 0;
  const begun = performance.now();
  const end = begun + seconds * 1000;
  while (performance.now() < end) {
    for (let each = 0; each < 20; each++) await (await serve('/some/path?q=1', init)).arrayBuffer();
    requests += 20;
  }
  return ((performance.now() - begun) * 1000) / requests;
}

/** @param {{ rounds: number, seconds: number }} options */
export async function run({ rounds, seconds }) {
  const tables = [];
  for (const [name, app, init] of APPLICATIONS) {
    const contestants = CONTESTANTS.map(([label, wrap]) => ({
      label,
      serve: toFetch(wrap(app), {
        errors: (text) => {
          throw new Error(`The validator found something: ${text}`);
        },
      }),
    }));
    const expected = await (await contestants[0].serve('/', init)).text();
    for (const { label, serve } of contestants) {
      if ((await (await serve('/', init)).text()) !== expected) throw new Error(`${label} answers something else`);
      await measure(serve, init, Math.min(seconds, 0.3)); // warms it up
    }
    const values = await inTurns(contestants, rounds, async ({ serve }) => [await measure(serve, init, seconds / 3)]);
    const rows = contestants.map(({ label }, index) => ({ name: label, values: values[index] }));
    tables.push({ title: name, baseline: 'alone', columns: [{ name: 'µs/request', digits: 2 }], rows });
  }
  return tables;
}
