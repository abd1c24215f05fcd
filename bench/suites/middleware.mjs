// What middleware costs that changes or checks bodies, on a page of 1 kB and one of 100 kB, beside the packages that people
// use for the same.

import { generator } from '../lib/load.mjs';
import { underLoad } from '../lib/served.mjs';
import { withBefore } from '../lib/variants.mjs';

export const title = 'Middleware on Node: one process, 50 connections';

const contestant = (name, middleware, server, env = {}) => ({
  name,
  file: 'middleware',
  args: [middleware, server],
  env,
  waygate: server === 'waygate',
});
const ALONE = [
  contestant('waygate alone', 'none', 'waygate'),
  contestant('node:http alone', 'none', 'node'),
  contestant('hono alone', 'none', 'hono'),
];

const GROUPS = [
  {
    title: 'compressed with gzip',
    headers: { 'Accept-Encoding': 'gzip' },
    contestants: [
      contestant('waygate compress', 'compress', 'waygate'),
      contestant('node:http, compression', 'compress', 'node'),
      contestant('hono/compress', 'compress', 'hono'),
    ],
  },
  {
    title: 'with an ETag',
    headers: {},
    contestants: [contestant('waygate conditional', 'etag', 'waygate'), contestant('hono/etag', 'etag', 'hono')],
  },
  {
    title: 'from a file',
    headers: {},
    contestants: [
      contestant('waygate staticFiles', 'static', 'waygate'),
      contestant('sirv, files listed at the start', 'static', 'node'),
      contestant('sirv dev, files looked up', 'static', 'node', { SIRV_DEV: '1' }),
      contestant('@hono/node-server/serve-static', 'static', 'hono'),
    ],
  },
];

export async function run(options) {
  console.log(`${generator}\n`);
  const tables = [];
  for (const { title: kind, headers, contestants } of GROUPS) {
    const loads = ['1k', '100k'].map((size) => ({
      title: `GET, a page of ${size}B ${kind}`,
      path: `/${size}.html`,
      headers,
    }));
    tables.push(...(await underLoad(withBefore([...ALONE, ...contestants], options), loads, 'waygate alone', options)));
  }
  return tables;
}
