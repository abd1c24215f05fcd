// What happens when nothing is left that could go on: code that waits for something then learns that it will not come.

let wake: (() => void) | undefined;

/**
 * Waits until the process has nothing left to do; of several who wait, the last one learns of it. Where something keeps the
 * process alive, such as a channel to another one, the promise stays pending.
 */
export function whenIdle(): Promise<void> {
  return new Promise((resolve) => {
    // The process must not end before what follows has begun.
    wake = () => void setImmediate(resolve);
  });
}

/** To be called when the process has nothing left to do. Returns whether somebody waited for that. */
export function wakeIdle(): boolean {
  const waiting = wake;
  wake = undefined;
  waiting?.();
  return waiting !== undefined;
}
