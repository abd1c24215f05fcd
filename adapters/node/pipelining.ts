// Responses that wait behind others on their connection: what a client that pipelines its requests and leaves them is told.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { onClose } from './neighbours.ts';

const QUEUED = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * Has a response close with its connection while it waits for those in front of it. Node gives a response its connection
 * when its turn comes, and closes the one whose turn it is; the others would never hear that the client has gone.
 *
 * @param response one without a socket as yet
 */
export function closeWithConnection(response: ServerResponse): void {
  const { socket } = response.req;
  if (socket.closed) {
    close(response);
    return;
  }
  let queued = QUEUED.get(socket);
  if (queued === undefined) {
    const all = new Set<ServerResponse>();
    // One listener for all: a client may send as many requests at once as it likes.
    socket.once('close', () => all.forEach(close));
    QUEUED.set(socket, all);
    queued = all;
  }
  queued.add(response);
  onClose(response, () => queued.delete(response));
}

function close(response: ServerResponse): void {
  // By then its turn may have come.
  if (response.socket !== null || response.destroyed) return;
  response.destroy();
  response.emit('close');
}
