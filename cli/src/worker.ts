// A server process of `waygate serve --processes` or `--watch`: started by the supervisor through `node:cluster`, told what
// to serve by its first message, and closed by the second.

import type { RunningServer } from 'waygate/node';
import { CommandError, ExitCode, oneLine, verboseText } from './errors.ts';
import { Output } from './output.ts';
import { type ServerConfig, startServer } from './server.ts';

/** What the supervisor says. */
export type ToWorker = { type: 'serve'; config: ServerConfig } | { type: 'close' } | { type: 'end' };

/** What a worker answers. */
export type FromWorker =
  // It listens to messages from now on; any before were lost.
  | { type: 'loaded' }
  // It takes no connection any more. What it was given meanwhile goes back, ahead of the answer to this.
  | { type: 'closing' }
  // The last word.
  | { type: 'closed' }
  | { type: 'ready'; port: number }
  | { type: 'failed'; message: string; details: string; exitCode: number };

const output = new Output({
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
});
let served: RunningServer | undefined;

/** Called when the supervisor gives no more connections. */
let end = (): void => {};

process.on('message', (message: ToWorker) => {
  if (message.type === 'serve') start(message.config);
  else if (message.type === 'close') close();
  else end();
});
// A terminal sends its signals to all processes at once; when to end is the supervisor's to say.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// Without its supervisor nobody would ever end it.
process.on('disconnect', () => process.exit());
tell({ type: 'loaded' });

async function start(config: ServerConfig): Promise<void> {
  output.verbose = config.verbose;
  try {
    served = await startServer(config, output, false);
    tell({ type: 'ready', port: served.port });
  } catch (error) {
    const exitCode = error instanceof CommandError ? error.exitCode : ExitCode.failure;
    tell({ type: 'failed', message: oneLine(error), details: verboseText(error), exitCode });
  }
}

function tell(message: FromWorker): void {
  process.send?.(message);
}

/**
 * Finishes what runs and ends. A connection that is on its way from the supervisor when the server closes is sent back by
 * `node:cluster`, but only by a process that is still there: so this one waits until there are none.
 */
async function close(): Promise<void> {
  const given = new Promise<void>((resolve) => {
    end = resolve;
  });
  const closed = served?.close();
  tell({ type: 'closing' });
  await Promise.all([given, closed]);
  // Once this is written, so is what was sent before.
  process.send?.({ type: 'closed' } satisfies FromWorker, () => process.exit());
}
