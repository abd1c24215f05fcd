// Measures on every Node version that is supported, and writes the tables of docs/performance.md: `npm run figures`. The tables
// of a suite that is not measured stay as they are.
//
//   SUITE …        names of files in bench/suites/; default: those that take a Node version
//   --rounds=N     rounds per contestant; default 3
//   --seconds=N    length of one measurement; default 1.5
//   --from=FOLDER  measures nothing: writes the tables from the results in this folder, and leaves out what is missing there
//
// The results are kept in build/figures/, one file for each suite and version.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** The results of one suite on one version; null where there are none. */
function measured(suite, version) {
  const file = join(folder, `${suite}-${version}.json`);
  if (values.from !== undefined && !existsSync(file)) return null;
  if (values.from === undefined) {
    const args = [suite, `--rounds=${values.rounds}`, `--seconds=${values.seconds}`];
    args.push(`--node=${nodeRuntime(version)}`, `--json=${file}`);
    execFileSync(process.execPath, [join(root, 'bench/run.mjs'), ...args], { stdio: 'inherit' });
  }
  return JSON.parse(readFileSync(file, 'utf8'));
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
  // The page has no rows of another checkout (`--before`).
  for (const { name } of first.rows.filter((row) => !row.name.endsWith(', before')))
    lines.push(`| ${name} | ${tables.map((table) => cell(table, name)).join(' | ')} |`);
  return lines.join('\n');
}

const version = (name) => {
  const file = join(root, 'bench/node_modules', name, 'package.json');
  return `${name} ${JSON.parse(readFileSync(file, 'utf8')).version}`;
};

/** When, where and how a suite was measured: once where that is the same for all versions. */
function provenance(byVersion) {
  const lines = byVersion.flatMap((results, at) => {
    if (results === null) return [];
    const { date, machine, rounds, seconds } = results.measured;
    return [{ node: NODE_VERSIONS[at], how: `on ${date}, on ${machine}, ${rounds} rounds of ${seconds} s` }];
  });
  const ways = [...new Set(lines.map(({ how }) => how))].map((how) => {
    const nodes = lines.filter((line) => line.how === how).map(({ node }) => node);
    return `${how}: Node ${nodes.join(', ')}`;
  });
  return `Measured ${ways.join('; ')}. ${PACKAGES.map(version).join(', ')}.`;
}

/** The part of the page for a suite; undefined where nothing was measured. */
async function section(suite) {
  const byVersion = NODE_VERSIONS.map((each) => measured(suite, each));
  const count = byVersion.find((results) => results !== null)?.[suite].length ?? 0;
  if (count === 0) return undefined;
  const tables = Array.from({ length: count }, (_, at) => rendered(byVersion.map((results) => results?.[suite][at])));
  return [`### ${await titleOf(suite)}`, provenance(byVersion), ...tables].join('\n\n');
}

const titleOf = async (suite) => (await import(new URL(`suites/${suite}.mjs`, import.meta.url).href)).title;

const page = join(root, 'docs/performance.md');
const text = readFileSync(page, 'utf8');
const begin = text.indexOf(BEGIN);
const end = text.indexOf(END);
if (begin < 0 || end < begin)
  throw new Error(`${page} has no place for the tables; expected the lines "${BEGIN}" and "${END}".`);
/** What the page has now, by the titles of its parts. */
const earlier = new Map();
for (const part of text.slice(begin + BEGIN.length, end).split(/^(?=### )/m)) {
  earlier.set(/^### (.*)/.exec(part)?.[1], part.trim());
}
const wanted = positionals.length > 0 ? positionals : SUITES;
const parts = [];
for (const suite of new Set([...SUITES, ...wanted])) {
  const part = (wanted.includes(suite) ? await section(suite) : undefined) ?? earlier.get(await titleOf(suite));
  if (part !== undefined) parts.push(part);
}
writeFileSync(page, `${text.slice(0, begin)}${BEGIN}\n\n${parts.join('\n\n')}\n\n${text.slice(end)}`);
