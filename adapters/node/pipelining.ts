// Pipelined requests: a client sends them on a connection before it has the answers to those in front. Here is how many run
// at once, and how each sees that the client has gone.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { breakOff } from './break-off.ts';
import { onClose } from './neighbours.ts';

const LINES = new WeakMap<Socket, Line>();

/** How many requests may wait to be called: more than one read of a connection holds. Beyond it the client is cut off. */
const MAX_WAITING = 4096;

/**
 * Whether a pipelined request may be called now. If not, it is called in its order, when fewer of its connection run.
 *
 * @param response one without a socket as yet: it waits behind others
 * @param limit how many requests of a connection may run at once
 * @param start calls the request; must not throw
 */
export function admit(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
  start: (request: IncomingMessage, response: ServerResponse) => void,
): boolean {
  const { socket } = request;
  let line = LINES.get(socket);
  if (line === undefined) {
    line = new Line(socket, limit, start);
    LINES.set(socket, line);
  }
  return line.enter(request, response);
}

/** The requests of one connection behind the first. */
class Line {
  readonly #socket: Socket;
  readonly #limit: number;
  readonly #start: (request: IncomingMessage, response: ServerResponse) => void;
  /** How many run, the one at the front among them. */
  #running = 1;
  #waiting: [IncomingMessage, ServerResponse][] = [];
  #isPaused = false;

  constructor(socket: Socket, limit: number, start: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#socket = socket;
    this.#limit = limit;
    this.#start = start;
    socket.once('close', () => {
      this.#waiting = [];
    });
  }

  enter(request: IncomingMessage, response: ServerResponse): boolean {
    // Its turn to answer comes when the one in front of it is over.
    response.once('socket', this.#leave);
    response.once('socket', endIfDestroyed);
    if (this.#running < this.#limit) {
      this.#running++;
      return true;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      this.#socket.destroy();
      return false;
    }
    this.#waiting.push([request, response]);
    this.#pause();
    return false;
  }

  readonly #leave = (): void => {
    this.#running--;
    while (this.#running < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#running++;
      this.#start(...next);
    }
    if (this.#waiting.length === 0) this.#resume();
  };

  /**
   * Stops reading from the connection. Node's parser reads it past the stream, which pausing would not reach; and Node
   * resumes the stream whenever a response is over.
   */
  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    handleOf(this.#socket)?.readStop?.();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#socket.destroyed) handleOf(this.#socket)?.readStart?.();
  }
}

/**
 * Ends the connection of a response that was destroyed while it waited. Since version 24 Node gives it its turn all the
 * same, and then waits for its end for ever. (ERR-04)
 */
function endIfDestroyed(this: ServerResponse): void {
  if (this.destroyed) setImmediate(breakOff, this);
}

interface Handle {
  readStop?(): void;
  readStart?(): void;
}

function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as { _handle?: Handle | null })._handle;
}

/** Listens for the end of a response, also of one that waits behind others while its client leaves. */
export function onEnd(response: ServerResponse, listener: () => void): void {
  onClose(response, listener);
  if (response.socket === null && !response.writableFinished) closeWithConnection(response);
}

const QUEUED = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * Has a response close with its connection while it waits for those in front of it. Node gives a response its connection
 * when its turn comes, and closes only the one whose turn it is. The others would never hear that the client has gone.
 *
 * @param response one without a socket as yet
 */
function closeWithConnection(response: ServerResponse): void {
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
  response.once('close', () => queued.delete(response));
}

function close(response: ServerResponse): void {
  // By then its turn may have come.
  if (response.socket !== null || response.destroyed) return;
  response.destroy();
  response.emit('close');
}
