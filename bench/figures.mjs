// Measures on every Node version that is supported, and writes the tables of docs/performance.md: `npm run figures`.
//
//   SUITE …        names of files in bench/suites/; default: those that take a Node version
//   --rounds=N     rounds per contestant; default 3
//   --seconds=N    length of one measurement; default 1.5
//   --from=FOLDER  measures nothing: writes the tables from the results in this folder, and leaves out what is missing there
//
// The results are kept in build/figures/, one file for each suite and version.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NODE_VERSIONS, nodeRuntime } from '../tools/node-runtimes.mjs';
import { median, ratio } from './lib/table.mjs';

const SUITES = ['lambda', 'hosted-lambda', 'node', 'hosted-node', 'streaming', 'cold'];
const PACKAGES = [
  'hono',
  '@hono/node-server',
  'express',
  'koa',
  'fastify',
  'srvx',
  'serverless-http',
  '@vendia/serverless-express',
  '@fastify/aws-lambda',
];
const BEGIN = '<!-- The tables begin: written by `npm run figures`. -->';
const END = '<!-- The tables end. -->';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1.5' },
    from: { type: 'string' },
  },
});
const folder = values.from ?? join(root, 'build/figures');
mkdirSync(folder, { recursive: true });

/** The tables of one suite on one version; null where there are none. */
function measured(suite, version) {
  const file = join(folder, `${suite}-${version}.json`);
  if (values.from !== undefined && !existsSync(file)) return null;
  if (values.from === undefined) {
    const args = [suite, `--rounds=${values.rounds}`, `--seconds=${values.seconds}`];
    args.push(`--node=${nodeRuntime(version)}`, `--json=${file}`);
    execFileSync(process.execPath, [join(root, 'bench/run.mjs'), ...args], { stdio: 'inherit' });
  }
  return JSON.parse(readFileSync(file, 'utf8'))[suite];
}

/** The column by which contestants are compared: processor time where it was measured. */
function columnOf({ columns }) {
  const at = columns.findIndex(({ name }) => name.startsWith('CPU'));
  return at < 0 ? 0 : at;
}

function cell(table, name) {
  if (table === undefined) return '–';
  const at = columnOf(table);
  const values = table.rows.find((row) => row.name === name)?.values[at];
  if (values === undefined) return '–';
  const value = median(values).toLocaleString('en-US', { maximumSignificantDigits: 3 });
  if (name === table.baseline) return value;
  const base = table.rows.find((row) => row.name === table.baseline).values[at];
  return `${value} · ${Math.round(ratio(values, base) * 100)} %`;
}

/** One table of the page: a row for each contestant, a column for each version. */
function rendered(tables) {
  const first = tables.find((table) => table !== undefined);
  const unit = first.columns[columnOf(first)].name;
  const lines = [
    `**${first.title}** (${unit})`,
    '',
    `| | ${NODE_VERSIONS.map((version) => `Node ${version.split('.')[0]}`).join(' | ')} |`,
    `|---|${NODE_VERSIONS.map(() => '---').join('|')}|`,
  ];
  for (const { name } of first.rows)
    lines.push(`| ${name} | ${tables.map((table) => cell(table, name)).join(' | ')} |`);
  return lines.join('\n');
}

const version = (name) => {
  const file = join(root, 'bench/node_modules', name, 'package.json');
  return `${name} ${JSON.parse(readFileSync(file, 'utf8')).version}`;
};

const parts = [
  `Measured on ${new Date().toISOString().slice(0, 10)}, on ${os.cpus().length} cores of an ${os.cpus()[0]?.model ?? 'unknown processor'}, ${os.type()}: ` +
    `Node ${NODE_VERSIONS.join(', ')}; ${PACKAGES.map(version).join(', ')}.`,
];
for (const suite of positionals.length > 0 ? positionals : SUITES) {
  const byVersion = NODE_VERSIONS.map((each) => measured(suite, each));
  const { title } = await import(new URL(`suites/${suite}.mjs`, import.meta.url).href);
  parts.push(`### ${title}`);
  const count = byVersion.find((tables) => tables !== null)?.length ?? 0;
  for (let at = 0; at < count; at++) parts.push(rendered(byVersion.map((tables) => tables?.[at])));
}

const page = join(root, 'docs/performance.md');
const text = readFileSync(page, 'utf8');
const begin = text.indexOf(BEGIN);
const end = text.indexOf(END);
if (begin < 0 || end < begin)
  throw new Error(`${page} has no place for the tables; expected the lines "${BEGIN}" and "${END}".`);
writeFileSync(page, `${text.slice(0, begin)}${BEGIN}\n\n${parts.join('\n\n')}\n\n${text.slice(end)}`);
