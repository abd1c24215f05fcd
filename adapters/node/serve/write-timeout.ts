// A limit for clients that do not take what they are sent: a connection whose bytes stay where they are is ended. Looked at
// from time to time, so that a request costs nothing.

import type { Server, Socket } from 'node:net';

/** A client that takes fewer bytes than this in the whole time takes none: acknowledging pings is not reading. */
const LEAST = 1024;
/** How often connections are looked at, at most and at least, in milliseconds. */
const CHECKS = { shortest: 50, longest: 5000 };

/** Whether what waits to be sent is on its way. One for each connection. */
export class Progress {
  #sent = 0;
  /** When the connection last moved, or had nothing to send; -1 before the first look. */
  #since = -1;

  /**
   * @param waits whether something waits to be sent
   * @param sent how many bytes have left for the client
   * @param now the time in milliseconds
   * @returns for how many milliseconds nothing has moved that should
   */
  stalledFor(waits: boolean, sent: number, now: number): number {
    if (!waits || this.#since < 0 || Math.abs(sent - this.#sent) >= LEAST) {
      this.#sent = sent;
      this.#since = now;
    }
    return now - this.#since;
  }
}

/** How many bytes wait in Node and in the system's queue. Only Node's own handle knows of the latter. */
function bytesWaiting(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return socket.writableLength + (handle?.writeQueueSize ?? 0);
}

/** How many bytes have left for the client. */
export function bytesSent(socket: Socket): number {
  return socket.bytesWritten - bytesWaiting(socket);
}

/**
 * Ends connections whose client takes nothing of what waits for it.
 *
 * @param timeout for so long, in milliseconds
 */
export function limitWriting(server: Server, timeout: number): void {
  const watched = new Map<Socket, Progress>();
  const watch = (socket: Socket): void => {
    watched.set(socket, new Progress());
    socket.once('close', () => watched.delete(socket));
  };
  server.on('connection', watch);
  // Under TLS what waits is on the socket above the connection.
  server.on('secureConnection', watch);
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, progress] of watched) {
      const waits = bytesWaiting(socket) > 0;
      if (progress.stalledFor(waits, waits ? bytesSent(socket) : 0, now) >= timeout) socket.destroy();
    }
  }, checkInterval(timeout)).unref();
  server.once('close', () => clearInterval(timer));
}

/** How often to look, in milliseconds, for a limit of so many. */
function checkInterval(timeout: number): number {
  return Math.min(CHECKS.longest, Math.max(CHECKS.shortest, timeout / 4));
}
