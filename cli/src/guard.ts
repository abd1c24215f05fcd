// Runs a command and ends it, with all that it has started, when the process that asked for it is gone, however that
// ended: `kill -9` leaves it no time to do so itself. It is started as the leader of a process group, with an IPC channel.

import { spawn } from 'node:child_process';

/** How long the command may take to end after SIGTERM, in milliseconds. */
const END_LIMIT = 1500;

const [file = '', ...args] = process.argv.slice(2);
const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.once('exit', (code) => process.exit(code ?? 1));
// A signal for the whole group reaches the command too, whose end is the end of this process.
process.on('SIGTERM', () => {});
process.once('disconnect', () => {
  child.once('exit', () => signalGroup('SIGKILL'));
  signalGroup('SIGTERM');
  setTimeout(signalGroup, END_LIMIT, 'SIGKILL');
});

function signalGroup(name: NodeJS.Signals): void {
  process.kill(0, name);
}
