// Clients of the soak tests: many requests on few connections, and clients that leave.

import net from 'node:net';

const STATUS_LINE = Buffer.from('HTTP/1.1 ');

/** What came of a run of requests. */
export interface Tally {
  responses: number;
  /** How often each status came. */
  statuses: Map<string, number>;
}

/**
 * Sends batches of pipelined requests on several connections until the time is over.
 *
 * @param batch the bytes of `size` requests
 * @param until when to stop, in milliseconds since the epoch
 */
export async function hammer(
  port: number,
  connections: number,
  batch: Buffer,
  size: number,
  until: number,
): Promise<Tally> {
  const tally: Tally = { responses: 0, statuses: new Map() };
  const work = Array.from({ length: connections }, () => oneConnection(port, batch, size, until, tally));
  await Promise.all(work);
  return tally;
}

function oneConnection(port: number, batch: Buffer, size: number, until: number, tally: Tally): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(batch));
    let waiting = size;
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      const data = Buffer.concat([rest, chunk]);
      let at = 0;
      for (let found = data.indexOf(STATUS_LINE); found !== -1; found = data.indexOf(STATUS_LINE, at)) {
        if (found + 12 > data.length) break;
        const status = data.toString('latin1', found + 9, found + 12);
        tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
        tally.responses += 1;
        waiting -= 1;
        at = found + 12;
      }
      rest = data.subarray(Math.max(at, data.length - 12));
      if (waiting > 0) return;
      if (Date.now() > until) socket.end();
      else {
        waiting = size;
        socket.write(batch);
      }
    });
    socket.on('error', (error) =>
      reject(new Error(`${error.message}; waiting for ${waiting}, ended: ${socket.writableEnded}`)),
    );
    socket.on('close', () => (waiting === 0 ? resolve() : reject(new Error(`${waiting} responses did not come`))));
  });
}

/**
 * A client that sends bytes and leaves.
 *
 * @param afterData whether it waits for the first bytes of the response; else it leaves when `leave` resolves
 */
export function leaving(
  port: number,
  request: string | Buffer,
  afterData: boolean,
  leave?: Promise<unknown>,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(request);
      leave?.then(() => socket.destroy());
    });
    if (afterData) socket.once('data', () => socket.destroy());
    socket.on('error', () => {}); // a reset is as good as an end here
    socket.on('close', () => resolve());
  });
}
