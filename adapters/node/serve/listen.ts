// Where a server listens: a port, a Unix socket or a descriptor; and the URL that says so.

import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import type { AnyServer } from './create-server.ts';
import type { ServeOptions } from './options.ts';

/** Where a server listens. */
export interface Place {
  /** Without a slash at its end. */
  url: string;
  /** 0 for a Unix socket. */
  port: number;
}

/**
 * Listens.
 *
 * @returns where; rejects with Node's error when it cannot, for example `EADDRINUSE`
 */
export async function listen(server: AnyServer, options: ServeOptions): Promise<Place> {
  const { path } = options;
  try {
    await attempt(server, options);
  } catch (error) {
    const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (path === undefined || !inUse || !(await isStale(path))) throw error;
    unlinkSync(path);
    await attempt(server, options);
  }
  if (path !== undefined && options.socketMode !== undefined) chmodSync(path, options.socketMode);
  return placeOf(server, options);
}

function attempt(server: AnyServer, { port = 8000, host, path, fd, backlog }: ServeOptions): Promise<void> {
  const where = fd !== undefined ? { fd } : path !== undefined ? { path } : { port, host };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Whether a Unix socket is one that a killed process left: a socket on which nobody listens. */
function isStale(path: string): Promise<boolean> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = net.connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

function placeOf(server: AnyServer, { host, tls }: ServeOptions): Place {
  const address = server.address() as AddressInfo | string | null;
  if (typeof address === 'string') return { url: `unix:${address}`, port: 0 };
  // Node says nothing of a descriptor that is a Unix socket.
  if (address === null) return { url: 'unix:', port: 0 };
  const scheme = tls === undefined ? 'http' : 'https';
  return { url: `${scheme}://${urlHost(host)}:${address.port}`, port: address.port };
}

function urlHost(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
