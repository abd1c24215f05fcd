// A server process of `waygate serve --processes` or `--watch`. The supervisor starts it through `node:cluster`. Its first
// message says what to serve, and the second closes it.

import type { RunningServer } from 'waygate/node';
import { CommandError, ExitCode, oneLine, verboseText } from './errors.ts';
import type { SentRequest } from './everywhere/client.ts';
import type { PlatformRun } from './everywhere/run.ts';
import type { Report } from './inspect/messages.ts';
import type { AppFacts } from './inspect/target.ts';
import { Output } from './output.ts';
import { type ServerConfig, type ServerInspection, startServer } from './server.ts';

/** What the supervisor says. */
export type ToWorker =
  | { type: 'serve'; config: ServerConfig }
  | { type: 'close' }
  | { type: 'end' }
  // To run a request on all platforms.
  | { type: 'everywhere'; question: number; request: SentRequest };

/** The runs that were asked for, or why there are none. */
export interface EverywhereAnswer {
  runs?: PlatformRun[];
  error?: string;
}

/** What a worker answers. */
export type FromWorker =
  // It listens to messages from now on; any before were lost.
  | { type: 'loaded' }
  // It takes no connection any more. What it was given meanwhile goes back, ahead of the answer to this.
  | { type: 'closing' }
  // The last word.
  | { type: 'closed' }
  | { type: 'ready'; port: number }
  // For the inspector: how the app is exported, each step of each request, and what was asked.
  | { type: 'inspected'; facts: AppFacts | undefined }
  | { type: 'report'; report: Report }
  | ({ type: 'everywhere'; question: number } & EverywhereAnswer)
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
  else if (message.type === 'everywhere') answer(message.question, message.request);
  else end();
});
// A terminal sends its signals to all processes at once; when to end is the supervisor's to say.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// Without its supervisor nobody would ever end it.
process.on('disconnect', () => process.exit());
send({ type: 'loaded' });

async function start(config: ServerConfig): Promise<void> {
  output.verbose = config.verbose;
  try {
    served = await startServer(config, output, false, config.inspect ? inspection : undefined);
    send({ type: 'ready', port: served.port });
  } catch (error) {
    const exitCode = error instanceof CommandError ? error.exitCode : ExitCode.failure;
    send({ type: 'failed', message: oneLine(error), details: verboseText(error), exitCode });
  }
}

/** How many reports may be on their way: an app that is faster than the inspector goes on, and is shown in part. */
const REPORTS_UNDER_WAY = 10_000;
let underWay = 0;
let everywhere: Parameters<ServerInspection['loaded']>[1] | undefined;

const inspection: ServerInspection = {
  report(report) {
    if (underWay >= REPORTS_UNDER_WAY) return;
    underWay += 1;
    process.send?.({ type: 'report', report } satisfies FromWorker, () => {
      underWay -= 1;
    });
  },
  loaded(facts, run) {
    everywhere = run;
    send({ type: 'inspected', facts });
  },
};

async function answer(question: number, request: SentRequest): Promise<void> {
  try {
    send({ type: 'everywhere', question, runs: await everywhere?.(request) });
  } catch (error) {
    send({ type: 'everywhere', question, error: oneLine(error) });
  }
}

function send(message: FromWorker): void {
  process.send?.(message);
}

/**
 * Finishes what runs and ends. `node:cluster` sends back a connection that is on its way from the supervisor when the
 * server closes. It does so only in a process that is still there: so this one waits until there are none.
 */
async function close(): Promise<void> {
  const given = new Promise<void>((resolve) => {
    end = resolve;
  });
  const closed = served?.close();
  send({ type: 'closing' });
  await Promise.all([given, closed]);
  // Once this is written, so is what was sent before.
  process.send?.({ type: 'closed' } satisfies FromWorker, () => process.exit());
}
