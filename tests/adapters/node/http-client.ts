// Clients for a server on a real socket: Node's own fetch, and bytes as they are.

import net from 'node:net';
import type { ServedApp } from 'waygate/testing';

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
export function overSocket(port: number, close: () => void | Promise<void>): ServedApp {
  return {
    fetch: (path, init) =>
      fetch(`http://127.0.0.1:${port}${path}`, init && ({ ...init, duplex: 'half' } as RequestInit)),
    raw: (request) => raw({ port, host: '127.0.0.1' }, request),
    close,
  };
}

/** A connection on which a test speaks step by step. All text has one character per byte. */
export class Conversation {
  /** Everything that was received. */
  received = '';
  closed = false;
  /** What broke the connection, if anything did. */
  error: NodeJS.ErrnoException | null = null;
  readonly socket: net.Socket;
  #changed = (): void => {};

  constructor(port: number) {
    this.socket = net.connect({ port, host: '127.0.0.1' });
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
      this.#changed();
    });
    this.socket.on('error', (error) => {
      this.error = error;
    });
    this.socket.on('close', () => {
      this.closed = true;
      this.#changed();
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until what was received holds this text. */
  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      if (this.closed) throw new Error(`the connection closed before ${JSON.stringify(text)}: ${this.received}`);
      await this.#change();
    }
  }

  /** Waits until the server has closed the connection. */
  async end(): Promise<void> {
    while (!this.closed) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}
