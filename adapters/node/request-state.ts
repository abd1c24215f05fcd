// What the stream of a request and its connection say of its body, and how what nobody reads of it is got rid of.

import type { IncomingMessage } from 'node:http';

/** After the response Node reads a body for nobody, and removes all listeners, unless somebody has begun before. */
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

/** How long an unread body may go on after the response, in milliseconds, before the connection is closed. */
const DRAIN_TIMEOUT = 5000;

/** Reads what is left of a body, for nobody; a client that goes on for too long loses its connection. (RFC 9112 §9.3) */
export function readAway(request: IncomingMessage): void {
  request.on('data', () => {});
  request.resume();
  const timer = setTimeout(() => {
    if (!request.complete) endUpload(request);
  }, DRAIN_TIMEOUT);
  timer.unref();
  const stop = (): void => clearTimeout(timer);
  request.once('end', stop);
  request.once('close', stop);
}

/** A little longer than {@link readAway} takes at most. */
const CLOSE_TIMEOUT = DRAIN_TIMEOUT + 1000;

/**
 * Has a connection close in stages: its own side with the last response, and the other when the rest of the request is read.
 * What comes to a closed connection resets it. The client would then lose what it has not received yet, of
 * this response and of those before. (RFC 9112 §9.6)
 */
export function closeInStages(request: IncomingMessage): void {
  const { socket } = request;
  // What imitates a connection may have no such method.
  if (typeof socket?.destroySoon !== 'function' || Object.hasOwn(socket, 'destroySoon')) return;
  // What Node's server calls when the last response of a connection is out.
  const destroySoon = (): void => {
    Reflect.deleteProperty(socket, 'destroySoon');
    if (request.complete || isOver(request)) {
      socket.destroySoon();
      return;
    }
    socket.end();
    const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT);
    const close = (): void => {
      clearTimeout(timer);
      socket.destroySoon();
    };
    timer.unref();
    request.once('end', close);
    request.once('close', close);
  };
  Object.defineProperty(socket, 'destroySoon', { value: destroySoon, writable: true, configurable: true });
}

/** A client that goes on sending loses its connection; over HTTP/2 its stream alone. (RFC 9113 §8.1) */
function endUpload(request: IncomingMessage): void {
  const { stream } = request as { stream?: { close(code: number): void } };
  if (request.httpVersionMajor > 1 && stream !== undefined) stream.close(NO_ERROR);
  else request.destroy();
}

/** RFC 9113 §7: what a server says that has no use for the rest of a request. */
const NO_ERROR = 0;
