// A server process of `waygate serve --workers` or `--watch`: started by the supervisor through `node:cluster`, told what
// to serve by its first message, and closed by the second.

import type { Served } from 'waygate/node';
import { CommandError, ExitCode, oneLine, verboseText } from './errors.ts';
import { Output } from './output.ts';
import { type ServerConfig, startServer } from './server.ts';

/** What the supervisor says. */
export type ToWorker = { type: 'serve'; config: ServerConfig } | { type: 'close' };

/** What a worker answers. */
export type FromWorker =
  // It listens to messages from now on; any before were lost.
  | { type: 'loaded' }
  | { type: 'ready'; url: string }
  | { type: 'failed'; message: string; details: string; exitCode: number };

const output = new Output({
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
});
let served: Served | undefined;

process.on('message', (message: ToWorker) => {
  if (message.type === 'serve') start(message.config);
  else close();
});
// A terminal sends its signals to all processes at once; when to end is the supervisor's to say.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// Without its supervisor nobody would ever end it.
process.on('disconnect', close);
tell({ type: 'loaded' });

async function start(config: ServerConfig): Promise<void> {
  output.verbose = config.verbose;
  try {
    served = await startServer(config, output, false);
    tell({ type: 'ready', url: served.url });
  } catch (error) {
    const exitCode = error instanceof CommandError ? error.exitCode : ExitCode.failure;
    tell({ type: 'failed', message: oneLine(error), details: verboseText(error), exitCode });
  }
}

function tell(message: FromWorker): void {
  process.send?.(message);
}

async function close(): Promise<void> {
  await served?.close();
  process.exit();
}
