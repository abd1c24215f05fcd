// Upgrades, such as to WebSockets, of a server that `serve` hosts as the whole of its application.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { RequestError } from '../../../core/errors.ts';
import { OWN_REASONS } from '../../../core/status.ts';
import { checkRequest } from '../refusals.ts';
import type { AnyServer } from './create-server.ts';

/**
 * Hands the upgrades of a server's clients to the `upgrade` listeners of a hosted server, as long as it has any. Without
 * one, a request that asks for an upgrade is a request like any other, as for Node itself.
 *
 * @param hosted the server that was given to `fromNode`
 */
export function passUpgrades(server: AnyServer, hosted: Server): void {
  const pass = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    try {
      checkRequest(request);
    } catch (error) {
      refuse(socket, error instanceof RequestError ? error.status : 500);
      return;
    }
    if (!hosted.emit('upgrade', request, socket, head)) socket.destroy();
  };
  const follow = (): void => {
    const isWanted = hosted.listenerCount('upgrade') > 0;
    const isPassing = server.listeners('upgrade').includes(pass);
    if (isWanted && !isPassing) server.on('upgrade', pass);
    else if (!isWanted && isPassing) server.off('upgrade', pass);
  };
  follow();
  // Node reports a new listener before it is there.
  hosted.on('newListener', (event) => {
    if (event === 'upgrade') queueMicrotask(follow);
  });
  hosted.on('removeListener', (event) => {
    if (event === 'upgrade') follow();
  });
}

function refuse(socket: Duplex, status: number): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${OWN_REASONS[status] ?? 'Error'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
