// `waygate diff`: runs recorded requests on every platform and prints where they differ.

import { CommandError } from '../errors.ts';
import { type Comparison, compareRuns, type Difference } from '../everywhere/compare.ts';
import { Everywhere, type PlatformRun } from '../everywhere/run.ts';
import { prepareLoading, type RunOptions, saidKind } from '../handler.ts';
import { loadModule } from '../load.ts';
import type { Output } from '../output.ts';
import { readRecorded } from './fixture.ts';
import type { RecordedRequest } from './har.ts';

/** Options of `waygate diff`. */
export interface DiffOptions {
  kind?: RunOptions['kind'];
  /** Whether JSON is printed instead of text. */
  json: boolean;
}

/** What one request showed. */
interface Outcome extends Comparison {
  place: string;
  method: string;
  target: string;
  /** How many platforms there are. */
  platforms: number;
  /** The status on the first platform. */
  status?: number;
  /** The recorded status, where it is another. */
  recorded?: number;
}

/**
 * Runs the requests and reports.
 *
 * @param files HAR files, fixtures or folders of them
 * @throws {CommandError} when something differs that no platform is known to lose, or a file holds no requests
 */
export async function diffCommand(
  path: string,
  files: readonly string[],
  options: DiffOptions,
  output: Output,
): Promise<void> {
  const { cwd } = output.io;
  const recorded = await readRecorded(files, cwd);
  const { kind } = options;
  const run = { kind, platform: 'node' };
  prepareLoading(run);
  const exports = await output.progress(`Loading ${path}`, () => loadModule(path, cwd, saidKind(run)));
  const everywhere = new Everywhere(exports, path, { kind });
  const outcomes: Outcome[] = [];
  try {
    for (const each of recorded) {
      const runs = await output.progress(`Running ${each.place}`, () => everywhere.run(each.request));
      const outcome = outcomeOf(each, runs);
      outcomes.push(outcome);
      if (!options.json) for (const line of linesOf(outcome, output)) output.print(line);
    }
  } finally {
    await everywhere.close();
  }
  if (options.json) output.print(JSON.stringify(outcomes, null, 2));
  const open = outcomes.reduce((sum, each) => sum + unexplained(each), 0);
  if (open > 0) {
    const count = `${open} difference${open === 1 ? '' : 's'}`;
    throw new CommandError(`${count} in ${outcomes.length} requests that no platform is known to make.`);
  }
}

function outcomeOf({ place, request, status }: RecordedRequest, runs: readonly PlatformRun[]): Outcome {
  const comparison = compareRuns(runs);
  const first = runs[0]?.response?.status;
  const { method, target } = request;
  const outcome: Outcome = {
    place,
    method,
    target,
    platforms: new Set(runs.map(({ label }) => label)).size,
    ...comparison,
  };
  if (first !== undefined) outcome.status = first;
  if (status !== undefined && status !== first) outcome.recorded = status;
  return outcome;
}

/** How many differences there are that nothing explains. */
function unexplained({ differences, recorded }: Outcome): number {
  const open = differences.filter((each) => each.others.some((other) => isOpen(each, other, differences))).length;
  return open + (recorded === undefined ? 0 : 1);
}

type Other = Difference['others'][number];

/**
 * Whether nothing explains what platforms have: neither a loss of theirs, nor that their app saw something else. A failure
 * is never explained: it may be a limit of the platform's, and it may be a fault of the app.
 */
function isOpen(difference: Difference, other: Other, all: readonly Difference[]): boolean {
  if (difference.part === 'status' && Number(other.value) >= 500) return true;
  return other.why === undefined && !follows(difference, other, all);
}

/** Whether an app was answered by what it saw, where a platform is known to lose a part of that. */
function follows({ side }: Difference, { platforms }: Other, all: readonly Difference[]): boolean {
  const lost = all.flatMap((each) =>
    each.side === 'request' ? each.others.filter(({ why }) => why !== undefined) : [],
  );
  return side === 'response' && platforms.every((each) => lost.some((loss) => loss.platforms.includes(each)));
}

function linesOf(outcome: Outcome, output: Output): string[] {
  const { place, method, target, platforms, reference, status, recorded, differences, varying } = outcome;
  const { colors } = output;
  const open = unexplained(outcome);
  const mark = open > 0 ? colors.red('DIFF') : colors.green('ok  ');
  const parts = `${differences.length} part${differences.length === 1 ? ' differs' : 's differ'}`;
  const found = differences.length === 0 ? `the same on ${platforms} platforms` : parts;
  const lines = [`${mark} ${method} ${target} ${status ?? '---'} ${colors.dim(`(${place})`)} ${found}`];
  if (recorded !== undefined)
    lines.push(`     status: recorded ${recorded}; ${reference} has ${status ?? 'no response'}`);
  for (const each of differences) lines.push(...differenceLines(each, differences, reference, output));
  if (varying.length > 0)
    lines.push(colors.dim(`     left out, since they differ by themselves: ${varying.join(', ')}`));
  return lines;
}

function differenceLines(
  difference: Difference,
  all: readonly Difference[],
  reference: string,
  output: Output,
): string[] {
  const { side, part, expected, others } = difference;
  const lines = [`     ${side} ${part}: ${reference} has ${shown(expected)}`];
  for (const other of others) {
    const { platforms, value, why } = other;
    const because = why === undefined ? 'The app there saw something else.' : `${why.why} (docs/platforms.md)`;
    const reason = isOpen(difference, other, all) ? '' : output.colors.dim(` – ${because}`);
    lines.push(`       ${platforms.join('; ')}: ${shown(value)}${reason}`);
  }
  return lines;
}

/** A value in one line. */
function shown(value: string | undefined): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…"` : text;
}
