// Hosted node frameworks: an Express app on Lambda against the bridges made for it, and on node against itself.

import { readFileSync } from 'node:fs';
import serverlessExpress from '@vendia/serverless-express';
import express from 'express';
import serverlessHttp from 'serverless-http';
import { toLambda } from '../../dist/adapters/aws-lambda/index.js';
import { fromNode } from '../../dist/adapters/node/index.js';
import { generator } from '../lib/load.mjs';
import { inTurns } from '../lib/rounds.mjs';
import { underLoad } from '../lib/served.mjs';

export const title = 'Hosted Express';

/** @param {{ rounds: number, seconds: number }} options */
export async function run(options) {
  console.log(`One invocation after the other in one process, then under load by ${generator}.\n`);
  return [...(await onLambda(options)), ...(await underLoad(SERVERS, LOADS, 'Express itself', options))];
}

const json = JSON.stringify({ id: 1, name: 'Ada Lovelace', tags: ['first', 'programmer'], born: { year: 1815 } });

// On Lambda.

function makeApp() {
  const app = express();
  app.use(express.json());
  app.get('/hello', (_request, response) => void response.send('Hello, world!\n'));
  app.get('/users/:id', (request, response) => void response.json({ id: request.params.id, q: request.query.q }));
  app.post('/json', (request, response) => void response.json(request.body));
  return app;
}

// All without a log of their own, and each with an app of its own.
const HANDLERS = [
  { name: 'waygate toLambda(fromNode(app))', handler: toLambda(fromNode(makeApp())) },
  { name: 'serverless-http', handler: serverlessHttp(makeApp()) },
  { name: '@vendia/serverless-express', handler: serverlessExpress({ app: makeApp() }) },
];

const SOURCES = [
  ['HTTP API', 'apigw-v2-go-no-authorizer'],
  ['REST API', 'apigw-v1-powertools-no-auth'],
];

const REQUESTS = [
  { what: 'GET of 14 bytes', method: 'GET', path: '/hello' },
  { what: 'GET with a parameter and a query, JSON', method: 'GET', path: '/users/1', query: { q: 'x y' } },
  { what: `POST, ${json.length} bytes of JSON parsed and sent back`, method: 'POST', path: '/json', body: json },
];

async function onLambda({ rounds, seconds }) {
  const tables = [];
  for (const [source, file] of SOURCES) {
    const example = JSON.parse(readFileSync(new URL(`../../tests/cases/events/${file}.json`, import.meta.url), 'utf8'));
    for (const request of REQUESTS) {
      const event = makeEvent(example, request);
      const answers = new Set();
      for (const { handler } of HANDLERS) {
        const { statusCode, body, isBase64Encoded } = await handler(structuredClone(event), {});
        answers.add(`${statusCode} ${isBase64Encoded ? Buffer.from(body, 'base64') : body}`);
        await invocations(handler, event, seconds); // warms it up
      }
      if (answers.size !== 1) throw new Error(`${source} is answered differently: ${[...answers].join(' / ')}`);
      const values = await inTurns(HANDLERS, rounds, async ({ handler }) => [
        await invocations(handler, event, seconds / 2),
      ]);
      tables.push({
        title: `Express on Lambda, ${source}: ${request.what}`,
        baseline: 'serverless-http',
        columns: [{ name: 'µs/invocation', digits: 1 }],
        rows: HANDLERS.map(({ name }, index) => ({ name, values: values[index] })),
      });
    }
  }
  return tables;
}

/** A real event with another request in it. */
function makeEvent(example, { method, path, query, body }) {
  const event = structuredClone(example);
  const { requestContext } = event;
  event.body = body;
  event.isBase64Encoded = false;
  const length =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) };
  if (event.version === '2.0') {
    Object.assign(requestContext, { stage: '$default', http: { ...requestContext.http, method, path } });
    return {
      ...event,
      routeKey: '$default',
      rawPath: path,
      rawQueryString: new URLSearchParams(query).toString(),
      queryStringParameters: query,
      headers: { ...event.headers, ...length },
    };
  }
  Object.assign(requestContext, { httpMethod: method, path: `/${requestContext.stage}${path}`, resourcePath: path });
  const lists = (values) => Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, [value]]));
  return {
    ...event,
    httpMethod: method,
    path,
    resource: path,
    queryStringParameters: query ?? null,
    multiValueQueryStringParameters: query === undefined ? null : lists(query),
    headers: { ...event.headers, ...length },
    multiValueHeaders: { ...event.multiValueHeaders, ...lists(length) },
  };
}

/** How long one invocation takes, in microseconds, over so many seconds. Each has an event of its own: some change it. */
async function invocations(handler, event, seconds) {
  const own = structuredClone(event);
  const start = performance.now();
  const end = start + seconds * 1000;
  let count = 0;
  let now = start;
  while (now < end) {
    for (let turn = 0; turn < 100; turn++) await handler(own, {});
    count += 100;
    now = performance.now();
  }
  return ((now - start) * 1000) / count;
}

// On node.

const SERVERS = [
  ['Express itself', 'hosted-express', 'itself'],
  ['waygate toNode(fromNode(app))', 'hosted-express', 'waygate'],
  ['waygate, behind a middleware that copies environ', 'hosted-express', 'waygate-copied'],
];

const LOADS = [
  { title: 'Express on node: GET of 14 bytes', path: '/hello' },
  {
    title: `Express on node: POST, ${json.length} bytes of JSON parsed and sent back`,
    path: '/json',
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: json,
  },
];
