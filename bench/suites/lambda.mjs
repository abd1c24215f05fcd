// `toLambda` against a hand-written handler and the adapters that people use: one invocation after the other, over an HTTP
// API event of payload 2.0; and what each adds to a function's bundle.

import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { json } from '../lib/events.mjs';
import { isolated } from '../lib/isolated.mjs';
import { withBefore } from '../lib/variants.mjs';
import { fileOf } from '../lib/waygate.mjs';

export const title = 'AWS Lambda: one invocation, HTTP API payload 2.0';

const ADAPTERS = [
  'by hand',
  'waygate',
  'hono/aws-lambda',
  'srvx/aws-lambda',
  'serverless-http',
  '@vendia/serverless-express',
  '@fastify/aws-lambda',
];

const REQUESTS = [
  ['GET, a page of 14 bytes', 'GET'],
  [`POST, ${json.length} bytes of JSON parsed and sent back`, 'POST'],
];

export async function run(options) {
  const tables = [];
  for (const [what, method] of REQUESTS) {
    const contestants = ADAPTERS.map((adapter) => ({
      name: adapter,
      module: 'plain-lambda.mjs',
      args: [adapter, method],
      waygate: adapter === 'waygate',
    }));
    tables.push(await isolated(what, withBefore(contestants, options), 'serverless-http', options));
  }
  await sizes();
  return tables;
}

const BUNDLES = {
  waygate: `import { toLambda } from 'waygate/aws-lambda'; export const handler = toLambda(() => []);`,
  'serverless-http': `import http from 'serverless-http'; export const handler = http(() => {});`,
  'hono/aws-lambda': `import { handle } from 'hono/aws-lambda'; export const handler = handle({ fetch() {} });`,
  'srvx/aws-lambda': `import { toLambdaHandler } from 'srvx/aws-lambda'; export const handler = toLambdaHandler({ fetch() {} });`,
  '@vendia/serverless-express': `import express from '@vendia/serverless-express'; export const handler = express({ app() {} });`,
};

/** Prints what the smallest function with each adapter weighs: minified, as one file. */
async function sizes() {
  console.log('The smallest function as one file, minified; in bytes');
  for (const [name, contents] of Object.entries(BUNDLES)) {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: new URL('..', import.meta.url).pathname },
      alias: { 'waygate/aws-lambda': fileOf('waygate/aws-lambda') },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      write: false,
      logLevel: 'silent',
    });
    const bytes = outputFiles[0].contents;
    const zipped = gzipSync(bytes, { level: 9 }).byteLength;
    console.log(`  ${name.padEnd(28)} ${String(bytes.byteLength).padStart(8)}  gzip ${String(zipped).padStart(6)}`);
  }
  console.log('');
}
