// What codes a body, `Content-Encoding`: the contract between the middleware that compresses and the platforms' encoders. No
// code. (RFC 9110 §8.4)

/** Changes a body chunk by chunk. A chunk that it is given may change once the next one is asked for. (BODY-08) */
export interface ChunkCoder {
  /** @returns what can go out by now; nothing where it keeps the chunk for later */
  write(chunk: Uint8Array): Uint8Array[] | Promise<Uint8Array[]>;
  /** @returns the rest; called once, after the last chunk */
  end(): Uint8Array[] | Promise<Uint8Array[]>;
  /** The response is over, at its end or before it: frees what the coder holds. Never throws. */
  destroy(): void;
}

/** One content coding, as `compress` of `waygate/middleware` uses it. */
export interface ContentEncoder {
  /**
   * Codes bytes in memory in one call. Left out where the platform cannot.
   *
   * @param bytes the whole body; not changed, and not read any more after this has returned
   * @returns the coded body; a promise where another thread makes it, so that a large body holds nobody up
   */
  encode?(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Begins a body that comes in chunks. */
  start(): ChunkCoder;
  /** Whether every `write` of such a body gives all bytes that it was given so far, so that no chunk is held back. */
  readonly flushes: boolean;
}

/**
 * Encoders by the name of their coding in `Content-Encoding`, `gzip` or `br`. The first is preferred where a client likes
 * several alike.
 */
export type ContentEncoders = Readonly<Record<string, ContentEncoder>>;
