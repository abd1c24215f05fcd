// Responses in fewer pieces than Node makes of them: head and body in one write, and a chunk with its frame in one. Only
// where every method on the way is Node's own, which is then given what it would be given otherwise, in one piece.

import { ServerResponse } from 'node:http';
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
