// Malformed requests, clients that leave and applications that fail, on every Node and every transport: no request ends the
// process, no connection stays open, and nothing is kept. One process for each pair has to stand it all.
//
// WAYGATE_FUZZ_COUNT: how many cases in all, shared among the pairs; default 4,000
// WAYGATE_FUZZ_SEED: where the generator begins; default 1
// WAYGATE_FUZZ_CASE: the number of one case, which then is the only one

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, type ExpectStatic, test } from 'vitest';
import { NODE_VERSIONS, nodeRuntime } from '../../tools/node-runtimes.mjs';
import { FAILING } from './fuzz/apps.ts';
import type { Outcome } from './fuzz/bodies.ts';
import { send } from './fuzz/drive.ts';
import { FAILING_HANDLERS, FAILING_LISTENERS } from './fuzz/hosted.ts';
import { type Case, http1Case } from './fuzz/http1.ts';
import { ask, http2Case } from './fuzz/http2.ts';
import { outcomeOf } from './fuzz/outcome.ts';
import { type Fuzzed, prepare, startFuzzed } from './fuzz/process.ts';
import { Random } from './fuzz/random.ts';
import type { Stats, Target, Transport } from './fuzz/server.ts';

const TRANSPORTS: readonly Transport[] = ['tcp', 'unix', 'tls', 'http2'];
const COUNT = Math.ceil(Number(process.env.WAYGATE_FUZZ_COUNT ?? 4000) / NODE_VERSIONS.length / TRANSPORTS.length);
const SEED = Number(process.env.WAYGATE_FUZZ_SEED ?? 1);
const ONLY = process.env.WAYGATE_FUZZ_CASE;
/** How many connections are open at once. */
const AT_ONCE = 150;
/**
 * How much a process may have grown in the end, in bytes: what one case keeps shows in many. Bounded caches and the engine's own
 * code take up to 2.5 MiB in thousands of cases, and no more in twice as many.
 */
const GROWTH = 3 * 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'waygate-fuzz-'));
beforeAll(() => prepare(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The cases of one pair of Node and transport; each is made when it is sent. */
function* cases(transport: Transport, first: number, count: number): Generator<[number: number, Case]> {
  for (let number = first; number < first + count; number++) {
    const random = new Random(SEED * 1e6 + number);
    yield [number, transport === 'http2' ? http2Case(random) : http1Case(random)];
  }
}

/** Sends cases on many connections at once. Throws for the first that does not end as it should. */
async function run(
  fuzzed: Fuzzed,
  transport: Transport,
  all: Iterator<[number, Case]>,
  expect: ExpectStatic,
): Promise<void> {
  const { targets } = await fuzzed.stats();
  const open = new Map<number, Case>();
  const work = async (): Promise<void> => {
    for (let next = all.next(); !next.done && !fuzzed.hasEnded(); next = all.next()) {
      const [number, each] = next.value;
      open.set(number, each);
      const { received } = await send(each, targets[each.target], transport).catch(async (error) => {
        // A connection is refused a moment before the end of the process is known.
        await new Promise((resolve) => setTimeout(resolve, 500));
        if (fuzzed.hasEnded()) throw ended(fuzzed, open);
        throw new Error(`${error.message}\n${shown(number, each)}`);
      });
      open.delete(number);
      if (transport !== 'http2' && received !== '') expect(received.slice(0, 9), shown(number, each)).toBe('HTTP/1.1 ');
    }
  };
  const workers = Array.from({ length: AT_ONCE }, work);
  await Promise.all(workers);
  if (fuzzed.hasEnded()) throw ended(fuzzed, open);
}

function ended(fuzzed: Fuzzed, open: Map<number, Case>): Error {
  const suspects = [...open].map(([number, each]) => shown(number, each)).join('\n');
  return new Error(`the process has ended: ${fuzzed.output().slice(-3000)}\nwhile these were open:\n${suspects}`);
}

function shown(number: number, { kind, target, end, pieces }: Case): string {
  const bytes = JSON.stringify(Buffer.concat(pieces).toString('latin1').slice(0, 300));
  return `case ${number} (${kind}, for ${target}, its client ${end}): ${bytes}`;
}

/** How a process stands once all connections are gone and all bodies closed. */
async function atRest(fuzzed: Fuzzed, expect: ExpectStatic): Promise<Stats> {
  const open = async (): Promise<unknown> => (await fuzzed.stats()).bodies.open;
  await expect
    .poll(open, { timeout: 10_000, interval: 300 })
    .toEqual({})
    .catch((error) => {
      throw fuzzed.hasEnded() ? ended(fuzzed, new Map()) : error;
    });
  return fuzzed.stats();
}

const FAILURES: [Target, Record<string, [Outcome, unknown]>][] = [
  ['app', FAILING],
  ['node', FAILING_LISTENERS],
  ['fetch', FAILING_HANDLERS],
];

/** Asks each failing application for one response, and says where its client saw something else than it should. */
async function wrongOutcomes(fuzzed: Fuzzed, transport: Transport): Promise<string[]> {
  const { targets } = await fuzzed.stats();
  const wrong: string[] = [];
  const all = FAILURES.flatMap(([target, table]) =>
    Object.entries(table).map(async ([name, [expected]]) => {
      const seen = await outcomeOf(targets[target], transport, target, name);
      const isRight = expected === 'failed' ? seen === 500 || seen === 'cut' : seen === expected;
      if (expected !== 'any' && !isRight) wrong.push(`${target} ${name}: ${seen} instead of ${expected}`);
    }),
  );
  await Promise.all(all);
  if (fuzzed.hasEnded()) throw ended(fuzzed, new Map());
  return wrong.sort();
}

/** A request that is as it should be. */
function fine(transport: Transport, target: Target): Case {
  const http1 = Buffer.from('GET /fine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const pieces = [transport === 'http2' ? ask('/fine') : http1];
  return { kind: 'the end', target, pieces, pause: 0, end: 'waits', patience: 0, streams: [1] };
}

/** Sends all cases of one pair to a process of its own, which has to stand them. */
async function judge(fuzzed: Fuzzed, name: string, pair: Pair, expect: ExpectStatic): Promise<void> {
  const { transport, count, shift } = pair;
  if (ONLY === undefined) expect(await wrongOutcomes(fuzzed, transport)).toEqual([]);
  const first = ONLY === undefined ? shift : Number(ONLY);
  // What is made once is made before it is measured.
  if (ONLY === undefined) await run(fuzzed, transport, cases(transport, 1e5 + shift, 150), expect);
  const before = await atRest(fuzzed, expect);
  await run(fuzzed, transport, cases(transport, first, ONLY === undefined ? count : 1), expect);
  const after = await atRest(fuzzed, expect);
  for (const target of ['app', 'node', 'fetch', 'logs'] as const) {
    const { received } = await send(fine(transport, target), after.targets[target], transport);
    if (transport === 'http2') expect(received, target).toMatch(/fine|some of it/);
    else expect(received, target).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  }
  expect(fuzzed.hasEnded()).toBe(false);
  expect(after.bodies.closedAgain).toBe(0);
  // The last of them may still be closing.
  const descriptors = async (): Promise<number> => (await fuzzed.stats()).descriptors;
  await expect.poll(descriptors, { timeout: 15_000, interval: 300 }).toBeLessThanOrEqual(before.descriptors);
  const growth = after.heapUsed + after.external - before.heapUsed - before.external;
  console.log(`${name}, ${transport}: ${count} cases, ${(growth / 1024).toFixed()} KiB more in memory`);
  expect(growth).toBeLessThan(GROWTH);
}

interface Pair {
  transport: Transport;
  count: number;
  /** Added to the number of the first case. */
  shift: number;
}

/**
 * Node 20 has an nghttp2 that ends the process over malformed frames after an error of the connection (CVE-2026-27135); it gets
 * no others any more. There fewer cases are sent. Node 20 and 22 also assert, when a session is collected, that its memory is
 * released, and now and then it is not (nodejs/node#39951 has one way). No code in JavaScript stands between. Other cases are
 * sent where that has happened.
 */
const DEFECTS = [
  { version: '20.', sign: /NGHTTP2_IB_IGN_ALL|Http2Session::~Http2Session/, count: 250 },
  { version: '22.', sign: /Http2Session::~Http2Session/, count: Number.POSITIVE_INFINITY },
];
const ATTEMPTS = 4;

describe.each(NODE_VERSIONS)('Node %s', (version) => {
  test.concurrent.for(TRANSPORTS)(
    `stands ${COUNT} malformed requests and failing applications over %s`,
    { timeout: 240_000 + COUNT * 100 },
    async (transport, { expect }) => {
      const defect = transport === 'http2' ? DEFECTS.find((each) => version.startsWith(each.version)) : undefined;
      const count = Math.min(COUNT, defect?.count ?? COUNT);
      for (let attempt = 1; ; attempt++) {
        const fuzzed = await startFuzzed(nodeRuntime(version), transport, folder);
        try {
          await judge(fuzzed, `Node ${version}`, { transport, count, shift: (attempt - 1) * 10_000 }, expect);
          return;
        } catch (error) {
          const isNodes = defect?.sign.test(fuzzed.output()) === true;
          if (!isNodes || attempt === ATTEMPTS) throw error;
          console.log(`Node ${version}, ${transport}: ended by a defect of Node; other cases are sent`);
        } finally {
          await fuzzed.stop();
        }
      }
    },
  );
});
