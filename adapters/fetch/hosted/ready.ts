// How the stream of a Response is read where the head waits for the first chunk. What is ready at once goes out with the
// head. A body that is over then goes out in one piece, with its length. Else the head goes out alone. (D23)

import { FLUSH } from '../../../core/body.ts';
import { isReady } from '../../../core/ready.ts';
import type { ApplicationBody } from '../../../core/types.ts';

/** Bytes up to which chunks are gathered ahead of the head. */
const LIMIT = 65_536;
/** Chunks that are waited for at most, each a turn of the event loop where it takes one. */
const CHUNKS = 16;

/**
 * Reads what is ready.
 *
 * @param most how many chunks are gathered: 0 where a second one may be asked for only when the first is out (MW-02)
 * @returns all chunks where the stream is over by then, else a body that begins with them, or with the wish for the head
 * @throws what the stream fails with by then: it is early enough for a response of its own (ERR-03)
 */
export async function whatIsReady(stream: ReadableStream<Uint8Array>, most: number = CHUNKS): Promise<ApplicationBody> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const pending = reader.read();
    const isFirst = chunks.length === 0;
    if (!(await isReady(pending, isFirst ? 2 : 4, !isFirst))) return new StartedBody(reader, chunks, pending);
    const { done, value } = await pending;
    if (done) return chunks;
    // The gateway reports what is not a chunk. One chunk beyond the limit is read, since the one before may have been the
    // last.
    if (!(value instanceof Uint8Array) || bytes > LIMIT || chunks.length === most) {
      return new StartedBody(reader, [...chunks, value], null);
    }
    bytes += value.byteLength;
    // It is kept while the stream is asked for more, and may then be filled anew. (BODY-08)
    chunks.push(value.slice());
  }
}

/** One read of a stream, in whatever words a runtime's types have for it. */
type Reading = ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>;

/** A stream whose first chunks were read already. */
class StartedBody implements AsyncIterableIterator<Uint8Array> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #chunks: Uint8Array[];
  #pending: Reading | null;
  #wantsHead: boolean;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, chunks: Uint8Array[], pending: Reading | null) {
    this.#reader = reader;
    this.#chunks = chunks;
    this.#pending = pending;
    this.#wantsHead = chunks.length === 0;
    // A reader that goes on hears of its failure; nobody has to.
    pending?.catch(() => {});
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#wantsHead) {
      this.#wantsHead = false;
      return { done: false, value: FLUSH };
    }
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return { done: false, value: chunk };
    const pending = this.#pending ?? this.#reader.read();
    this.#pending = null;
    return (await pending) as IteratorResult<Uint8Array>;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  /** Cancels the stream; its second call finds it cancelled. */
  close(): Promise<void> {
    return this.#reader.cancel();
  }
}
