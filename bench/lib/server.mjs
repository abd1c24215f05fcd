// A contestant as a server in a process of its own.

import { fork } from 'node:child_process';

/**
 * Starts `bench/servers/FILE.mjs`, which has to call `ready(port)` of lib/contestant.mjs.
 *
 * @param {string} file
 * @param {object} options
 * @param {string} options.node the program that runs it
 * @param {string[]} [options.args] what the file gets as arguments
 * @param {Record<string, string>} [options.env]
 * @param {string[]} [options.execArgv] flags for Node
 */
export async function startServer(file, { node, args = [], env = {}, execArgv = [] }) {
  const child = fork(new URL(`../servers/${file}.mjs`, import.meta.url), args, {
    execPath: node,
    execArgv,
    env: { ...process.env, NODE_ENV: 'production', ...env },
  });
  const ask = (request) =>
    new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`bench/servers/${file}.mjs ended with status ${code}`));
      child.once('exit', ended);
      child.once('message', (reply) => {
        child.removeListener('exit', ended);
        resolve(reply);
      });
      if (request !== undefined) child.send(request);
    });
  const { port } = await ask();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    /** The processor time that the server has used so far, in microseconds. */
    cpu: async () => {
      const { user, system } = (await ask('cpu')).cpu;
      return user + system;
    },
    /** The memory that it holds after a garbage collection, in bytes; wants the flag --expose-gc. */
    memory: async () => (await ask('memory')).rss,
    stop: () => child.kill('SIGKILL'),
  };
}
