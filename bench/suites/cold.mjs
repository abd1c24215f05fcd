// Cold starts of Lambda functions: how long it takes to load the function and to answer the first event, in a process that
// has done nothing else. Bundled as `waygate build` bundles it, the peers as their users do with esbuild, and unbundled.

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { browserEvent } from '../lib/events.mjs';
import { inTurns } from '../lib/rounds.mjs';
import { withBefore } from '../lib/variants.mjs';
import { fileOf, root } from '../lib/waygate.mjs';

export const title = 'Cold start of a Lambda function: load and first event';

const run_ = promisify(execFile);
const here = fileURLToPath(new URL('..', import.meta.url));
const child = fileURLToPath(new URL('../lib/cold-child.mjs', import.meta.url));
const app = (name) => join(here, 'apps', `${name}.mjs`);

const LISTENER = `(request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end('Hello, world!\\n');
}`;

/** The peers' functions, as their documents have them. */
const PEERS = {
  'plain: serverless-http': `import serverlessHttp from 'serverless-http'; export const handler = serverlessHttp(${LISTENER});`,
  'Hono: hono/aws-lambda': `import { handle } from 'hono/aws-lambda'; import app from '${app('hono')}'; export const handler = handle(app);`,
  'Express: serverless-http': `import serverlessHttp from 'serverless-http'; import app from '${app('express')}'; export const handler = serverlessHttp(app);`,
};

const GROUPS = [
  ['plain', 'plain: serverless-http', { app: 'plain', wrap: 'app' }],
  [
    'Hono',
    'Hono: hono/aws-lambda',
    { app: 'hono', wrap: 'fromFetch(app.fetch)', from: 'waygate/fetch', name: 'fromFetch' },
  ],
  [
    'Express',
    'Express: serverless-http',
    { app: 'express', wrap: 'fromNode(app)', from: 'waygate/node', name: 'fromNode' },
  ],
];

export async function run(options) {
  // Within bench/, so that unbundled functions find their packages.
  const folder = mkdtempSync(join(here, '.cold-'));
  try {
    const tables = [];
    for (const [what, peer, waygate] of GROUPS) {
      const ours = withBefore([{ name: 'waygate', waygate: true }], options);
      const bundled = [{ name: peer, file: await bundlePeer(folder, what, PEERS[peer]) }];
      const unbundled = [{ name: peer, file: write(folder, `${what}-peer`, PEERS[peer]) }];
      for (const { name, env } of ours) {
        const checkout = env?.WAYGATE_ROOT ?? root;
        bundled.push({ name, file: bundleOurs(folder, `${what}-${name}`, waygate.app, checkout) });
        unbundled.push({ name, file: write(folder, `${what}-${name}`, source(waygate, checkout)) });
      }
      tables.push(await measure(`${what}, bundled`, bundled, options));
      tables.push(await measure(`${what}, unbundled`, unbundled, options));
    }
    return tables;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(folder, name, text) {
  const file = join(folder, `${name.replace(/\W+/g, '-')}.mjs`);
  writeFileSync(file, text);
  return file;
}

function source({ app: name, wrap, from, name: hosting }, checkout) {
  const lines = [
    `import { toLambda } from '${fileOf('waygate/aws-lambda', checkout)}';`,
    `import app from '${app(name)}';`,
  ];
  if (from !== undefined) lines.push(`import { ${hosting} } from '${fileOf(from, checkout)}';`);
  return [...lines, `export const handler = toLambda(${wrap});`].join('\n');
}

async function bundlePeer(folder, what, text) {
  const outfile = join(folder, `${what}-peer-bundled.mjs`);
  await build({
    stdin: { contents: text, resolveDir: here },
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    define: { 'process.env.NODE_ENV': '"production"' },
    // CommonJS packages in an ES module want a require of their own.
    banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
  });
  return outfile;
}

function bundleOurs(folder, name, entry, checkout) {
  const out = join(folder, name.replace(/\W+/g, '-'));
  mkdirSync(out);
  const command = join(checkout, 'cli', 'bin', 'waygate.js');
  execFileSync(process.execPath, [command, 'build', app(entry), '--target', 'lambda', '--out', out], { cwd: here });
  return join(out, 'index.mjs');
}

async function measure(title, contestants, { rounds, node }) {
  const event = JSON.stringify(browserEvent('GET', '/hello'));
  const answers = new Set();
  // One start takes a tenth of a second: there is time for more rounds than elsewhere.
  const values = await inTurns(contestants, rounds * 3, async ({ file }) => {
    const { stdout } = await run_(node, [child, pathToFileURL(file).href, event], {
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const { answer, took, used } = JSON.parse(stdout);
    answers.add(answer);
    return [took, used];
  });
  if (answers.size !== 1) throw new Error(`${title}: the answers differ:\n${[...answers].join('\n')}`);
  const columns = [
    { name: 'ms', digits: 1 },
    { name: 'CPU ms', digits: 1 },
  ];
  const rows = contestants.map(({ name }, index) => ({ name, values: values[index] }));
  return { title, baseline: contestants[0].name, columns, rows };
}
