// The body of a `node:http` request as a source for `wsgi.input`: read on demand, so that TCP holds the client back.

import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { concat } from '../../core/bytes.ts';
import type { ByteSource } from '../../core/input.ts';
import { decoded, dropped, left, readBefore, unread } from './body-errors.ts';
import { destroyAll } from './break-off.ts';
import { closeInStages, isDumped, isOver, isWhole, readAway, waitsForContinue } from './request-state.ts';
import { isUntouched, takePast } from './untouched-request.ts';

/** How long an application that reads on after its response may take for one chunk, in milliseconds. */
const READ_TIMEOUT = 1000;
/** Up to this many bytes a body is gathered while it comes; the application takes more at its own pace. */
const SMALL_BODY = 64 * 1024;
/** Nothing of a body has been gathered yet. */
const NOTHING: Uint8Array[] = [];

/** A read that goes on after the response. */
interface LateRead {
  /** Runs out where nobody asks for the next chunk. */
  timer: ReturnType<typeof setTimeout> | undefined;
  /** The connection, where that alone says that the client has left: Node's server says nothing more to a request of HTTP/1. */
  readonly socket: Socket | null;
}

export class NodeSource implements ByteSource {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  /** The declared length in bytes, or -1. */
  readonly #length: number;
  /** Whether the client waits for a 100 before it sends its body. (HTTP-01) */
  #expects: boolean;
  #phase: 'unread' | 'reading' | 'ended' = 'unread';
  /** How many bytes have come, read or not. */
  #received = 0;
  /** A chunk that came before it was asked for; the request is paused then, so there is never a second one. */
  #ahead: Uint8Array | null = null;
  #failure: Error | null = null;
  /** Null until the response is over and the application still reads. */
  #late: LateRead | null = null;
  /** The reader that waits: gets the next chunk, or all bytes while they are gathered. */
  #take: ((bytes: Uint8Array | null) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;
  /** What has come of a body that is gathered, {@link NOTHING} before its first chunk; null where it is not gathered. */
  #parts: Uint8Array[] | null = null;

  /**
   * @param expects whether the request has an `Expect` header
   * @param length the declared length of the body in bytes, if any
   */
  constructor(request: IncomingMessage, response: ServerResponse, expects: boolean, length?: number) {
    this.#request = request;
    this.#response = response;
    this.#length = length ?? -1;
    this.#expects = expects && waitsForContinue(request);
  }

  /** Whether the client still waits for leave to send: nobody knows then what follows on the connection. */
  get awaitsContinue(): boolean {
    return this.#expects;
  }

  /** Whether something of the body has been asked for. */
  get isRead(): boolean {
    return this.#phase !== 'unread' || this.#request.readableDidRead;
  }

  pull(): Uint8Array | null | Promise<Uint8Array | null> {
    this.#ask();
    if (this.#phase === 'unread') this.#listen();
    if (this.#late !== null) clearTimeout(this.#late.timer);
    const chunk = this.#ahead;
    if (chunk !== null) {
      this.#ahead = null;
      return chunk;
    }
    if (this.#failure !== null) throw this.#failure;
    if (this.#phase === 'ended') return null;
    if (this.#request.isPaused()) this.#request.resume();
    return new Promise((resolve, reject) => {
      this.#take = resolve;
      this.#reject = reject;
    });
  }

  /** Takes a short body of a known length as it comes, without a pause or a promise for each chunk. */
  whole(done: (bytes: Uint8Array) => void, failed: (error: unknown) => void): boolean {
    const request = this.#request;
    if (this.#length < 0 || this.#length > SMALL_BODY) return false;
    if (this.isRead || this.#failure !== null || isOver(request)) return false;
    this.#ask();
    this.#take = done as (bytes: Uint8Array | null) => void;
    this.#reject = failed;
    this.#parts = NOTHING;
    this.#phase = 'reading';
    if (isUntouched(request)) {
      takePast(request, this.#length, this.#arrive, () => this.#takeFromStream(), this.#fail);
      return true;
    }
    // A request that ended early closes too: there is no need to listen for its end.
    request.on('close', this.#fail);
    this.#takeFromStream();
    return true;
  }

  #takeFromStream(): void {
    this.#request.on('data', this.#arrive);
    if (this.#request.isPaused()) this.#request.resume();
  }

  /** Lets a client go on that waits for a 100. (HTTP-01) */
  #ask(): void {
    if (!this.#expects) return;
    this.#expects = false;
    const response = this.#response;
    const go = (): void => {
      if (!response.headersSent) response.writeContinue();
    };
    // Behind other responses of the connection it would land in the middle of one of them. (RFC 9110 §15.2)
    if (response.socket === null) response.once('socket', go);
    else go();
  }

  #gather(parts: Uint8Array[], chunk: Uint8Array): void {
    const isFirst = parts === NOTHING;
    if (this.#received < this.#length) {
      if (isFirst) this.#parts = [chunk];
      else parts.push(chunk);
    } else if (isFirst) {
      this.#settle(chunk);
    } else {
      parts.push(chunk);
      this.#settle(concat(parts, this.#received));
    }
  }

  /** Gives the reader what was gathered: all of it, unless the body has ended early. */
  #settle(all: Uint8Array): void {
    const take = this.#take;
    this.#take = null;
    this.#parts = null;
    this.#phase = 'ended';
    this.#endLate();
    take?.(all);
  }

  #listen(): void {
    const request = this.#request;
    this.#phase = 'reading';
    const { readableDidRead } = request;
    if (readableDidRead && (request.readableEnded || this.#length < 0)) {
      this.#takeKept();
      return;
    }
    if (request.destroyed && !request.readableEnded) {
      this.#fail();
      return;
    }
    request.on('data', this.#arrive);
    if (request.readableEnded) this.#end();
    // Other code that looked at the beginning may have put it back: where a length was declared, the end shows it.
    request.on('end', readableDidRead ? () => this.#endOfRest() : this.#end);
    // Where nobody listens for an error, Node only closes.
    request.on('close', this.#fail);
  }

  /** Somebody has read the body before the application. Some keep its bytes, as Google's Functions Framework does. */
  #takeKept(): void {
    const request = this.#request;
    const { rawBody: kept } = request as { rawBody?: unknown };
    this.#phase = 'ended';
    if (isDumped(request)) this.#failure ??= dropped();
    else if (kept instanceof Uint8Array && this.#isAsSent(kept)) this.#ahead = new Uint8Array(kept);
    else this.#failure ??= readBefore();
  }

  /** A body parser may have decoded what it keeps. */
  #isAsSent(kept: Uint8Array): boolean {
    if (this.#length >= 0) return kept.byteLength === this.#length;
    return this.#request.headers['content-encoding'] === undefined;
  }

  #arrive = (given: Buffer | string): void => {
    const chunk = typeof given === 'string' ? this.#encoded(given) : given;
    this.#received += chunk.byteLength;
    // Code that has replaced the request's methods may have kept this listener.
    if (this.#failure !== null) return;
    if (this.#parts !== null) {
      this.#gather(this.#parts, plain(chunk));
    } else if (this.#take !== null) {
      this.#take(plain(chunk));
      this.#take = null;
    } else {
      this.#ahead = plain(chunk);
      this.#request.pause();
      if (this.#late !== null) this.#late.timer = setTimeout(() => this.#drop(), READ_TIMEOUT).unref();
    }
  };

  /** Somebody has called `setEncoding`: Node gives text. */
  #encoded(text: string): Buffer {
    const encoding = this.#request.readableEncoding as BufferEncoding;
    // Bytes that are not text of that encoding became this character.
    if (text.includes('\ufffd')) {
      this.#failure ??= decoded(encoding);
      this.#stopGathering();
      this.#reject?.(this.#failure);
    }
    return Buffer.from(text, encoding);
  }

  #end = (): void => {
    if (isDumped(this.#request) || this.#request.listenerCount('data') === 0) this.#failure ??= dropped();
    // Under HTTP/2 a request whose stream was reset ends like any other.
    if (this.#request.aborted) this.#failure ??= left();
    this.#phase = 'ended';
    this.#endLate();
    if (this.#failure !== null) this.#reject?.(this.#failure);
    else this.#take?.(null);
    this.#take = null;
  };

  /** The end of a body that other code had begun to read: without what that code took, it is not the whole. */
  #endOfRest(): void {
    if (this.#received < this.#length) this.#failure ??= readBefore();
    this.#end();
  }

  #stopGathering(): void {
    if (this.#parts === null) return;
    this.#parts = null;
    this.#take = null;
  }

  /** A request also closes after its end, which is not a failure. */
  #fail = (): void => {
    if (this.#phase === 'ended' || this.#failure !== null) return;
    if (this.#parts !== null && this.#request.readableEnded) {
      // Somebody else has read the rest.
      this.#settle(concat(this.#parts, this.#received));
      return;
    }
    if (this.#takeRest()) return;
    this.#failure = isWhole(this.#request) ? unread() : left();
    this.#endLate();
    this.#stopGathering();
    this.#reject?.(this.#failure);
  };

  /** A body that has come in whole is there to be read though its client has left since. Whether it was. (INPUT-12) */
  #takeRest(): boolean {
    const request = this.#request;
    if (!isWhole(request)) return false;
    const parts = this.#parts !== null ? [...this.#parts] : this.#ahead !== null ? [this.#ahead] : [];
    for (let chunk = request.read(); chunk !== null; chunk = request.read()) {
      const bytes = typeof chunk === 'string' ? this.#encoded(chunk) : chunk;
      parts.push(plain(bytes));
      this.#received += bytes.byteLength;
    }
    if (this.#length >= 0 && this.#received !== this.#length) return false;
    const rest = concat(
      parts,
      parts.reduce((sum, each) => sum + each.byteLength, 0),
    );
    if (this.#parts !== null) {
      this.#settle(rest);
      return true;
    }
    this.#phase = 'ended';
    this.#endLate();
    this.#ahead = null;
    if (this.#take !== null) this.#take(rest.byteLength > 0 ? rest : null);
    else if (rest.byteLength > 0) this.#ahead = rest;
    this.#take = null;
    return true;
  }

  /**
   * Before the response is sent: from here on {@link discard} deals with what is left of the body. Node itself would drop
   * an unread body as soon as the response has gone out, ahead of any promise. Code that begins to read then would take
   * nothing for the whole. (INPUT-12)
   */
  preventAutoDrain(): void {
    if (!this.isRead && !this.#hasArrived() && this.#request.httpVersionMajor === 1) this.#request.read(0);
    // Nobody knows what would follow on the connection.
    if (this.#expects) this.#response.shouldKeepAlive = false;
    else if (this.#response.shouldKeepAlive === false) closeInStages(this.#request);
  }

  /**
   * Gets rid of what the application does not read, so that the next request on the connection starts where it should. A
   * client that goes on for too long loses the connection. (RFC 9112 §9.3) Who waits for a chunk at that time may read on.
   */
  discard(): void {
    // The end of a body that was read in whole is often just being parsed.
    if (!this.#hasArrived()) setImmediate(() => this.#drain());
  }

  #drain(): void {
    if (this.#phase === 'ended' || this.#received === this.#length) return;
    if (this.#take === null) {
      this.#drop();
      return;
    }
    const { socket, httpVersionMajor } = this.#request;
    // A request in memory may have none, or one that only looks like a socket.
    const emits = httpVersionMajor === 1 && (socket as unknown) instanceof EventEmitter;
    this.#late = { timer: undefined, socket: emits ? socket : null };
    if (emits && socket.destroyed) this.#fail();
    else if (emits) socket.on('close', this.#fail);
  }

  /** Nobody waits for what may still come after the response. */
  #endLate(): void {
    const late = this.#late;
    if (late === null) return;
    this.#late = null;
    clearTimeout(late.timer);
    late.socket?.off('close', this.#fail);
  }

  /** Nobody reads on: should somebody try, what came must not pass for the whole body. */
  #drop(): void {
    this.#failure ??= dropped();
    this.#endLate();
    this.#ahead = null;
    try {
      if (this.#hasArrived()) return;
      this.#request.off('data', this.#arrive);
      readAway(this.#request);
    } catch {
      // Where the rest cannot be taken, nothing else may follow on the connection.
      destroyAll(this.#response);
    }
  }

  /** Whether nothing is left that could hold up the connection, neither on its way nor in Node's buffer. */
  #hasArrived(): boolean {
    const request = this.#request;
    if (request.destroyed || this.#received === this.#length) return true;
    return request.complete && request.readableLength === 0;
  }
}

/** Applications get a `Uint8Array`, not a `Buffer`, whose `slice` and `toString` mean something else. */
function plain(chunk: Buffer): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
