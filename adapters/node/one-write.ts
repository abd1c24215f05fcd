// Responses in fewer pieces than Node makes of them: head and body in one write, and a chunk with its frame in one. Only
// where every method on the way is Node's own, which is then given what it would be given otherwise, in one piece.

import type { Socket } from 'node:net';
import { ServerResponse } from './http.ts';
import { hasNodesMethods, isObserved, isOwn } from './neighbours.ts';

/** What Node's class has and its types leave out. */
interface Innards {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _send: unknown;
  _writeRaw: unknown;
  _implicitHeader: unknown;
  _finish: unknown;
  outputData: unknown[];
}

const { _send, _writeRaw, _implicitHeader, _finish } = ServerResponse.prototype as unknown as Innards;

const CLASS_IS_UNTOUCHED =
  isOwn(_send, '_writeRaw') &&
  isOwn(_writeRaw, '_httpMessage') &&
  isOwn(_implicitHeader, 'this.writeHead(this.statusCode)') &&
  isOwn(_finish, '_finish.call(this)');

/**
 * Whether a response is as Node made it: it is next on its connection, nobody looks at what it sends, and nobody listens.
 *
 * @param watched whether the gateway itself listens for `close`
 */
export function isUntouched(response: ServerResponse, watched: boolean): boolean {
  const own = response as unknown as Innards;
  return (
    CLASS_IS_UNTOUCHED &&
    own._send === _send &&
    own._writeRaw === _writeRaw &&
    own._implicitHeader === _implicitHeader &&
    own._finish === _finish &&
    response.socket !== null &&
    !response.strictContentLength &&
    hasNodesMethods(response) &&
    !isObserved(response, watched) &&
    response.listenerCount('prefinish') === 0
  );
}

/**
 * Ends an untouched response with a text of Latin-1, in one write with the head. Node would write the text and then its end,
 * by the slower system call that gathers several pieces.
 */
export function endAtOnce(response: ServerResponse, text: string): void {
  const own = response as unknown as Innards;
  const head = own._header;
  if (head === null || own._headerSent || !own._hasBody || response.chunkedEncoding) {
    response.end(text, 'latin1');
    return;
  }
  own._header = head + text;
  try {
    response.end();
  } finally {
    own._header = head;
  }
}

/**
 * Writes a chunk to an untouched response without a copy. Ask for the next chunk, which may use the same memory, only after
 * `taken`. (BODY-08)
 *
 * @param taken called when the system has the chunk; with an error where it never will
 */
export function writeThrough(response: ServerResponse, chunk: Buffer, taken: (error?: Error | null) => void): void {
  const socket = response.socket as Socket;
  // Or Node would hold it back until the next tick.
  socket.cork();
  try {
    response.write(chunk, taken);
  } finally {
    socket.uncork();
  }
}

/**
 * Writes a copy of a chunk to an untouched response, with its frame in one piece; Node would write four.
 *
 * @returns whether there is room for more
 */
export function writeFramed(response: ServerResponse, chunk: Uint8Array): boolean {
  if (!response.headersSent || !response.chunkedEncoding) return response.write(Buffer.from(chunk));
  const { byteLength } = chunk;
  const size = byteLength.toString(16);
  const start = size.length + 2;
  const frame = Buffer.allocUnsafe(start + byteLength + 2);
  frame.write(`${size}\r\n`, 0, 'latin1');
  frame.set(chunk, start);
  frame.write('\r\n', start + byteLength, 'latin1');
  response.chunkedEncoding = false;
  try {
    return response.write(frame);
  } finally {
    response.chunkedEncoding = true;
  }
}
