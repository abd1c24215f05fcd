// A command that runs as the leader of a process group, behind guard.ts: it ends with all that it has started.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const GUARD = fileURLToPath(new URL('./guard.js', import.meta.url));

/**
 * Starts a command that ends when this process ends, whatever ends it. Its output is piped.
 *
 * @param command the program and its arguments
 */
export function startGroup(command: readonly string[], cwd: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [GUARD, ...command], {
    cwd,
    env,
    // The channel closes when this process ends: then the guard ends the command.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A signal of the terminal reaches this process only, which ends the command when its requests are done.
    detached: true,
  });
}

/**
 * Ends such a command.
 *
 * @param limit how long it may take after SIGTERM, in milliseconds
 * @returns once it has ended
 */
export function stopGroup(child: ChildProcess, limit: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const group = -child.pid;
  return new Promise((resolve) => {
    const timer = setTimeout(() => signalGroup(group, 'SIGKILL'), limit);
    child.once('exit', () => {
      clearTimeout(timer);
      signalGroup(group, 'SIGKILL');
      resolve();
    });
    signalGroup(group, 'SIGTERM');
  });
}

function signalGroup(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(group, name);
  } catch {
    // It is gone already.
  }
}
