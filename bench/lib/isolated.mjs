// Functions called one after the other, each contestant in a process of its own: in a shared one, what an adapter does
// to the engine's inline caches slows down those that come after it.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inTurns } from './rounds.mjs';
import { median } from './table.mjs';

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {string} module a file of bench/contestants/, whose default export takes `args` and returns
 *   `{ call, answer }`: `call` does the work once, `answer` says what came of it
 * @property {unknown[]} [args]
 * @property {Record<string, string>} [env]
 */

const child = fileURLToPath(new URL('isolated-child.mjs', import.meta.url));

/**
 * Measures contestants in turns, by the processor time of their processes.
 *
 * @param {string} title
 * @param {Contestant[]} contestants
 * @param {string} baseline the name of the one that the others are measured by
 * @param {{ rounds: number, seconds: number, node: string, differ?: boolean }} options `differ`: the answers may differ
 * @returns a table, see table.mjs
 */
export async function isolated(title, contestants, baseline, { rounds, seconds, node, differ = false }) {
  const running = [];
  try {
    for (const each of contestants) running.push(await start(each, node));
    const answers = new Set(running.map(({ answer }) => answer));
    if (answers.size !== 1 && !differ) throw new Error(`${title}: the answers differ:\n${[...answers].join('\n')}`);
    for (const { measure } of running) await measure(seconds);
    const values = await inTurns(running, rounds, async ({ measure }) => [await measure(seconds / 3)]);
    const rows = running.map(({ name }, index) => ({ name, values: values[index] }));
    return {
      title,
      baseline,
      columns: [{ name: 'CPU µs/call', digits: median(rows[0].values[0]) < 20 ? 2 : 1 }],
      rows,
    };
  } finally {
    for (const { stop } of running) stop();
  }
}

async function start({ name, module, args = [], env = {} }, node) {
  const file = new URL(`../contestants/${module}`, import.meta.url).href;
  const process_ = fork(child, [file, JSON.stringify(args)], {
    execPath: node,
    env: { ...process.env, NODE_ENV: 'production', ...env },
  });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`${name} ended with status ${code}`));
      process_.once('exit', ended);
      process_.once('message', (reply) => {
        process_.removeListener('exit', ended);
        resolve(reply);
      });
      if (message !== undefined) process_.send(message);
    });
  const { answer } = await ask();
  return { name, answer, measure: async (seconds) => (await ask({ seconds })).micros, stop: () => process_.kill() };
}
