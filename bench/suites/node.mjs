// `toNode` against a bare node:http server and the servers that others put in front of their frameworks.

import { readFileSync } from 'node:fs';
import { generator } from '../lib/load.mjs';
import { underLoad } from '../lib/served.mjs';

const version = (name) =>
  JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

export const title = 'Node: one process, 50 connections';

const CONTESTANTS = [
  ['node:http', 'node-http'],
  ['waygate toNode', 'waygate'],
  ['@hono/node-server, fetch callback', 'hono-fetch'],
  ['@hono/node-server, Hono', 'hono-app'],
  ['srvx', 'srvx'],
];

const json = JSON.stringify({ id: 1, name: 'Ada Lovelace', tags: ['first', 'programmer'], born: { year: 1815 } });
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

/** @param {{ rounds: number, seconds: number }} options */
export async function run(options) {
  console.log(
    `hono ${version('hono')}, @hono/node-server ${version('@hono/node-server')}, srvx ${version('srvx')}; ${generator}\n`,
  );
  return underLoad(CONTESTANTS, LOADS, 'node:http', options, check);
}

/** All do the same work: the same status, type and body. */
async function check(name, origin, { path, method, headers, body }) {
  const response = await fetch(`${origin}${path}`, { method, headers, body });
  const text = await response.text();
  const expected = body ?? 'Hello, world!\n';
  const type = body === undefined ? 'text/plain' : 'application/json';
  if (response.status !== 200 || text !== expected || !response.headers.get('content-type')?.startsWith(type)) {
    throw new Error(`${name} answers ${method ?? 'GET'} ${path} with ${response.status} ${JSON.stringify(text)}`);
  }
}
