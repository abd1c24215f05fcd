// Clients for a server on a real socket: Node's own fetch, and bytes as they are.

import net from 'node:net';
import type { Served } from 'waygate/testing';

/**
 * Sends bytes on a connection of its own and returns all that comes back until it closes.
 *
 * @param address where the server listens
 */
export function raw(address: net.NetConnectOpts, request: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = net.connect(address, () => socket.write(request));
    socket.on('data', (chunk) => received.push(chunk));
    // A connection that was cut has been received as far as it came.
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(received)));
  });
}

/** A server on a port, as the conformance suite uses it. */
export function overSocket(port: number, close: () => void | Promise<void>): Served {
  return {
    // A URL object would take dot segments out of the path; fetch gets no more exact than that.
    fetch: (path, init) =>
      fetch(`http://127.0.0.1:${port}${path}`, init && ({ ...init, duplex: 'half' } as RequestInit)),
    raw: (request) => raw({ port, host: '127.0.0.1' }, request),
    close,
  };
}
