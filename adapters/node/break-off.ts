// How a response ends that failed after its head, and whose fault it is when a connection ends early.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { HeaderList } from '../../core/types.ts';

/**
 * Breaks a response off so that no client can take it for complete. (ERR-04) Never throws: whatever fails on the way, the
 * connection is destroyed in the end.
 *
 * A Unix socket cannot be reset. In HTTP/1.0, where the end of the connection is the end of the body, its client cannot see
 * a break.
 *
 * @param headers the headers that were sent, where the response was not given them one by one
 */
export function breakOff(response: ServerResponse, headers?: HeaderList): void {
  try {
    const { socket } = response;
    const stream = http2Stream(response);
    if (stream !== undefined) setImmediate(resetStream, response, stream);
    else if (socket === null) breakInTurn(response, headers);
    // Where the end of the connection is the end of the body, only a reset shows that it is not. (RFC 9112 §6.3)
    else if (endsWithConnection(response, headers)) reset(socket);
    // Node 26 keeps what was written until the next tick: a socket that ends before would lose it.
    else process.nextTick(endSoon, response, socket);
  } catch {
    destroyAll(response);
  }
}

/** The response waits behind others: what it has written goes out in its turn, and then the connection ends. */
function breakInTurn(response: ServerResponse, headers?: HeaderList): void {
  if (response.destroyed || response.writableFinished) return;
  // Node hands on what was written when this event is over.
  response.once('socket', () => setImmediate(breakOff, response, headers));
}

function endSoon(response: ServerResponse, socket: Socket): void {
  try {
    // Not in stages: nobody waits for the rest of the request of a response that has failed.
    Reflect.deleteProperty(socket, 'destroySoon');
    socket.destroySoon();
  } catch {
    destroyAll(response);
  }
}

function http2Stream(response: ServerResponse): ServerHttp2Stream | undefined {
  if (response.req.httpVersionMajor < 2) return undefined;
  return (response as { stream?: ServerHttp2Stream }).stream;
}

/** In a turn of its own: Node 24 spins for ever where a stream is closed in the turn in which it was written to. */
function resetStream(response: ServerResponse, stream: ServerHttp2Stream): void {
  try {
    if (!stream.destroyed) stream.close(INTERNAL_ERROR);
  } catch {
    destroyAll(response);
  }
}

/** RFC 9113 §7. */
const INTERNAL_ERROR = 2;

/** Ends a connection with a reset where it can be reset: TCP can, also below TLS; a Unix socket cannot. */
function reset(socket: Socket): void {
  const below = (socket as { _parent?: unknown })._parent;
  // A connection whose end is under way cannot be reset: Node then forgets it without closing its descriptor.
  if (isEnding(socket)) {
    socket.destroy();
    return;
  }
  try {
    // Not while the parser runs: with the socket below gone, that of TLS closes within a call, and its parser is taken from
    // it. What else came in the same read would then end the process.
    if (isSocket(below)) setImmediate(resetBelow, socket, below);
    else socket.resetAndDestroy();
  } catch {
    // What a Unix socket has taken so far still arrives.
    socket.destroy();
  }
}

function resetBelow(socket: Socket, below: Socket): void {
  try {
    if (!isEnding(socket)) below.resetAndDestroy();
  } catch {
    // A Unix socket: the end of the connection lacks its notice. (RFC 8446 §6.1)
  }
  socket.destroy();
}

function isEnding(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished;
}

function isSocket(value: unknown): value is Socket {
  return typeof (value as { resetAndDestroy?: unknown } | null | undefined)?.resetAndDestroy === 'function';
}

/** The last resort: destroys a response and its connection. Never throws, though each step may fail as well. */
export function destroyAll(response: ServerResponse): void {
  for (const target of [response, response.req?.socket]) {
    try {
      target?.destroy();
    } catch {
      // The next one may still work.
    }
  }
}

function endsWithConnection(response: ServerResponse, headers?: HeaderList): boolean {
  if (!response.headersSent || response.chunkedEncoding || hasNoContent(response)) return false;
  const names = headers === undefined ? response.getHeaderNames() : headers.map(([name]) => name.toLowerCase());
  return !names.includes('content-length');
}

/** The head is all there is to such a response, and it has gone out. (RFC 9112 §6.3) */
function hasNoContent({ req, statusCode }: ServerResponse): boolean {
  return req.method === 'HEAD' || statusCode === 204 || statusCode === 304;
}

const CUT = new WeakSet<Socket>();

/** Cuts a connection from this side: what then fails of its requests is nobody's fault. */
export function cut(socket: Socket): void {
  CUT.add(socket);
  socket.destroy();
}

/** What an error of a connection is called when the other end has gone. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE']);

/**
 * Whether a response has lost its client, by itself or by a shutdown: what the listener does from there on is not reported.
 * (ERR-05) A listener that destroys its own connection has not lost it.
 */
export function hasLost(request: IncomingMessage, response: ServerResponse): boolean {
  const socket = request.socket as Socket | null;
  if (!socket?.destroyed || response.writableFinished) return false;
  // Its end was read, or its reset was felt; or else somebody here has ended it.
  return socket.readableEnded || CUT.has(socket) || GONE.has((socket.errored as { code?: string } | null)?.code ?? '');
}
