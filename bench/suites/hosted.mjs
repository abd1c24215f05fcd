// Hosted apps against the bridges made for their framework: the same app, the same requests, another adapter.

import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { toLambda } from '../../dist/adapters/aws-lambda/index.js';
import { fromFetch } from '../../dist/adapters/fetch/index.js';
import { generator } from '../lib/load.mjs';
import { inTurns } from '../lib/rounds.mjs';
import { underLoad } from '../lib/served.mjs';

export const title = 'Hosted apps';

/** @param {{ rounds: number, seconds: number }} options */
export async function run(options) {
  console.log(`Under load by ${generator}, then one invocation after the other in one process.\n`);
  return [...(await underLoad(SERVERS, LOADS, '@hono/node-server', options)), ...(await honoOnLambda(options))];
}

// A Hono app on node.

const SERVERS = [
  ['waygate toNode(fromFetch(app))', 'hosted-hono', 'waygate'],
  ['@hono/node-server', 'hosted-hono', 'node-server'],
  ['@hono/node-server, global Response kept', 'hosted-hono', 'node-server-plain'],
];

const json = JSON.stringify({ id: 1, name: 'Ada Lovelace', tags: ['first', 'programmer'] });
const LOADS = [
  { title: 'Hono on node: GET of 14 bytes', path: '/' },
  { title: 'Hono on node: GET with a parameter and a header, JSON', path: '/users/1' },
  {
    title: `Hono on node: POST, ${json.length} bytes of JSON parsed and sent back`,
    path: '/json',
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: json,
  },
];

// A Hono app on Lambda.

const EVENTS = [
  ['HTTP API', 'apigw-v2-go-no-authorizer'],
  ['REST API', 'apigw-v1-powertools-no-auth'],
  ['function URL', 'function-url-go-get'],
];

async function honoOnLambda({ rounds, seconds }) {
  const app = new Hono();
  app.all('*', (context) => context.json({ path: context.req.path, agent: context.req.header('user-agent') ?? null }));
  const handlers = [
    { name: 'waygate toLambda(fromFetch(app))', handler: toLambda(fromFetch(app.fetch)) },
    { name: 'hono/aws-lambda', handler: handle(app) },
  ];
  const tables = [];
  for (const [source, file] of EVENTS) {
    const event = JSON.parse(readFileSync(new URL(`../../tests/cases/events/${file}.json`, import.meta.url), 'utf8'));
    const bodies = new Set();
    for (const { handler } of handlers) {
      bodies.add((await handler(event, {})).body);
      await invocations(handler, event, seconds / 2); // warms it up
    }
    if (bodies.size !== 1) throw new Error(`The handlers answer ${source} differently: ${[...bodies].join(' / ')}`);
    const values = await inTurns(handlers, rounds, async ({ handler }) => [
      await invocations(handler, event, seconds / 2),
    ]);
    tables.push({
      title: `Hono on Lambda: ${source}`,
      baseline: 'hono/aws-lambda',
      columns: [{ name: 'µs/invocation', digits: 1 }],
      rows: handlers.map(({ name }, index) => ({ name, values: values[index] })),
    });
  }
  return tables;
}

/** How long one invocation takes, in microseconds, over so many seconds. */
async function invocations(handler, event, seconds) {
  const start = performance.now();
  const end = start + seconds * 1000;
  let count = 0;
  let now = start;
  while (now < end) {
    for (let turn = 0; turn < 100; turn++) await handler(event, {});
    count += 100;
    now = performance.now();
  }
  return ((now - start) * 1000) / count;
}
