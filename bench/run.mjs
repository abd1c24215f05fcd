// Runs benches and prints their tables: `npm run bench`, `npm run bench -- node --quick`.
//
//   SUITE …        names of files in bench/suites/; default: all
//   --quick        few short rounds: shows that it works, its figures are rough
//   --rounds=N     rounds per contestant; default 7
//   --seconds=N    length of one measurement; default 3
//   --json=FILE    also writes the results there
//   --node=FILE    the Node that runs the contestants; default: this one
//   --before=FOLDER another checkout of Waygate, built: its figures stand beside those of this one
//
// A suite exports `title` and `run(options)`, which returns tables as lib/table.mjs takes them. It measures its
// contestants in turns, never one after the other, so that what else the machine does falls on all of them alike.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { printTable } from './lib/table.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    before: { type: 'string' },
  },
});
const options = {
  quick: values.quick,
  rounds: Number(values.rounds ?? (values.quick ? 3 : 7)),
  seconds: Number(values.seconds ?? (values.quick ? 0.5 : 3)),
  node: values.node,
  before: values.before === undefined ? undefined : resolve(values.before),
  // Older checkouts have no light classes.
  light: './light-fetch' in JSON.parse(readFileSync(here('../package.json'), 'utf8')).exports,
};

const known = readdirSync(here('suites'))
  .filter((name) => name.endsWith('.mjs'))
  .map((name) => name.slice(0, -4));
for (const name of positionals) {
  if (known.includes(name)) continue;
  console.error(`There is no suite "${name}"; there are: ${known.join(', ')}.`);
  process.exit(1);
}

if (!existsSync(here('../dist/core/index.js'))) {
  execFileSync('npm', ['run', 'build'], { cwd: here('..'), stdio: 'inherit' });
}

const machine = `${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown processor'}, ${os.type()}`;
console.log(`Node ${execFileSync(options.node, ['--version'], { encoding: 'utf8' }).trim()}, ${machine}`);
console.log(
  `${options.rounds} rounds of ${options.seconds} s each, in turns; medians, with the range of the middle half`,
);

const results = {};
for (const name of positionals.length > 0 ? positionals : known) {
  const suite = await import(new URL(`suites/${name}.mjs`, import.meta.url).href);
  console.log(`\n# ${suite.title}\n`);
  results[name] = await suite.run(options);
  for (const table of results[name]) printTable(table);
}
if (values.json !== undefined) {
  const { rounds, seconds } = options;
  const measured = { date: new Date().toISOString().slice(0, 10), machine, rounds, seconds };
  writeFileSync(values.json, `${JSON.stringify({ measured, ...results }, null, 2)}\n`);
}
