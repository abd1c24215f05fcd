// The other end of a response stream: what the event source reads of what a streaming handler writes.

import { Writable } from 'node:stream';
import { DELIMITER_BYTES, PRELUDE_LIMIT_BYTES, PRELUDE_TYPE, type ResponseStream } from '../streaming.ts';
import { MalformedResultError } from './emulator.ts';

/** What a response is that says nothing of its type. */
export const DEFAULT_TYPE = 'application/octet-stream';

/** The stream that a streaming handler gets, at the pace of its reader. */
export class StreamReader extends Writable implements ResponseStream {
  contentType: string = DEFAULT_TYPE;
  _onBeforeFirstWrite: ResponseStream['_onBeforeFirstWrite'] = undefined;
  #started = false;
  /** What the handler wrote and nobody has read; it stays readable when the handler breaks off after it. */
  readonly #chunks: Buffer[] = [];
  #queuedBytes = 0;
  /** Tells the handler's end that there is room again. */
  #room: (() => void) | null = null;
  #over = false;
  #wake: () => void = () => {};

  setContentType(contentType: string): void {
    if (this.#started) throw new Error('Cannot set content-type, too late.');
    this.contentType = contentType;
  }

  // The runtime's stream sends the prelude ahead of the first write, and with nothing else.
  override write(...args: unknown[]): boolean {
    const write = super.write.bind(this) as (...args: unknown[]) => boolean;
    if (!this.#started) {
      this.#started = true;
      this._onBeforeFirstWrite?.((chunk) => write(chunk));
    }
    const [chunk] = args;
    const known = typeof chunk === 'string' || Buffer.isBuffer(chunk) || (chunk as object)?.constructor === Uint8Array;
    return write(known ? chunk : JSON.stringify(chunk), ...args.slice(1));
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    this.#queuedBytes += chunk.byteLength;
    this.#wake();
    if (this.#queuedBytes < this.writableHighWaterMark) done();
    else this.#room = done;
  }

  override _final(done: () => void): void {
    this.#over = true;
    this.#wake();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wake();
    done(error);
  }

  /** The next chunk, or null at the end; it rejects when the handler destroyed the stream. */
  async pull(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#queuedBytes -= chunk.byteLength;
        const room = this.#room;
        this.#room = null;
        room?.();
        return chunk;
      }
      if (this.#over) return null;
      if (this.destroyed) throw this.errored ?? new Error('The handler destroyed the response stream.');
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  /**
   * Reads the metadata ahead of the body.
   *
   * @returns the metadata, and the first bytes of the body; null for a response that has no metadata
   * @throws {MalformedResultError}
   */
  async prelude(): Promise<{ metadata: unknown; rest: Buffer } | null> {
    let head: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = await this.pull();
      if (this.contentType !== PRELUDE_TYPE) return chunk === null ? null : { metadata: null, rest: chunk };
      if (chunk === null && head.byteLength === 0) return null;
      head = chunk === null ? head : Buffer.concat([head, chunk]);
      const end = head.indexOf(Buffer.alloc(DELIMITER_BYTES));
      if (end !== -1 && end <= PRELUDE_LIMIT_BYTES) {
        return { metadata: parse(head.subarray(0, end)), rest: head.subarray(end + DELIMITER_BYTES) };
      }
      if (chunk === null || head.byteLength > PRELUDE_LIMIT_BYTES) {
        throw new MalformedResultError('The stream has no eight bytes of zero after its metadata, in the first 16 KB.');
      }
    }
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new MalformedResultError('The metadata ahead of the stream is not valid JSON.');
  }
}
