// `toLambda` against a hand-written handler and the adapters that people use: microseconds per invocation over an HTTP API
// event of payload 2.0, in one process; and what each adds to a function's bundle.

import { gzipSync } from 'node:zlib';
import awsLambdaFastify from '@fastify/aws-lambda';
import serverlessExpress from '@vendia/serverless-express';
import { build } from 'esbuild';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { handle as honoHandle } from 'hono/aws-lambda';
import serverlessHttp from 'serverless-http';
import { toLambdaHandler } from 'srvx/aws-lambda';
import { toLambda } from '../../dist/adapters/aws-lambda/index.js';
import { encode } from '../../dist/core/index.js';
import { inTurns } from '../lib/rounds.mjs';

export const title = 'AWS Lambda: one invocation, HTTP API payload 2.0';

const json = JSON.stringify({ id: 1, name: 'Ada Lovelace', tags: ['first', 'programmer'], born: { year: 1815 } });
const GET = event('GET', '/hello');
const POST = event('POST', '/json', json);
const CONTEXT = { awsRequestId: '1', functionName: 'bench', getRemainingTimeInMillis: () => 30_000 };

/** An event as HTTP API sends it for a browser's request, with its usual headers. */
function event(method, path, body) {
  const headers = {
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'accept-encoding': 'gzip, deflate, br',
    'accept-language': 'en-GB,en;q=0.5',
    host: 'abcdef1234.execute-api.eu-north-1.amazonaws.com',
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    'x-amzn-trace-id': 'Root=1-63a1b2c3-4d5e6f708192a3b4c5d6e7f8',
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-port': '443',
    'x-forwarded-proto': 'https',
  };
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(body.length);
  }
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: 'page=2&sort=name',
    cookies: ['session=abc123', 'theme=dark'],
    headers,
    queryStringParameters: { page: '2', sort: 'name' },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdef1234',
      domainName: 'abcdef1234.execute-api.eu-north-1.amazonaws.com',
      domainPrefix: 'abcdef1234',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: headers['user-agent'] },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: '$default',
      stage: '$default',
      time: '20/Dec/2025:12:00:00 +0000',
      timeEpoch: 1766232000000,
    },
    body,
    isBase64Encoded: false,
  };
}

/** What somebody would write who wants nothing but this. */
async function byHand(request) {
  if (request.requestContext.http.method === 'POST') {
    const text = request.isBase64Encoded ? Buffer.from(request.body, 'base64').toString() : request.body;
    return {
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(JSON.parse(text)),
      isBase64Encoded: false,
    };
  }
  return {
    statusCode: 200,
    headers: { 'content-type': 'text/plain' },
    body: 'Hello, world!\n',
    isBase64Encoded: false,
  };
}

const page = encode('Hello, world!\n');
async function postJson(environ, startResponse) {
  const value = await environ['wsgi.input'].json();
  startResponse('200 OK', [['content-type', 'application/json']]);
  return [encode(JSON.stringify(value))];
}
function application(environ, startResponse) {
  if (environ.REQUEST_METHOD === 'POST') return postJson(environ, startResponse);
  startResponse('200 OK', [['content-type', 'text/plain']]);
  return [page];
}

function listener(request, response) {
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/plain');
    response.end('Hello, world!\n');
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(JSON.parse(Buffer.concat(chunks).toString())));
  });
}

async function fetchApp(request) {
  if (request.method !== 'POST') return new Response('Hello, world!\n', { headers: { 'content-type': 'text/plain' } });
  return new Response(JSON.stringify(await request.json()), { headers: { 'content-type': 'application/json' } });
}

function honoApp() {
  const app = new Hono();
  app.get('/hello', (c) => c.text('Hello, world!\n'));
  app.post('/json', async (c) => c.json(await c.req.json()));
  return app;
}

function fastifyApp() {
  const app = Fastify();
  app.get('/hello', (_request, reply) => reply.type('text/plain').send('Hello, world!\n'));
  app.post('/json', (request, reply) => reply.send(request.body));
  return app;
}

const CONTESTANTS = [
  { name: 'by hand', handler: byHand },
  { name: 'waygate toLambda', handler: toLambda(application) },
  { name: 'hono/aws-lambda', handler: honoHandle(honoApp()) },
  { name: 'srvx/aws-lambda', handler: toLambdaHandler({ fetch: fetchApp }) },
  { name: 'serverless-http', handler: serverlessHttp(listener) },
  { name: '@vendia/serverless-express', handler: serverlessExpress({ app: listener }) },
  { name: '@fastify/aws-lambda', handler: awsLambdaFastify(fastifyApp()) },
];

const COLUMNS = [{ name: 'µs/invocation', digits: 2 }];

/** @param {{ rounds: number, seconds: number }} options */
export async function run({ rounds, seconds }) {
  const tables = [];
  for (const [title, request] of [
    ['GET, a page of 14 bytes', GET],
    [`POST, ${json.length} bytes of JSON parsed and sent back`, POST],
  ]) {
    // Each has an event of its own: some change it.
    const contestants = CONTESTANTS.map((each) => ({ ...each, request: structuredClone(request) }));
    for (const contestant of contestants) {
      await check(contestant);
      await invocations(contestant, seconds); // warms it up
    }
    const values = await inTurns(contestants, rounds, async (each) => [await invocations(each, seconds / 3)]);
    const rows = CONTESTANTS.map(({ name }, index) => ({ name, values: values[index] }));
    tables.push({ title, baseline: 'serverless-http', columns: COLUMNS, rows });
  }
  await sizes();
  return tables;
}

/** Microseconds per invocation, one after the other, as Lambda does. */
async function invocations({ handler, request }, seconds) {
  const end = performance.now() + seconds * 1000;
  const start = performance.now();
  let count = 0;
  while (performance.now() < end) {
    for (let each = 0; each < 200; each++) await handler(request, CONTEXT);
    count += 200;
  }
  return ((performance.now() - start) * 1000) / count;
}

/** All do the same work. */
async function check({ name, handler, request }) {
  const expected = request.body ?? 'Hello, world!\n';
  const result = await handler(request, CONTEXT);
  const body = result.isBase64Encoded ? Buffer.from(result.body, 'base64').toString() : result.body;
  if (result.statusCode !== 200 || body !== expected) {
    throw new Error(`${name} answers with ${JSON.stringify(result)}`);
  }
}

const BUNDLES = {
  'waygate toLambda': `import { toLambda } from 'waygate/aws-lambda'; export const handler = toLambda(() => []);`,
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
      alias: { 'waygate/aws-lambda': new URL('../../dist/adapters/aws-lambda/index.js', import.meta.url).pathname },
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
