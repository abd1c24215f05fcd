// Judges every contestant of bench/fidelity/handlers by `waygate check --fidelity` and writes docs/fidelity.md:
// `npm run fidelity`. Each contestant has its best options, and is judged at the event sources that its own documents name.
//
//   --print   prints the page instead of writing it

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { awslambda } from 'waygate/aws-lambda';
import { CHECKS } from '../../cli/dist/fidelity/checks.js';
import { columnsOf } from '../../cli/dist/fidelity/command.js';
import { judge } from '../../cli/dist/fidelity/judge.js';
import { pageOf } from '../../cli/dist/fidelity/pages.js';
import { fidelityPage } from './page.mjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** The version of an installed package. */
function versionOf(name) {
  if (name === 'waygate') return JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version;
  for (const folder of require.resolve.paths(name)) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version;
    } catch {}
  }
  throw new Error(`${name} is not installed; run npm install --prefix bench.`);
}

/** Some contestants log each failure, and some leave a rejection behind. */
async function silently(work) {
  const { error, warn } = console;
  const forget = () => {};
  console.error = forget;
  console.warn = forget;
  process.on('unhandledRejection', forget);
  try {
    return await work();
  } finally {
    Object.assign(console, { error, warn });
    process.off('unhandledRejection', forget);
  }
}

// What Lambda's runtime has.
globalThis.awslambda ??= awslambda;
const folder = new URL('./handlers/', import.meta.url);
const names = readdirSync(folder).filter((each) => each.endsWith('.mjs') && each !== 'text.mjs');
const columns = columnsOf('all');
const contestants = [];
for (const name of names) {
  const { title, packages, options, documented, sources, payloads, handler } = await import(new URL(name, folder).href);
  const own = columns.filter(
    ({ caller, payload = '2.0' }) => sources.includes(caller) && (payloads?.includes(payload) ?? true),
  );
  const { verdicts } = await silently(() => judge({ handler }, own, '/', true));
  const versions = packages.map((each) => `${each} ${versionOf(each)}`);
  contestants.push({ file: `bench/fidelity/handlers/${name}`, title, versions, options, documented, verdicts });
  const passed = verdicts.filter(({ outcome }) => outcome === 'passed').length;
  console.error(`${title}: ${passed} of ${verdicts.filter(({ outcome }) => outcome !== 'exempt').length}`);
}

const checks = CHECKS.map((check) => ({
  name: check.name,
  title: check.title,
  exempt: columns.flatMap((column) => {
    const why = check.exempt?.(column);
    return why === undefined ? [] : [{ column: column.label, why }];
  }),
  pages: [...new Set(columns.map(({ caller }) => pageOf(caller, check.topic)))],
}));
const page = fidelityPage({
  contestants,
  checks,
  columns: columns.map(({ label }) => label),
  node: process.versions.node,
});
if (process.argv.includes('--print')) process.stdout.write(page);
else writeFileSync(`${root}docs/fidelity.md`, page);
process.exit(0);
