// `waygate check --fidelity`: judges any Lambda handler or Worker by what AWS and Cloudflare send and accept.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError, oneLine, usageError } from '../errors.ts';
import { HANDLER_VARIANTS } from '../everywhere/variants.ts';
import { formatDuration } from '../format.ts';
import { handlerOf, prepareLoading } from '../handler.ts';
import { ownExports } from '../kind.ts';
import { loadModule } from '../load.ts';
import type { Output } from '../output.ts';
import { parseSource } from '../platform.ts';
import type { Column } from './checks.ts';
import { type Judged, type Judgement, judge } from './judge.ts';
import { judgementLines, junitXml } from './report.ts';

/** Options of `waygate check --fidelity`. */
export interface FidelityOptions {
  /** `all`, or names of event sources with commas between; all when left out. */
  source?: string;
  kind?: string;
  /** Whether JSON is printed instead of a table. */
  json?: boolean;
  /** A file for JUnit's XML. */
  junit?: string;
}

/**
 * Judges a module and reports.
 *
 * @param target a path of an app that is not the probe
 * @throws {CommandError} when there is a fault, and when the module has neither a handler nor a Worker
 */
export async function fidelityCommand(
  path: string,
  target: string,
  options: FidelityOptions,
  output: Output,
): Promise<void> {
  const columns = columnsOf(options.source ?? 'all');
  const { cwd } = output.io;
  prepareLoading({ platform: 'node', kind: 'lambda' });
  const exports = await output.progress(`Loading ${path}`, () => loadModule(path, cwd, 'lambda'));
  const judged = judgedOf(exports, path, options.kind);
  const start = performance.now();
  const isWorker = 'worker' in judged;
  const judgement = await output.progress(`Checking ${path}`, () =>
    guarded(() => judge(judged, isWorker ? [{ label: 'workers', caller: 'workers' }] : columns, target)),
  );
  if (options.junit !== undefined) await writeFile(resolve(cwd, options.junit), junitXml(judgement, path));
  if (options.json) output.print(JSON.stringify(judgement, null, 2));
  else for (const line of judgementLines(judgement, output.colors)) output.print(line);
  if (!judgement.isProbe) {
    output.note(
      `${path} does not answer with the probe of waygate/testing: only its own results were checked, not what its app sees.`,
    );
  }
  const { failed, passed } = counts(judgement);
  if (failed > 0) throw new CommandError(`${failed} fault${failed === 1 ? '' : 's'} in ${failed + passed} checks.`);
  output.note(`${passed} checks, no fault, in ${formatDuration(performance.now() - start)}.`);
}

/** How many verdicts of each outcome there are. */
export function counts({ verdicts }: Judgement): { failed: number; passed: number } {
  const count = (outcome: string): number => verdicts.filter((each) => each.outcome === outcome).length;
  return { failed: count('failed'), passed: count('passed') };
}

/**
 * @param text `all`, or names of event sources as the command line spells them, with commas between
 * @throws {CommandError} for an unknown event source
 */
export function columnsOf(text: string): Column[] {
  const wanted = text === 'all' ? undefined : text.split(',').map((each) => parseSource(each.trim()));
  return HANDLER_VARIANTS.flatMap(({ label, options }) => {
    const caller = parseSource(options.platform);
    const { payload, multiValueHeaders } = options;
    return wanted === undefined || wanted.includes(caller) ? [{ label, caller, payload, multiValueHeaders }] : [];
  });
}

/** A module's handler, or its Worker: an object with `fetch` as its default export. */
function judgedOf(exports: Record<string, unknown>, path: string, kind: string | undefined): Judged {
  const own = ownExports(exports);
  const worker = own.default as { fetch?: unknown } | undefined;
  if (kind !== undefined && kind !== 'lambda' && kind !== 'fetch') {
    throw usageError(`--fidelity judges a Lambda handler or a Worker, not --kind ${kind}; expected lambda or fetch.`);
  }
  const isWorker = typeof worker?.fetch === 'function' && typeof own.handler !== 'function';
  if (kind === 'fetch' || (kind === undefined && isWorker)) {
    if (isWorker) return { worker: worker as never };
    throw new CommandError(
      `${path} has no Worker; expected an object with fetch(request, env, ctx) as default export.`,
    );
  }
  return { handler: handlerOf(exports, path) };
}

/** A promise that a handler forgets fails no check of another. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  const forgotten = (error: unknown): void => void oneLine(error);
  process.on('unhandledRejection', forgotten);
  try {
    return await work();
  } finally {
    process.off('unhandledRejection', forgotten);
  }
}
