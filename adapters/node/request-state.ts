// How far a request is: what its stream and its connection tell of the body.

import type { IncomingMessage } from 'node:http';

/** After the response Node reads a body for nobody, and takes off all listeners, unless somebody has begun before. */
export function isDumped(request: IncomingMessage): boolean {
  return (request as { _dumped?: boolean })._dumped === true;
}

/** Whether the whole body has come. Over HTTP/2 `complete` says nothing of the kind. */
export function isWhole(request: IncomingMessage): boolean {
  return request.complete && request.httpVersionMajor === 1;
}

/** Whether nothing more comes of a request. Over HTTP/2 one whose client has left is not destroyed. */
export function isOver(request: IncomingMessage): boolean {
  return request.destroyed || request.readableEnded || request.aborted;
}

/** Where somebody listens for `checkContinue`, Node leaves the 100 to the listener; else it has sent one already. */
export function waitsForContinue(request: IncomingMessage): boolean {
  const server = (request.socket as { server?: { listenerCount(event: string): number } }).server;
  return (
    request.httpVersion !== '1.0' && // RFC 9110 §10.1.1
    /^100-continue$/i.test(request.headers.expect ?? '') &&
    server !== undefined &&
    server.listenerCount('checkContinue') > 0
  );
}
