// What a Fetch platform and a request of it are to the gateway. Types only.

import type { GatewayInfo, RequestInfo } from '../../core/environ.ts';
import type { Environ, InputStream } from '../../core/types.ts';

/** A request and what its caller knows beyond it. */
export interface FetchRequest {
  readonly request: Request;
  /** The request target where it is known more exactly than by `request.url`; else null. */
  readonly target: string | null;
  /** The body's length in bytes where the caller knows it and no header says it; else -1. */
  readonly length: number;
  /** Whether it was called like `fetch`, without a request of the caller's own: nobody else then knows of `init.signal`. */
  readonly isLikeFetch?: boolean;
  /** What the platform passed after the request: Deno its connection info, Bun its server, Workers `env` and `ctx`. */
  readonly platform?: readonly unknown[];
}

/** The request line, with the host that the URL names. */
export interface FetchRequestLine extends RequestInfo {
  readonly authority: string;
}

/** What the environ of a request was made with: an environ that still shows it is unchanged. */
export interface RequestRecord extends FetchRequestLine {
  input: InputStream | null;
  waitUntil: Environ['waygate.wait_until'] | null;
}

/** Both ends of a pipe. */
export interface BodyPipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** What differs between Fetch platforms. */
export interface FetchPlatform extends GatewayInfo {
  /** `SERVER_PROTOCOL`: a `Request` does not have it. */
  protocol(request: Request): string;
  /** A header value as this platform gives it, as native string. */
  headerValue(value: string): string;
  /** A reason or header value, as this platform takes it. Left out: native strings, as the Fetch standard has it. */
  headerText?(native: string): string;
  /**
   * A pipe that the platform reads a body from, where a `ReadableStream` made of callbacks serves it less well. A write
   * resolves when its bytes are taken, and rejects when nobody will take them. Undefined where there is no such thing.
   *
   * @param length the declared length in bytes, if there is one
   */
  pipe?(length: number | undefined): BodyPipe | undefined;
  /**
   * Whether the platform silently drops a request whose client has left, unless `waitUntil` has something to wait for. The
   * response body is not cancelled then.
   */
  cancelsOnDisconnect?: boolean;
  /** Whether the platform takes away a request body that nobody has begun to read when it gets the response. */
  discardsUnreadBody?: boolean;
  /** Adds the platform's own keys to an environ that is otherwise complete. */
  addKeys(environ: Environ, call: FetchRequest): void;
}
