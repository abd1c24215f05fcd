// A contestant as a server in a process of its own.

import { fork } from 'node:child_process';

/**
 * Starts `bench/servers/NAME.mjs`, which has to call `ready(port)` of lib/contestant.mjs.
 *
 * @param {string} name the name of the file
 * @param {string[]} args what the file gets as arguments
 * @param {string[]} execArgv flags for Node
 */
export async function startServer(name, args = [], execArgv = []) {
  const file = new URL(`../servers/${name}.mjs`, import.meta.url);
  const child = fork(file, args, { execArgv, env: { ...process.env, NODE_ENV: 'production' } });
  const answer = (request) =>
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`bench/servers/${name}.mjs ended with status ${code}`)));
      if (request !== undefined) child.send(request);
    });
  const { port } = await answer();
  child.removeAllListeners('exit');
  return {
    url: `http://127.0.0.1:${port}`,
    /** The processor time that the server has used so far, in microseconds. */
    cpu: async () => {
      const { user, system } = await answer('cpu');
      child.removeAllListeners('exit');
      return user + system;
    },
    stop: () => child.kill('SIGTERM'),
  };
}
