// Whether a chunk is ready now or still to come. In the second case the head of a response can be sent ahead of it. (D23)

/** Microtasks within which a stream of bytes in memory answers. */
const MICROTASKS = 8;

/**
 * Waits a moment for a promise: some microtasks, then turns of the event loop.
 *
 * @param pending what is waited for; its failure is left to its reader
 * @param turns how many turns at most; a stream over a Blob or a form reads in turns of its own
 * @param isUrgent whether bytes are waiting behind this. Then it waits for one turn, else for a millisecond, in which what
 *   fails at once does so
 * @returns whether it has settled
 */
export async function isReady(pending: Promise<unknown>, turns: number, isUrgent: boolean): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  pending.then(settle, settle);
  for (let round = 0; round < MICROTASKS && !settled; round++) await null;
  for (let round = 0; round < turns && !settled; round++) await turn(isUrgent);
  return settled;
}

function turn(isUrgent: boolean): Promise<void> {
  const { setImmediate: next } = globalThis as { setImmediate?: (callback: () => void) => void };
  return new Promise((resolve) => {
    if (isUrgent && next !== undefined) next(resolve);
    else setTimeout(resolve, 0);
  });
}
