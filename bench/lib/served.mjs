// Servers in processes of their own, under load: what each request costs them.

import { load } from './load.mjs';
import { inTurns } from './rounds.mjs';
import { startServer } from './server.mjs';

const COLUMNS = [
  { name: 'requests/s', digits: 0 },
  { name: 'CPU µs/request', digits: 1 },
];

/**
 * A table for each load.
 *
 * @param {[name: string, file: string, ...args: string[]][]} contestants what each server is called, its file among the
 *   servers of the bench, and what it is started with
 * @param {(import('./load.mjs').Load & { title: string })[]} loads
 * @param {string} baseline the contestant that the others are measured by
 * @param {{ rounds: number, seconds: number }} options
 * @param {(name: string, origin: string, load: import('./load.mjs').Load) => Promise<void>} [check] throws when a server
 *   answers with anything else than the others
 */
export async function underLoad(contestants, loads, baseline, { rounds, seconds }, check = async () => {}) {
  const servers = await Promise.all(
    contestants.map(async ([name, file, ...args]) => ({ name, server: await startServer(file, args) })),
  );
  const tables = [];
  try {
    for (const each of loads) {
      for (const { name, server } of servers) {
        await check(name, server.url, each);
        await load(server.url, each, seconds); // warms it up
      }
      const values = await inTurns(servers, rounds, async ({ server }) => {
        const [cpu, start] = [await server.cpu(), performance.now()];
        const requests = await load(server.url, each, seconds);
        const [used, took] = [(await server.cpu()) - cpu, performance.now() - start];
        return [requests / (took / 1000), used / requests];
      });
      const rows = servers.map(({ name }, index) => ({ name, values: values[index] }));
      tables.push({ title: each.title, baseline, columns: COLUMNS, rows });
    }
  } finally {
    for (const { server } of servers) server.stop();
  }
  return tables;
}
