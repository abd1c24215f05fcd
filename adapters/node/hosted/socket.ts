// The connection that a hosted listener sees as `req.socket` and `res.socket`: a stream in memory with the surface of a
// `net.Socket`. What a response writes into it comes out at the other end, chunk by chunk, at the gateway's pace. There is
// nothing to read from it: a request has its body from `wsgi.input`.

import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import type { Environ } from '../../../core/types.ts';

/** Who has the other end of a connection, and hears what happens to it. */
export interface SocketOwner {
  /** Chunks have arrived at the other end. */
  arrived(): void;
  /** The connection ends or breaks, the latter perhaps with an error. */
  broken(error: Error | null): void;
  /** The connection has closed. */
  closed(): void;
  /** There is room again. */
  drained(): void;
  /** Nothing was written for as long as `setTimeout` allows. */
  timedOut(): void;
}

type Written = (error?: Error | null) => void;

const NOTHING: Uint8Array[] = [];

/** One request's connection. Its addresses are those of the environ. */
export class HostedSocket extends Duplex {
  /** A member of `tls.TLSSocket` by which frameworks know that the scheme is https; a plain socket has no such member. */
  declare readonly encrypted: true | undefined;
  /** The `http.Server` behind which the listener stands, where there is one. */
  server: Server | null = null;
  timeout = 0;
  bytesWritten = 0;

  #environ: Environ;
  /** Null once the response is over. */
  #owner: SocketOwner | null;
  /** Chunks written and not yet taken, from #at on. */
  #chunks = NOTHING;
  #at = 0;
  /** To be called once all of #chunks are taken; null when nothing is under way. */
  #taken: Written | null = null;
  #discards = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(environ: Environ, owner: SocketOwner) {
    super();
    if (environ['wsgi.url_scheme'] === 'https') this.encrypted = true;
    this.#environ = environ;
    this.#owner = owner;
    this.on('close', onclose);
    this.on('drain', ondrain);
    this.on('timeout', ontimeout);
  }

  /** Who has the other end, as long as somebody has. */
  static owner(socket: HostedSocket): SocketOwner | null {
    return socket.#owner;
  }

  // The other end.

  /**
   * The response is over: the connection lets go of the request. Since Node 24 each writable stream leaves a function in the
   * old generation of the engine. That function keeps the stream until the next full collection. With all that a request has
   * on it, no request of a busy process would die young.
   */
  release(): void {
    this.#owner = null;
    this.#environ = addressesOf(this.#environ);
  }

  /** The next chunk, perhaps an empty one; null when none is at hand. To ask says that the one before was taken. */
  takeNext(): Uint8Array | null {
    for (;;) {
      const chunk = this.#chunks[this.#at];
      if (chunk !== undefined) {
        this.#at++;
        return chunk;
      }
      if (!this.#confirm()) return null;
    }
  }

  /** All chunks, where nothing waits behind what the other end has not taken yet; else null. */
  takeAll(): Uint8Array[] | null {
    if (!this.arrived) return null;
    const chunks = this.#chunks.slice(this.#at).filter((chunk) => chunk.byteLength > 0);
    this.#chunks = NOTHING;
    this.#at = 0;
    // As on a real connection, the writer hears of it later. It is a microtask: a platform may run many requests in a row
    // without ever getting to the next tick.
    queueMicrotask(() => {
      // Where Node's response does not cork, its end is a write of its own, of nothing.
      while (this.#confirm());
    });
    return chunks;
  }

  /** Whether all that was written has arrived, taken or not. */
  get arrived(): boolean {
    let length = 0;
    for (let at = this.#at; at < this.#chunks.length; at++) length += this.#chunks[at]?.byteLength ?? 0;
    return length >= this.writableLength;
  }

  /** From now on everything that is written counts as taken: nobody wants the rest. */
  discard(): void {
    this.#discards = true;
    this.#chunks = NOTHING;
    this.#at = 0;
    this.#confirm();
  }

  #confirm(): boolean {
    const taken = this.#taken;
    if (taken === null) return false;
    this.#taken = null;
    this.#chunks = NOTHING;
    this.#at = 0;
    taken();
    return true;
  }

  #arrive(chunks: Uint8Array[], taken: Written): void {
    if (this.#timer !== null) this.setTimeout(this.timeout);
    for (const chunk of chunks) this.bytesWritten += chunk.byteLength;
    if (this.#discards) {
      taken();
      return;
    }
    this.#chunks = chunks;
    this.#at = 0;
    this.#taken = taken;
    this.#owner?.arrived();
  }

  // What a stream does.

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, written: Written): void {
    this.#arrive([chunk], written);
  }

  override _writev(chunks: { chunk: Uint8Array }[], written: Written): void {
    this.#arrive(
      chunks.map(({ chunk }) => chunk),
      written,
    );
  }

  override _read(): void {}

  override _final(finished: Written): void {
    this.#owner?.broken(null);
    finished();
  }

  override destroy(error?: Error): this {
    // A response holds back what it writes in one turn; one that has begun must be seen to break.
    while (this.writableCorked > 0) this.uncork();
    return super.destroy(error);
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    this.setTimeout(0);
    this.#owner?.broken(error);
    // A server listens for the errors of its connections; here nobody must, so that one without a listener ends nothing.
    destroyed(this.listenerCount('error') > 0 ? error : null);
  }

  // What a net.Socket has besides.

  get remoteAddress(): string | undefined {
    return remoteAddress(this.#environ);
  }

  get remotePort(): number | undefined {
    const port = this.#environ.REMOTE_PORT;
    return port === undefined ? undefined : Number(port);
  }

  get localAddress(): string {
    return this.#environ.SERVER_NAME;
  }

  get localPort(): number {
    return Number(this.#environ.SERVER_PORT);
  }

  get connecting(): boolean {
    return false;
  }

  get pending(): boolean {
    return false;
  }

  get bytesRead(): number {
    return 0;
  }

  get remoteFamily(): string | undefined {
    return family(this.remoteAddress);
  }

  get localFamily(): string | undefined {
    return family(this.localAddress);
  }

  get readyState(): string {
    return this.destroyed ? 'closed' : 'open';
  }

  get bufferSize(): number {
    return this.writableLength;
  }

  address(): AddressInfo {
    return { address: this.localAddress, family: this.localFamily ?? 'IPv4', port: this.localPort };
  }

  /** Calls the listener, and emits `timeout`, after so many milliseconds without a write. 0 takes the timeout away. */
  setTimeout(milliseconds: number, listener?: () => void): this {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.timeout = milliseconds;
    if (milliseconds > 0) this.#timer = setTimeout(() => this.emit('timeout'), milliseconds);
    if (listener !== undefined) {
      if (milliseconds > 0) this.once('timeout', listener);
      else this.off('timeout', listener);
    }
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** The type of service is in the packets of a real connection; Node 24 and later can set it. */
  setTypeOfService(): this {
    return this;
  }

  getTypeOfService(): number {
    return 0;
  }

  /** @throws {Error} `ERR_HTTP_SOCKET_ENCODING`, as a connection of Node's server does */
  override setEncoding(): this {
    throw coded('ERR_HTTP_SOCKET_ENCODING', 'The encoding of a connection of HTTP cannot be changed (RFC 9112).');
  }

  destroySoon(): void {
    if (this.writableLength === 0) this.destroy();
    else this.write('', () => this.destroy());
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  // What a tls.TLSSocket has besides.

  /** Whether the client's certificate was verified. */
  get authorized(): boolean {
    return this.#environ.SSL_CLIENT_VERIFY === 'SUCCESS';
  }

  /** The version of TLS, such as `TLSv1.3`; null where the platform does not know it. */
  getProtocol(): string | null {
    return (this.#environ.SSL_PROTOCOL as string | undefined) ?? null;
  }

  /** The cipher; an empty object where the platform does not know it. */
  getCipher(): { name?: string; version?: string } {
    const name = this.#environ.SSL_CIPHER as string | undefined;
    return name === undefined ? {} : { name, version: this.getProtocol() ?? 'unknown' };
  }

  /** The client's certificate is in the environ's `SSL_CLIENT_*` keys, where the platform knows it. */
  getPeerCertificate(): object {
    return {};
  }
}

/** An error with the code that Node's own has. */
export function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

// The same functions for all connections: each that is made for one costs the request more than its call.

function onclose(this: HostedSocket): void {
  HostedSocket.owner(this)?.closed();
}

function ondrain(this: HostedSocket): void {
  HostedSocket.owner(this)?.drained();
}

function ontimeout(this: HostedSocket): void {
  const owner = HostedSocket.owner(this);
  if (owner !== null) owner.timedOut();
  // Between two requests nobody decides but the server.
  else if (!serverHears(this)) this.destroy();
}

/** Whether the hosted server hears of the timeout of a connection; it then decides what happens. */
export function serverHears(socket: HostedSocket): boolean {
  return socket.server?.emit('timeout', socket as never) === true;
}

/** What of an environ a connection shows. */
function addressesOf(environ: Environ): Environ {
  const { SERVER_NAME, SERVER_PORT, REMOTE_PORT, SSL_CLIENT_VERIFY, SSL_PROTOCOL, SSL_CIPHER } = environ;
  const addresses = { SERVER_NAME, SERVER_PORT, REMOTE_PORT, SSL_CLIENT_VERIFY, SSL_PROTOCOL, SSL_CIPHER };
  return { ...addresses, REMOTE_ADDR: remoteAddress(environ) } as Partial<Environ> as Environ;
}

/** An IPv4 client of a dual-stack socket has a longer address on Node than in environ. */
function remoteAddress(environ: Environ): string | undefined {
  const address = environ.REMOTE_ADDR;
  const known = (environ['node.request'] as IncomingMessage | undefined)?.socket?.remoteAddress;
  return known === `::ffff:${address}` ? known : address;
}

function family(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  return address.includes(':') ? 'IPv6' : 'IPv4';
}
