// The garbage collector at hand, for tests of time and of memory.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
export const collectGarbage: () => void = runInNewContext('gc');

/** How many bytes of the heap are in use, garbage not counted. */
export async function heap(): Promise<number> {
  // Names of properties go with the second collection, in a turn of its own.
  for (let count = 0; count < 3; count++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.memoryUsage().heapUsed;
}
