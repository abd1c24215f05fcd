// Clients of the fuzz tests: each sends what one case says and waits until its connection has ended.

import net from 'node:net';
import tls from 'node:tls';
import type { Case } from './http1.ts';
import { Responses } from './http2.ts';
import type { Transport } from './server.ts';

/** What came on a connection before it ended. */
export interface Ended {
  /** Up to 512 KiB of it, one character per byte. */
  received: string;
}

/** After so many milliseconds a connection counts as stalled. Node's and Waygate's own limits are 5 seconds at most here. */
const BOUND = 20_000;

const KEPT = 512 * 1024;

/**
 * Connects to a server of the fuzzed process.
 *
 * @param place a port of 127.0.0.1, or the path of a socket
 */
export function connectTo(place: string | number, transport: Transport): net.Socket {
  const where = typeof place === 'string' ? { path: place } : { port: place, host: '127.0.0.1' };
  return transport === 'tls' ? tls.connect({ ...where, rejectUnauthorized: false }) : net.connect(where);
}

/**
 * Sends one case.
 *
 * @returns when the connection has ended, on whichever side
 * @throws when it has not ended in time, or could not be made at all
 */
export function send(each: Case, place: string | number, transport: Transport): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const socket = connectTo(place, transport);
    const responses = transport === 'http2' && each.end === 'waits' ? new Responses(each.streams ?? []) : null;
    let received = '';
    let connected = false;
    let next: ReturnType<typeof setTimeout> | undefined;
    const late = setTimeout(() => {
      const missing = responses === null ? '' : `, without an end of the streams ${responses.missing}`;
      const brought = JSON.stringify(received.slice(0, 1000));
      reject(new Error(`the connection is still open after ${BOUND} ms${missing}; it brought ${brought}`));
      socket.destroy();
    }, BOUND);
    const write = (at: number): void => {
      if (socket.destroyed) return;
      const piece = each.pieces[at];
      if (piece !== undefined) {
        socket.write(piece);
        next = setTimeout(write, each.pieces.length === 1 ? 0 : each.pause, at + 1);
      } else if (each.end === 'half-closes') {
        socket.end();
      } else if (each.end === 'leaves') {
        next = setTimeout(() => leave(socket, each.patience), each.patience);
      }
    };
    socket.on(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      connected = true;
      write(0);
    });
    socket.on('data', (chunk) => {
      if (received.length < KEPT) received += chunk.toString('latin1');
      if (responses === null || responses.areOver) return;
      responses.feed(chunk);
    });
    // A reset is an end like any other.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!connected && error.code !== 'ECONNRESET') reject(error);
    });
    socket.on('close', () => {
      clearTimeout(late);
      clearTimeout(next);
      resolve({ received });
    });
  });
}

/** Leaves with an end of the connection, or with a reset where there is such a thing. */
function leave(socket: net.Socket, patience: number): void {
  if (patience % 2 === 0 && !(socket instanceof tls.TLSSocket) && socket.remoteAddress !== undefined) {
    socket.resetAndDestroy();
  } else {
    socket.destroy();
  }
}
