// Holds the tests to the contract: breaks one rule at a time in a copy of the sources (mutations/list.mjs) and runs the
// conformance suite, the core's tests and the validator's over it. Every mutation has to be caught.
//
// usage: node tools/mutations.mjs [--only TEXT] [--every N] [--parallel N]
//   --only TEXT   mutations whose rule, file or description matches the regular expression TEXT
//   --every N     each N-th of them only
//   --parallel N  how many to run at once; default 2

import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import LIST from './mutations/list.mjs';

/** @typedef {import('./mutations/list.mjs').Mutation} Mutation */
/** @typedef {{ mutation: Mutation, verdict: 'caught' | 'missed' | 'stale', by: string }} Outcome */

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a copy needs to run the tests. */
const COPIED = [
  'core',
  'adapters',
  'middleware',
  'testing',
  'tests',
  'examples',
  'tools',
  'package.json',
  'vitest.config.ts',
];

/** The tests that look at what every adapter shares. */
const TESTS = [
  'tests/adapters/fetch/conformance.test.ts',
  'tests/adapters/fetch/to-fetch.test.ts',
  'tests/adapters/fetch/backpressure.test.ts',
  'tests/core',
  'tests/middleware/validator',
];

/** Tests that import each other's files once more under other globals: they need a module graph for each file. */
const ISOLATED = 'tests/adapters/fetch';

/** After so many milliseconds a mutation counts as caught: it has made something wait for ever. */
const PATIENCE = 60_000;

/** A copy of the project in which one file at a time is another one. */
class Copy {
  folder = mkdtempSync(join(tmpdir(), 'waygate-mutation-'));

  constructor() {
    for (const each of COPIED) cpSync(join(ROOT, each), join(this.folder, each), { recursive: true });
    mkdirSync(join(this.folder, 'results'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
  }

  /**
   * @param {Mutation} mutation
   * @returns {Promise<Outcome>}
   */
  async try(mutation) {
    const path = join(this.folder, mutation.file);
    const source = readFileSync(path, 'utf8');
    if (source.split(mutation.from).length !== 2)
      return { mutation, verdict: 'stale', by: `not once in ${mutation.file}` };
    writeFileSync(
      path,
      source.replace(mutation.from, () => mutation.to),
    );
    try {
      const by = await this.test(mutation.tests ?? TESTS);
      return { mutation, verdict: by === null ? 'missed' : 'caught', by: by ?? '' };
    } finally {
      writeFileSync(path, source);
    }
  }

  /**
   * Runs tests up to the first that fails.
   *
   * @param {string[]} tests files and folders
   * @param {number} [patience] after so many milliseconds it counts as failed
   * @returns {Promise<string | null>} what failed, or null
   */
  async test(tests, patience = PATIENCE) {
    const results = join(this.folder, 'results/results.json');
    rmSync(results, { force: true });
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      'unit',
      '--bail',
      '1',
      '--maxWorkers',
      '1',
      tests.includes(ISOLATED) ? '--isolate' : '--no-isolate',
    ];
    const child = spawn(process.execPath, [...args, '--reporter', 'json', '--outputFile', results, ...tests], {
      cwd: this.folder,
      stdio: 'ignore',
      timeout: patience,
      killSignal: 'SIGKILL',
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    if (code === 0) return null;
    if (!existsSync(results)) return 'a run that does not end';
    /** @type {{ testResults: { name: string, message: string, assertionResults: { status: string, fullName: string }[] }[] }} */
    const { testResults } = JSON.parse(readFileSync(results, 'utf8'));
    const failed = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === 'failed');
    return (
      failed?.fullName ?? testResults.find(({ message }) => message)?.message.split('\n')[0] ?? 'an unhandled error'
    );
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    every: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '2' },
  },
});
const chosen = LIST.filter(({ rule, file, what }) => new RegExp(options.only).test(`${rule} ${file} ${what}`)).filter(
  (_, index) => index % Number(options.every) === 0,
);
const contract = readFileSync(join(ROOT, 'docs/contract.md'), 'utf8');
const unknown = chosen.filter(({ rule }) => !contract.includes(`**${rule}**`));
const copies = Array.from({ length: Math.min(Number(options.parallel), chosen.length) }, () => new Copy());
/** @type {Outcome[]} */
const outcomes = [];
let failed = unknown.length > 0;
for (const { rule } of unknown) console.log(`unknown rule  ${rule}`);
try {
  // All that the mutations name, so that it takes longer than one of them.
  const lists = chosen.map(({ tests }) => tests ?? TESTS);
  const isolated = lists.filter((tests) => tests.includes(ISOLATED)).flat();
  const shared = lists.filter((tests) => !tests.includes(ISOLATED)).flat();
  let without = null;
  for (const tests of [isolated, shared]) {
    if (tests.length > 0) without ??= (await copies[0]?.test([...new Set(tests)], 5 * PATIENCE)) ?? null;
  }
  if (without) {
    console.log(`The tests fail without any mutation: ${without}`);
    failed = true;
  } else {
    const queue = [...chosen];
    await Promise.all(
      copies.map(async (copy) => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const outcome = await copy.try(next);
          outcomes.push(outcome);
          const { verdict, by, mutation } = outcome;
          console.log(`${verdict}  ${mutation.rule.padEnd(9)} ${mutation.what}${by && `  ←  ${by.slice(0, 100)}`}`);
        }
      }),
    );
  }
} finally {
  for (const copy of copies) copy.remove();
}
const count = (/** @type {Outcome['verdict']} */ verdict) => outcomes.filter((each) => each.verdict === verdict).length;
console.log(
  `${chosen.length} mutations: ${count('caught')} caught, ${count('missed')} missed, ${count('stale')} stale`,
);
process.exitCode = failed || count('caught') !== chosen.length ? 1 : 0;
