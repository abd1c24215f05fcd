// How the time of something grows with its input, without looking at absolute times.

import { collectGarbage } from './heap.ts';

/** Something that is done to an input whose size is asked for. */
export interface Work {
  /** Makes the input: its size grows with `size`. Not timed. */
  input: (size: number) => unknown;
  /** What is timed. What it throws is its answer. */
  run: (input: never) => unknown;
}

/** The input is enlarged until the work takes this long, in milliseconds: less is noise. */
const MEASURABLE = 2;
const SMALLEST = 1 << 11;
/** No input is larger than this, in whatever the work counts. Quadratic work is measurable long before. */
const LARGEST = 1 << 18;
const TIMES = 4;
const ATTEMPTS = 6;

/**
 * Between linear, 4, and quadratic, 16; nearer to the latter, since large inputs are slower by themselves: caches, garbage.
 */
export const LINEAR = 11;

async function once(work: Work, input: unknown): Promise<number> {
  // Time of the processor, which a busy machine does not lengthen.
  const start = process.cpuUsage();
  try {
    await work.run(input as never);
  } catch {}
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

async function fastest(work: Work, size: number, isCalm: boolean): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 3; count++) {
    const input = work.input(size);
    if (isCalm) collectGarbage();
    best = Math.min(best, await once(work, input));
  }
  return best;
}

/**
 * By what the time is multiplied when the input is multiplied by four: about 4 where it is linear, 16 where it is
 * quadratic, 1 where the largest input takes no time worth measuring. The best of several attempts counts, since others on
 * the machine only make things slower.
 *
 * @param enough no more attempts are made when it is less than this
 */
export async function growth(work: Work, enough: number): Promise<number> {
  let size = SMALLEST;
  while ((await once(work, work.input(size))) < MEASURABLE) {
    // So many squared would have taken seconds.
    if (size >= LARGEST) return 1;
    size *= 2;
  }
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && best >= enough; attempt++) {
    const small = await fastest(work, size, attempt > 0);
    best = Math.min(best, (await fastest(work, size * TIMES, attempt > 0)) / small);
  }
  return best;
}
