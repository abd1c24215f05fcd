// Content encoders of the platforms' own `CompressionStream`, which Node, Deno, Bun, browsers and Workers have. It cannot
// flush: what it was given comes out when it pleases, at the latest at the end.

import type { ChunkCoder, ContentEncoder, ContentEncoders } from '../core/coding.ts';

const ignore = (): void => {};

/**
 * `gzip` and `deflate` through `CompressionStream`; empty on a platform without it.
 *
 * @example compress(app, { encoders: webEncoders() });
 */
export function webEncoders(): ContentEncoders {
  if (typeof CompressionStream === 'undefined') return {};
  return { gzip: encoder('gzip'), deflate: encoder('deflate') };
}

function encoder(format: 'gzip' | 'deflate'): ContentEncoder {
  return { flushes: false, start: () => new StreamCoder(format) };
}

class StreamCoder implements ChunkCoder {
  readonly #writer: WritableStreamDefaultWriter<BufferSource>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #reading: Promise<void>;
  #ready: Uint8Array[] = [];
  #destroyed = false;

  constructor(format: 'gzip' | 'deflate') {
    const { readable, writable } = new CompressionStream(format);
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.#reading = this.#read();
    this.#reading.catch(ignore);
    this.#writer.closed.catch(ignore);
  }

  /** Reads all the time: a chunk is taken only while somebody waits for what becomes of it. */
  async #read(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.#ready.push(value);
    }
  }

  #take(): Uint8Array[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  async write(chunk: Uint8Array): Promise<Uint8Array[]> {
    // The stream may hold the chunk while the application already fills its buffer anew. (BODY-08)
    return this.#after(this.#writer.write(new Uint8Array(chunk)));
  }

  async end(): Promise<Uint8Array[]> {
    return this.#after(Promise.all([this.#writer.close(), this.#reading]));
  }

  async #after(step: Promise<unknown>): Promise<Uint8Array[]> {
    try {
      await step;
    } catch (error) {
      if (!this.#destroyed) throw error;
    }
    return this.#take();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#writer.abort().catch(ignore);
    this.#reader.cancel().catch(ignore);
  }
}
