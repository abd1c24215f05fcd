// Short ways past the stream of a `node:http` request, for bodies that nobody else can see: Node runs a stream to its end
// for every request, which costs more than all else that is done for a small one. Each of them is open only while every
// method on its way is Node's own, and nobody but the gateway listens. On other platforms than Node it never is.

import { IncomingMessage } from './http.ts';
import { isOwn } from './neighbours.ts';

/** What Node's class has and its types leave out. */
interface Innards {
  _consuming: boolean;
  _dumped: boolean;
  _eventsCount: number;
  _dump: unknown;
  _readableState: Record<'dataEmitted' | 'ended' | 'endEmitted' | 'destroyed' | 'closed' | 'closeEmitted', boolean>;
}

const { push, read, _read, resume, on, emit, _dump, destroy } =
  IncomingMessage.prototype as unknown as IncomingMessage & Innards;

/** Words of Node's own methods, which no wrapper has: an agent that was loaded first may have replaced them. */
const CLASS_IS_UNTOUCHED =
  isOwn(push, 'readableAddChunk') &&
  isOwn(read, 'kReading') &&
  isOwn(_read, '_consuming') &&
  isOwn(resume, 'kFlowing') &&
  isOwn(on, 'Stream.prototype.on.call') &&
  isOwn(emit, 'kErrorMonitor') &&
  isOwn(_dump, '_dumped') &&
  isOwn(destroy, 'kDestroyed');

/** Whether a request is as Node made it: HTTP/1, on a connection, with Node's methods, unread, and nobody listens to it. */
export function isUntouched(request: IncomingMessage): boolean {
  return (
    CLASS_IS_UNTOUCHED &&
    request.push === push &&
    hasOtherMethods(request) &&
    (request as unknown as Innards)._eventsCount === 0 &&
    !(request as unknown as Innards)._consuming &&
    request.readableFlowing === null &&
    request.readableLength === 0 &&
    !request.destroyed
  );
}

function hasOtherMethods(request: IncomingMessage): boolean {
  return (
    request.read === read &&
    request._read === _read &&
    request.resume === resume &&
    request.on === on &&
    request.emit === emit &&
    (request as unknown as Innards)._dump === _dump &&
    request.destroy === destroy &&
    request.httpVersionMajor === 1
  );
}

/**
 * Ends a request that has no body, and that nobody reads or listens to. Node does the same by itself where a server has the
 * option `optimizeEmptyRequests`.
 */
export function endUnread(request: IncomingMessage): void {
  if (!isUntouched(request)) return;
  (request as unknown as Innards)._dumped = true;
  end(request);
}

/** Leaves a request as it is when its stream has come to its end and closed. */
function end(request: IncomingMessage): void {
  const state = (request as unknown as Innards)._readableState;
  state.ended = true;
  state.endEmitted = true;
  state.destroyed = true;
  state.closed = true;
  state.closeEmitted = true;
}

/**
 * Has the body of an untouched request go to `take` as Node's parser delivers it, and not into the stream. As soon as
 * somebody else looks at the request, all is as it would have been: the rest goes into the stream.
 *
 * @param length how many bytes there are; with the last of them the request has ended
 * @param leave called when the rest goes into the stream instead, which somebody has to read then
 * @param closed the gateway's one listener, for `close`
 */
export function takePast(
  request: IncomingMessage,
  length: number,
  take: (chunk: Buffer) => void,
  leave: () => void,
  closed: () => void,
): void {
  let left = length;
  // Or Node would throw away what comes after the response.
  (request as unknown as Innards)._consuming = true;
  request.on('close', closed);
  const takeChunk = (chunk: Buffer | null): boolean => {
    if (chunk === null || !isAlone(request)) {
      request.push = push;
      leave();
      return request.push(chunk);
    }
    left -= chunk.byteLength;
    if (left <= 0) {
      request.push = push;
      // Node says so when its parser goes on, by which time the response may be over.
      request.complete = true;
      (request as unknown as Innards)._readableState.dataEmitted = true;
      end(request);
    }
    take(chunk);
    return true;
  };
  request.push = takeChunk;
}

/** Whether nobody has come since: there is one listener, which is the gateway's. */
function isAlone(request: IncomingMessage): boolean {
  return (
    (request as unknown as Innards)._eventsCount === 1 &&
    request.listenerCount('close') === 1 &&
    request.readableFlowing === null &&
    request.readableLength === 0 &&
    !request.destroyed &&
    hasOtherMethods(request)
  );
}
