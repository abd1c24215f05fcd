// Where static files come from: the contract between `staticFiles` of `waygate/middleware` and a directory, a map in memory or
// a binding of the platform. No code.

/** One file as it is now. The caller calls `close` once, used or not. */
export interface StaticFile {
  /** In bytes. */
  readonly size: number;
  /** The time of the last change in milliseconds since 1970; left out where it is not known. */
  readonly lastModified?: number | undefined;
  /** An entity tag with its quotes, `"abc"`: other bytes have another one. */
  readonly etag?: string | undefined;
  /** The value of `Content-Type`, where the source knows it better than the ending of the name. */
  readonly type?: string | undefined;
  /**
   * A piece of the file that is there without waiting; null where it is too large for that.
   *
   * @param start the first byte
   * @param end the byte behind the last one
   */
  bytes(start: number, end: number): Uint8Array | null;
  /**
   * The next block, at least one byte of it. The bytes need not stay as they are beyond the next call.
   *
   * @param start the first byte
   * @param end the byte behind the last one that is wanted
   */
  read(start: number, end: number): Uint8Array | Promise<Uint8Array>;
  /** Frees the file. */
  close?(): void | Promise<void>;
}

/** What a source has under a path. */
export type Found = StaticFile | 'directory' | null;

/** Files by their paths. */
export interface FileSource {
  /**
   * @param path text that begins with `/`, without empty, `.` and `..` segments, backslashes and control characters
   */
  find(path: string): Found | Promise<Found>;
}

/** A source that answers requests itself, with types, tags, redirects and index pages of its own. */
export interface AnsweringSource {
  /**
   * @param path as it stands in a URL, quoted, with its query
   * @param environ the request
   * @returns null where there is nothing under this path
   */
  respond(path: string, environ: Record<string, unknown>): Promise<Response | null>;
}
