// Content encoders of `node:zlib`, for `compress` of `waygate/middleware`: they flush, and code bodies in memory at once.

import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { ChunkCoder, ContentEncoder, ContentEncoders } from '../../core/coding.ts';

/** Levels at which a page costs about what it costs with gzip; the highest ones are for files that are coded once. */
const BROTLI_QUALITY = 4;
const ZSTD_LEVEL = 3;

/** Node has it since 22.15 and 23.8. */
const zstd = zlib as unknown as {
  zstdCompressSync?: (bytes: Uint8Array, options: object) => Buffer;
  createZstdCompress?: (options: object) => Transform;
  constants: Record<string, number>;
};

/**
 * Encoders for `compress`: `br`, `zstd` where this Node has it, `gzip` and `deflate`, preferred in this order. A body that
 * comes in chunks is flushed after each of them.
 *
 * @example
 * serve(compress(app, { encoders: nodeEncoders }));
 */
export const nodeEncoders: ContentEncoders = /* @__PURE__ */ makeEncoders();

function makeEncoders(): ContentEncoders {
  // Here, so that a bundle without compress drops node:zlib with the rest.
  const { constants } = zlib;
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
  const encoders: Record<string, ContentEncoder> = {
    br: encoder(
      (bytes) =>
        zlib.brotliCompressSync(bytes, {
          params: { ...params, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength },
        }),
      () => zlib.createBrotliCompress({ params, flush: constants.BROTLI_OPERATION_FLUSH }),
    ),
  };
  const { zstdCompressSync, createZstdCompress } = zstd;
  if (zstdCompressSync !== undefined && createZstdCompress !== undefined) {
    const { ZSTD_c_compressionLevel = 100, ZSTD_e_flush = 1 } = zstd.constants;
    const options = { params: { [ZSTD_c_compressionLevel]: ZSTD_LEVEL } };
    encoders.zstd = encoder(
      (bytes) => zstdCompressSync(bytes, options),
      () => createZstdCompress({ ...options, flush: ZSTD_e_flush }),
    );
  }
  encoders.gzip = encoder(
    (bytes) => zlib.gzipSync(bytes),
    () => zlib.createGzip({ flush: constants.Z_SYNC_FLUSH }),
  );
  encoders.deflate = encoder(
    (bytes) => zlib.deflateSync(bytes),
    () => zlib.createDeflate({ flush: constants.Z_SYNC_FLUSH }),
  );
  return encoders;
}

function encoder(encode: (bytes: Uint8Array) => Uint8Array, create: () => Transform): ContentEncoder {
  return { flushes: true, encode, start: () => new ZlibCoder(create()) };
}

/** A stream of `node:zlib`, one chunk at a time. */
class ZlibCoder implements ChunkCoder {
  readonly #stream: Transform;
  #ready: Uint8Array[] = [];
  /** Settles the step that is under way. */
  #fail: (error: unknown) => void = () => {};
  #stop: () => void = () => {};

  constructor(stream: Transform) {
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => this.#ready.push(chunk));
    stream.on('error', (error) => this.#fail(error));
  }

  write(chunk: Uint8Array): Promise<Uint8Array[]> {
    return this.#step((done) => {
      // The chunk was flushed when this is called: what it became may still wait to be read.
      this.#stream.write(chunk, () => {
        while (this.#stream.read() !== null);
        done();
      });
    });
  }

  end(): Promise<Uint8Array[]> {
    return this.#step((done) => {
      this.#stream.once('end', done);
      this.#stream.end();
    });
  }

  #step(begin: (done: () => void) => void): Promise<Uint8Array[]> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#stop = () => resolve([]);
      begin(() => {
        const ready = this.#ready;
        this.#ready = [];
        resolve(ready);
      });
    });
  }

  destroy(): void {
    this.#stream.destroy();
    // A step that is under way would never end by itself any more.
    this.#stop();
  }
}
