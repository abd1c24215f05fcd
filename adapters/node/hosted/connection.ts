// Puts a request and a response on their connection: by Node's own means where there are any. In workerd, whose `node:http`
// has no connections, what they lack for it is added to the objects themselves.

import { type IncomingMessage, type ServerResponse, validateHeaderName, validateHeaderValue } from '../http.ts';
import { coded, type HostedSocket } from './socket.ts';

/** Whether the runtime's responses take a socket; found out with the first. */
let takesSockets: boolean | undefined;

/**
 * @param close emits `close` on the response, once its connection is gone
 */
export function connect(response: ServerResponse, socket: HostedSocket, close: () => void): void {
  if (takesSockets !== false) {
    try {
      response.assignSocket(socket as never);
      takesSockets = true;
      return;
    } catch (error) {
      if (takesSockets === true) throw error;
      takesSockets = false;
    }
  }
  connectByHand(response, socket, close);
}

function connectByHand(response: ServerResponse, socket: HostedSocket, close: () => void): void {
  const { req: request } = response;
  const onclose = (): void => close();
  socket.on('close', onclose);
  // A connection that is still corked gets the response out all the same, as in Node's own end().
  response.on('prefinish', () => {
    while (socket.writableCorked > 0) socket.uncork();
  });
  // In Node a response has no reason until its head is made.
  response.statusMessage = undefined as unknown as string;
  if (request.method === 'HEAD') Object.assign(response, { _hasBody: false });
  define(response, {
    socket,
    connection: socket,
    destroy(error?: Error) {
      if (response.destroyed) return response;
      response.destroyed = true;
      socket.destroy(error);
      return response;
    },
    detachSocket() {
      socket.off('close', onclose);
      define(response, { socket: null, connection: null });
    },
    setTimeout(milliseconds: number, listener?: () => void) {
      if (listener !== undefined) response.on('timeout', listener);
      // Once it is over nothing can be late any more.
      response.socket?.setTimeout(milliseconds);
      return response;
    },
    addTrailers,
    pipe() {
      response.emit('error', coded('ERR_STREAM_CANNOT_PIPE', 'A response cannot be piped: it is not readable.'));
    },
    writeContinue: informs(response, '100 Continue'),
    writeProcessing: informs(response, '102 Processing'),
    writeEarlyHints(hints: Record<string, string | string[]>, written?: () => void) {
      const lines = Object.entries(hints).map(([name, value]) => {
        return name === 'link' ? `Link: ${[value].flat().join(', ')}` : `${name}: ${value}`;
      });
      informs(response, ['103 Early Hints', ...lines].join('\r\n'))(written);
    },
  });
  define(request, {
    socket,
    connection: socket,
    client: socket,
    // No platform hands trailers on.
    rawTrailers: [],
    _destroy(this: IncomingMessage, error: Error | null, destroyed: (error?: Error | null) => void) {
      if (!this.readableEnded || !this.complete) {
        this.aborted = true;
        this.emit('aborted');
        socket.destroy(error ?? undefined);
      }
      queueMicrotask(() => destroyed(this.listenerCount('error') > 0 ? error : null));
    },
    setTimeout(this: IncomingMessage, milliseconds: number, listener?: () => void) {
      if (listener !== undefined) this.on('timeout', listener);
      socket.setTimeout(milliseconds);
      return this;
    },
  });
}

/** Checked as in Node, and dropped as everywhere: a response of WSGI has no trailers. */
function addTrailers(trailers: Record<string, string> | readonly (readonly [string, string])[]): void {
  const list = Array.isArray(trailers) ? trailers : Object.entries(trailers);
  for (const [name, value] of list) {
    validateHeaderName(name);
    validateHeaderValue(name, String(value));
  }
}

/** Sends an informational response as Node does, through the response's own `_writeRaw`. */
function informs(response: ServerResponse, head: string): (written?: () => void) => void {
  const { _writeRaw: write } = response as unknown as {
    _writeRaw(data: string, encoding: string, written?: () => void): boolean;
  };
  return (written) => {
    write.call(response, `HTTP/1.1 ${head}\r\n\r\n`, 'ascii', written);
  };
}

function define(object: object, members: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
  }
}
