// Servers in processes of their own, under load: what each request costs them.

import { load } from './load.mjs';
import { inTurns } from './rounds.mjs';
import { startServer } from './server.mjs';

const COLUMNS = [
  { name: 'requests/s', digits: 0 },
  { name: 'CPU µs/request', digits: 1 },
];

/** @typedef {{ name: string, file: string, args?: string[], env?: Record<string, string> }} Contestant */

/**
 * A table for each load. Each load has servers of its own: what one kind of request has taught the engine does not show
 * in the figures of the next.
 *
 * @param {Contestant[]} contestants each with its file among the servers of the bench, and what that is started with
 * @param {(import('./load.mjs').Load & { title: string })[]} loads
 * @param {string} baseline the contestant that the others are measured by
 * @param {{ rounds: number, seconds: number, node: string }} options
 */
export async function underLoad(contestants, loads, baseline, { rounds, seconds, node }) {
  const tables = [];
  for (const each of loads) {
    const servers = [];
    try {
      for (const { name, file, args, env } of contestants) {
        servers.push({ name, server: await startServer(file, { args, env, node }) });
      }
      const answers = new Set();
      for (const { server } of servers) {
        answers.add(await answer(server.url, each));
        await load(server.url, each, seconds); // warms it up
      }
      if (answers.size !== 1) throw new Error(`${each.title}: the answers differ:\n${[...answers].join('\n')}`);
      const values = await inTurns(servers, rounds, async ({ server }) => {
        const [cpu, start] = [await server.cpu(), performance.now()];
        const requests = await load(server.url, each, seconds);
        const [used, took] = [(await server.cpu()) - cpu, performance.now() - start];
        return [requests / (took / 1000), used / requests];
      });
      const rows = servers.map(({ name }, index) => ({ name, values: values[index] }));
      tables.push({ title: each.title, baseline, columns: COLUMNS, rows });
    } finally {
      for (const { server } of servers) server.stop();
    }
  }
  return tables;
}

/** All do the same work: the same status and body. */
async function answer(origin, { path, method, headers, body }) {
  const response = await fetch(`${origin}${path}`, { method, headers, body });
  const bytes = Buffer.from(await response.arrayBuffer());
  const shown = bytes.byteLength > 1000 ? `${bytes.byteLength} bytes` : JSON.stringify(bytes.toString());
  return `${response.status} ${shown}`;
}
