// What the failing applications share: values that fail, and bodies that are counted.

import { encode } from 'waygate';

/**
 * What a client sees of an application over HTTP/1.1: a whole response with this status, a response that visibly breaks
 * off (ERR-04), one or the other of a 500 and that, or, where the application decides by accident, whatever ends.
 */
export type Outcome = 200 | 204 | 400 | 413 | 500 | 'cut' | 'failed' | 'any';

export const PART = encode('some of it\n');
export const OK = '200 OK';

/** What became of the bodies that were opened. (CLOSE-01) */
export interface Bodies {
  /** The applications whose bodies have not been closed yet, and how many of each. */
  open: Record<string, number>;
  /** How many were closed more than once. */
  closedAgain: number;
}
export const bodies: Bodies = { open: {}, closedAgain: 0 };

/** Says which application is being called. */
export function calls(name: string): void {
  called = name;
}
let called = '';

/** A body that is counted. */
export function counted(
  chunks: () => Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
  onClose: () => unknown = () => {},
): never {
  const name = called;
  let closed = false;
  bodies.open[name] = (bodies.open[name] ?? 0) + 1;
  return {
    [Symbol.asyncIterator]: chunks,
    close(): unknown {
      if (closed) bodies.closedAgain += 1;
      else if (bodies.open[name] === 1) delete bodies.open[name];
      else bodies.open[name] = (bodies.open[name] as number) - 1;
      closed = true;
      return onClose();
    },
  } as never;
}

/** A value that fails whoever looks at it. */
export const hostile: object = new Proxy(
  {},
  {
    get() {
      throw new Error('a look at a hostile value');
    },
    getPrototypeOf() {
      throw new Error('a look at the prototype of a hostile value');
    },
  },
);

export const plan = (): Error => new Error('planned');
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
