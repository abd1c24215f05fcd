// `toNode` against a bare node:http server and the servers that others put in front of their frameworks.

import { readFileSync } from 'node:fs';
import { json } from '../lib/events.mjs';
import { generator } from '../lib/load.mjs';
import { underLoad } from '../lib/served.mjs';
import { withBefore } from '../lib/variants.mjs';

const version = (name) =>
  JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

export const title = 'Node: one process, 50 connections';

const CONTESTANTS = [
  { name: 'node:http', file: 'node-http' },
  { name: 'waygate toNode', file: 'waygate', waygate: true },
  { name: '@hono/node-server, fetch callback', file: 'hono-fetch' },
  { name: 'srvx', file: 'srvx' },
];

const LOADS = [
  { title: 'GET, a page of 14 bytes', path: '/' },
  {
    title: `POST, ${json.length} bytes of JSON parsed and sent back`,
    path: '/json',
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: json,
  },
];

export async function run(options) {
  console.log(
    `hono ${version('hono')}, @hono/node-server ${version('@hono/node-server')}, srvx ${version('srvx')}; ${generator}\n`,
  );
  return underLoad(withBefore(CONTESTANTS, options), LOADS, 'node:http', options);
}
