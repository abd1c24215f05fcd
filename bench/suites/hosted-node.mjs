// Hosted apps on node: Hono beside its own adapter, and Express, Koa and Fastify beside themselves.

import { json } from '../lib/events.mjs';
import { generator } from '../lib/load.mjs';
import { underLoad } from '../lib/served.mjs';
import { withBefore } from '../lib/variants.mjs';

export const title = 'Hosted apps on node';

const post = {
  path: '/json',
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: json,
};
const POST = `POST, ${json.length} bytes of JSON parsed and sent back`;

const hono = ({ light }) => [
  { name: '@hono/node-server', file: 'hosted-hono', args: ['node-server'] },
  { name: 'waygate', file: 'hosted-hono', args: ['waygate'], waygate: true },
  ...(light ? [{ name: 'waygate, with waygate/light-fetch', file: 'hosted-hono', args: ['waygate-light'] }] : []),
  { name: '@hono/node-server, global Response kept', file: 'hosted-hono', args: ['node-server-plain'] },
];

const itself = (framework, extra = []) => [
  { name: framework, file: 'hosted-framework', args: [framework, 'itself'] },
  { name: 'waygate toNode(fromNode(app))', file: 'hosted-framework', args: [framework, 'waygate'], waygate: true },
  ...extra.map(([name, mode]) => ({ name, file: 'hosted-framework', args: [framework, mode], waygate: true })),
];

const EXPRESS = [
  ['waygate serve(fromNode(app))', 'waygate-serve'],
  ['waygate, behind a middleware that copies environ', 'waygate-copied'],
];

export async function run(options) {
  console.log(`Under load by ${generator}.\n`);
  const tables = [];
  const honoLoads = [
    { title: 'Hono: GET of 14 bytes', path: '/hello' },
    { title: 'Hono: GET with a parameter and a header, JSON', path: '/users/1' },
    { title: `Hono: ${POST}`, ...post },
  ];
  tables.push(...(await underLoad(withBefore(hono(options), options), honoLoads, '@hono/node-server', options)));
  for (const [framework, extra] of [['express', EXPRESS], ['koa'], ['fastify']]) {
    const loads = [
      { title: `${framework}: GET of 14 bytes`, path: '/hello' },
      { title: `${framework}: ${POST}`, ...post },
    ];
    tables.push(...(await underLoad(withBefore(itself(framework, extra), options), loads, framework, options)));
  }
  return tables;
}
