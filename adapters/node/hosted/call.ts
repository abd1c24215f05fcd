// One request of a hosted listener: runs it on a request and a response in memory, and is the body of what it answers.

import { FLUSH } from '../../../core/body.ts';
import { ClientDisconnectedError, report } from '../../../core/errors.ts';
import { flush, log } from '../../../core/log.ts';
import { isThenable } from '../../../core/thenable.ts';
import type { ApplicationBody, Environ, StartResponse } from '../../../core/types.ts';
import type { Host } from './host.ts';
import { showProperties } from './properties.ts';
import { abort, detachSignal, dump, failBody, type HostedRequest, hostedRequest, isAnswerable } from './request.ts';
import { closeResponse, drained, type HostedResponse, hasContent, headOf, hostedResponse, unread } from './response.ts';
import { HostedSocket, type SocketOwner, serverHears } from './socket.ts';
import { LateTurn } from './turn.ts';

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The listener at work on one request. It is also the body: its chunks are those that the response wrote. The next one is
 * asked for when the platform has taken the last. So `drain` and `finish` mean what they mean on a connection.
 */
export class HostedCall implements SocketOwner {
  readonly #environ: Environ;
  /** Called once; null from then on. */
  #startResponse: StartResponse | null;
  readonly #socket: HostedSocket;
  readonly #request: HostedRequest;
  readonly #response: HostedResponse;
  /** An empty write has come; only the first can be that of `flushHeaders()`. */
  #isFlushed = false;
  /** Bytes of the body that were handed out. */
  #sent = 0;
  /** `finish` was emitted: all is handed out. */
  #finished = false;
  /** Nobody wants more: the client has gone, or has all it was promised. What that waits for; null before. */
  #closing: null | undefined | Promise<void> = null;
  #failure: { readonly error: unknown } | null = null;
  #wake: (() => void) | null = null;
  /** Ends when the response is over; null on Node, and from then on. */
  #turn: LateTurn | null;

  constructor(host: Host, environ: Environ, startResponse: StartResponse) {
    this.#environ = environ;
    this.#startResponse = startResponse;
    this.#socket = new HostedSocket(environ, this);
    this.#socket.server = host.server;
    this.#request = hostedRequest(environ, this.#socket, this.#onbodyfailed, host.messages);
    this.#response = hostedResponse(this.#request, this.#socket, environ['waygate.early_hints'], host.messages);
    this.#response.on('finish', this.#onfinish);
    const seen = environ['connect.response'];
    if (seen !== undefined) showProperties(this.#response, seen);
    this.#turn = LateTurn.of(environ);
  }

  /**
   * Calls the listener.
   *
   * @returns all chunks, where the listener has answered at once; else this body
   */
  run(host: Host): ApplicationBody {
    try {
      const result = host.call(this.#request, this.#response, this.#environ);
      if (isThenable(result)) result.then(undefined, this.#fail);
    } catch (error) {
      this.#fail(error);
    }
    const head = headOf(this.#response);
    if (head === null) {
      if (this.#failure !== null) throw this.#failure.error;
      return this as unknown as ApplicationBody;
    }
    this.#start();
    if (this.#failure !== null || !this.#response.writableEnded || head.length < 0 || !hasContent(this.#response))
      return this as unknown as ApplicationBody;
    const chunks = this.#socket.takeAll();
    if (chunks === null) return this as unknown as ApplicationBody;
    this.#over();
    return chunks;
  }

  // The body.

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next chunk; a promise only while there is none. */
  next(): IteratorResult<Uint8Array> | Promise<IteratorResult<Uint8Array>> {
    try {
      for (;;) {
        const chunk = this.#closed ? null : this.#socket.takeNext();
        if (chunk !== null) {
          this.#start();
          if (chunk.byteLength === 0) {
            if (!this.#asksForHead()) continue;
            return { done: false, value: FLUSH };
          }
          this.#sent += chunk.byteLength;
          return { done: false, value: chunk };
        }
        if (this.#failure !== null) throw this.#failure.error;
        if (this.#closed) {
          if (this.#startResponse === null) return OVER;
          throw new ClientDisconnectedError('The client left before the listener had answered.');
        }
        if (this.#finished) {
          this.#start();
          return OVER;
        }
        return this.#arrival().then(() => this.next());
      }
    } catch (error) {
      this.#break(error);
      throw error;
    }
  }

  return(): IteratorReturnResult<undefined> | Promise<IteratorReturnResult<undefined>> {
    const closing = this.close();
    return closing === undefined ? OVER : closing.then(() => OVER);
  }

  /** Nobody reads on. A response that is complete for the client may finish; any other loses its connection. */
  close(): void | Promise<void> {
    if (this.#closing !== null) return this.#closing;
    this.#closing = undefined;
    this.#awake();
    this.#over();
    this.#leave();
    const closing = unread(this.#response);
    if (closing instanceof Promise) this.#closing = closing;
    return closing;
  }

  #leave(): void {
    if (this.#finished || this.#failure !== null) return;
    const head = this.#startResponse === null ? headOf(this.#response) : null;
    const complete = head !== null && (!hasContent(this.#response) || (head.length >= 0 && this.#sent >= head.length));
    if (complete) this.#socket.discard();
    else this.#socket.destroy();
  }

  get #closed(): boolean {
    return this.#closing !== null;
  }

  #start(): void {
    const startResponse = this.#startResponse;
    if (startResponse === null) return;
    const head = headOf(this.#response);
    if (head === null) {
      throw new Error(
        'The listener wrote to its socket by itself; there is no connection behind it. Answer through the response.',
      );
    }
    this.#startResponse = null;
    try {
      startResponse(head.status, head.headers);
    } catch (error) {
      this.#break(error);
      throw error;
    }
  }

  /** The response is over. */
  #over(): void {
    const turn = this.#turn;
    this.#turn = null;
    turn?.end(this.#failure !== null || this.#response.statusCode >= 400);
  }

  /** Whether an empty write is that of `flushHeaders()`: it is the first, and no end. */
  #asksForHead(): boolean {
    const isFirst = !this.#isFlushed && this.#sent === 0;
    this.#isFlushed = true;
    return isFirst && !this.#response.writableEnded;
  }

  #arrival(): Promise<void> {
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }

  #awake(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  // What happens to the connection.

  arrived(): void {
    this.#awake();
  }

  /** The listener or what it answered failed. Once the response is complete, the failure is only logged. */
  readonly #fail = (error: unknown): void => {
    if (this.#failure !== null || (this.#closed && this.#socket.destroyed)) return;
    if (this.#closed || (this.#response.writableEnded && this.#socket.arrived)) {
      const errors = this.#environ['wsgi.errors'];
      log(errors, report(error));
      flush(errors);
      return;
    }
    this.#break(error);
  };

  /** The response ends here: after what it has written, with an error for its reader. */
  #break(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = { error };
    this.#socket.destroy();
    this.#over();
    this.#awake();
  }

  broken(error: Error | null): void {
    if (this.#closed || this.#failure !== null || this.#finished) return;
    // What was written in full ahead of the break has reached the other end.
    if (this.#response?.writableEnded && this.#socket.arrived) return;
    this.#fail(error ?? new Error('The listener destroyed the connection before its response was finished.'));
  }

  /** All is handed out. What Node's server does then. */
  readonly #onfinish = (): void => {
    this.#finished = true;
    this.#over();
    const request = this.#request;
    const response = this.#response;
    if (!request.readableEnded) dump(request);
    detachSignal(request);
    response.detachSocket(this.#socket as never);
    // What the listener caused in this turn, such as the error of a late write, comes first; unheard it can go faster.
    const isHeard = response.listenerCount('close') > 0 || response.listenerCount('error') > 0;
    if (isHeard) process.nextTick(closeResponse, response);
    else queueMicrotask(() => closeResponse(response));
    // Not within the write that ends here: for a stream destroyed by then Node makes an error that nobody gets.
    const socket = this.#socket;
    if (socket.listenerCount('close') > 1 || socket.timeout > 0) queueMicrotask(() => socket.destroy());
    socket.release();
    this.#awake();
  };

  closed(): void {
    if (!this.#finished) abort(this.#request);
  }

  drained(): void {
    drained(this.#response);
  }

  readonly #onbodyfailed = (error: unknown): void => {
    if (this.#request.destroyed) return;
    if (this.#finished) abort(this.#request);
    else if (!isAnswerable(error)) this.#socket.destroy(error as Error);
    else if (!failBody(this.#request, error)) this.#fail(error);
  };

  /** A `timeout` listener decides what happens; without one the connection is over. (`server.timeout` in Node) */
  timedOut(): void {
    const heard = [
      !this.#request.complete && this.#request.emit('timeout', this.#socket),
      this.#response.emit('timeout', this.#socket),
      serverHears(this.#socket),
    ];
    if (!heard.includes(true)) this.#socket.destroy();
  }
}
