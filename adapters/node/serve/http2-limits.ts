// Time limits of HTTP/2 sessions; Node has none. They end a session that idles, that sends no request, that never ends one,
// or that resets what it sends.

import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { bytesSent, Progress } from './write-timeout.ts';

/** Times in milliseconds; 0 takes a limit away. */
export interface SessionLimits {
  /** How long a new session may go without a request. */
  headersTimeout: number;
  /** How long a client may take for a whole request. */
  requestTimeout: number;
  /** How long a session may go without an open stream. */
  sessionTimeout: number;
  /** How long a client may take nothing of what waits for it. */
  writeTimeout: number;
  /** How many streams a client may reset in {@link RESET_WINDOW}. */
  maxStreamResets: number;
}

/** In milliseconds. */
const RESET_WINDOW = 10_000;
/** How long a connection may outlive its session, and a stream its reset, in milliseconds. Node leaves some open for ever. */
const SOCKET_GRACE = 1000;

/** RFC 9113 §7. */
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const CANCEL = 8;
const ENHANCE_YOUR_CALM = 11;

/** Holds the sessions of a server to limits. */
export function limitSessions(server: Http2Server, limits: SessionLimits): void {
  const watches = new Set<SessionWatch>();
  let latest: Socket | undefined;
  // Node makes the session of a connection while it emits this; the socket that a session shows is a guarded one.
  const note = (socket: Socket): void => {
    latest = socket;
  };
  server.prependListener('connection', note);
  server.prependListener('secureConnection', note);
  server.on('session', (session: ServerHttp2Session) => {
    const watch = new SessionWatch(session, latest, limits);
    watches.add(watch);
    session.once('close', () => {
      watches.delete(watch);
      watch.over();
    });
  });
  const { headersTimeout, requestTimeout, sessionTimeout, writeTimeout } = limits;
  const shortest = Math.min(
    ...[headersTimeout, requestTimeout, sessionTimeout, writeTimeout].filter((time) => time > 0),
  );
  if (!Number.isFinite(shortest)) return;
  const timer = setInterval(
    () => {
      const now = performance.now();
      for (const watch of watches) watch.check(now);
    },
    Math.min(1000, Math.max(50, shortest / 4)),
  ).unref();
  server.once('close', () => clearInterval(timer));
}

class SessionWatch {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket | undefined;
  readonly #limits: SessionLimits;
  /** When the last stream closed, or the session began. */
  #idleSince = performance.now();
  readonly #open = new Set<ServerHttp2Stream>();
  /** When each open stream was seen to have been closed by its client. */
  readonly #closedSince = new Map<ServerHttp2Stream, number>();
  /** It has had a request. */
  #used = false;
  /** When each request began that is not complete. */
  readonly #incomplete = new Map<ServerHttp2Stream, number>();
  readonly #progress = new Progress();
  #resets = 0;
  #isEnding = false;
  #windowStart = 0;

  constructor(session: ServerHttp2Session, socket: Socket | undefined, limits: SessionLimits) {
    this.#session = session;
    this.#socket = socket;
    this.#limits = limits;
    session.on('stream', (stream: ServerHttp2Stream) => this.#begin(stream));
  }

  #begin(stream: ServerHttp2Stream): void {
    this.#used = true;
    // A request and its reset that came in one read: Node closes the stream before it shows it.
    if (stream.destroyed) {
      this.#idleSince = performance.now();
      this.#countReset();
      return;
    }
    this.#open.add(stream);
    if (!stream.endAfterHeaders) {
      this.#incomplete.set(stream, performance.now());
      stream.once('end', () => this.#incomplete.delete(stream));
    }
    stream.once('close', () => {
      this.#incomplete.delete(stream);
      this.#open.delete(stream);
      this.#closedSince.delete(stream);
      this.#idleSince = performance.now();
      // The client is not at fault for what this side resets.
      if (stream.rstCode !== NO_ERROR && stream.rstCode !== INTERNAL_ERROR) this.#countReset();
    });
  }

  #countReset(): void {
    const { maxStreamResets } = this.#limits;
    if (maxStreamResets === 0) return;
    const now = performance.now();
    if (now - this.#windowStart > RESET_WINDOW) {
      this.#windowStart = now;
      this.#resets = 0;
    }
    if (++this.#resets <= maxStreamResets || this.#isEnding) return;
    this.#isEnding = true;
    // Not while Node reads frames: data of a stream that came after the end of its session would end the process.
    setImmediate(() => this.#end(ENHANCE_YOUR_CALM));
  }

  check(now: number): void {
    const { headersTimeout, requestTimeout, sessionTimeout } = this.#limits;
    this.#destroyClosed(now);
    this.#endStalled(now);
    const idle = this.#open.size === 0 ? now - this.#idleSince : 0;
    if (!this.#used && headersTimeout > 0 && idle > headersTimeout) this.#end(NO_ERROR);
    else if (sessionTimeout > 0 && idle > sessionTimeout) this.#end(NO_ERROR);
    if (requestTimeout === 0) return;
    for (const [stream, began] of this.#incomplete) {
      if (now - began <= requestTimeout) continue;
      this.#incomplete.delete(stream);
      if (!stream.destroyed) stream.close(CANCEL);
    }
  }

  /**
   * Ends a session that has something to send, while nothing leaves. Its client gives it no window; or Node 20 has ended it
   * with a protocol error, and neither sends nor closes anything.
   */
  #endStalled(now: number): void {
    const socket = this.#socket;
    const { writeTimeout } = this.#limits;
    if (writeTimeout === 0 || socket === undefined || this.#session.destroyed) return;
    const waits = this.#hasToSend();
    if (this.#progress.stalledFor(waits, waits ? bytesSent(socket) : 0, now) < writeTimeout) return;
    // The session first: Node 20 ends the process where a connection goes from under a session that is at work.
    this.#session.destroy();
    setTimeout(() => socket.destroy(), SOCKET_GRACE).unref();
  }

  #hasToSend(): boolean {
    if ((this.#session.state.outboundQueueSize ?? 0) > 0) return true;
    for (const stream of this.#open) {
      if (stream.writableLength > 0) return true;
      // Once its request is complete and its response is written, a stream stays open only until that is sent.
      if (stream.writableEnded && !(stream.writableFinished && this.#incomplete.has(stream))) return true;
    }
    return false;
  }

  /**
   * Node keeps a stream that its client has reset with NO_ERROR until its request is read and its response sent, which may be
   * never. Destroys those that are still there after a while.
   */
  #destroyClosed(now: number): void {
    for (const stream of this.#open) {
      if (!stream.closed) continue;
      const since = this.#closedSince.get(stream);
      if (since === undefined) this.#closedSince.set(stream, now);
      else if (now - since > SOCKET_GRACE) stream.destroy();
    }
  }

  /** Says why, and ends the session and its connection. */
  #end(code: number): void {
    if (this.#session.destroyed) return;
    try {
      this.#session.goaway(code);
      this.#session.close();
    } catch {
      // What is left is to end it silently.
    }
    setTimeout(() => {
      if (!this.#session.destroyed) this.#session.destroy();
    }, SOCKET_GRACE).unref();
    if (code !== NO_ERROR) this.#session.destroy();
  }

  /** The session is closed; its connection follows. */
  over(): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    setTimeout(() => socket.destroy(), SOCKET_GRACE).unref();
  }
}
