// Content encoders of `node:zlib`, for `compress` of `waygate/middleware`: they flush, and code bodies in memory at once.

import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { ChunkCoder, ContentEncoder, ContentEncoders } from '../../core/coding.ts';

/** Levels at which a page costs about what it costs with gzip; the highest ones are for files that are coded once. */
const BROTLI_QUALITY = 4;
const ZSTD_LEVEL = 3;

/**
 * A larger body is coded in another thread, so that requests get their turn meanwhile, in bytes. Coding this many takes about
 * half a millisecond; handing them over takes a tenth of that.
 */
const MOST_HERE = 16 * 1024;

type Done = (error: Error | null, coded: Uint8Array) => void;

/** Node has it since 22.15 and 23.8. */
const zstd = zlib as unknown as {
  zstdCompressSync?: (bytes: Uint8Array, options: object) => Buffer;
  zstdCompress?: (bytes: Uint8Array, options: object, done: Done) => void;
  createZstdCompress?: (options: object) => Transform;
  constants: Record<string, number>;
};

/**
 * Encoders for `compress`: `br`, `zstd` where this Node has it, `gzip` and `deflate`, preferred in this order. A body that
 * comes in chunks is flushed after each of them. A body in memory is coded at once, and above 16 KiB in another thread.
 *
 * @example
 * serve(compress(app, { encoders: nodeEncoders }));
 */
export const nodeEncoders: ContentEncoders = /* @__PURE__ */ makeEncoders();

function makeEncoders(): ContentEncoders {
  // Here, so that a bundle without compress drops node:zlib with the rest.
  const { constants } = zlib;
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
  const sized = (bytes: Uint8Array): zlib.BrotliOptions => ({
    params: { ...params, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength },
  });
  const encoders: Record<string, ContentEncoder> = {
    br: encoder(
      (bytes) => zlib.brotliCompressSync(bytes, sized(bytes)),
      (bytes, done) => zlib.brotliCompress(bytes, sized(bytes), done),
      () => zlib.createBrotliCompress({ params, flush: constants.BROTLI_OPERATION_FLUSH }),
    ),
  };
  const { zstdCompressSync, zstdCompress, createZstdCompress } = zstd;
  if (zstdCompressSync !== undefined && zstdCompress !== undefined && createZstdCompress !== undefined) {
    const { ZSTD_c_compressionLevel = 100, ZSTD_e_flush = 1 } = zstd.constants;
    const options = { params: { [ZSTD_c_compressionLevel]: ZSTD_LEVEL } };
    encoders.zstd = encoder(
      (bytes) => zstdCompressSync(bytes, options),
      (bytes, done) => zstdCompress(bytes, options, done),
      () => createZstdCompress({ ...options, flush: ZSTD_e_flush }),
    );
  }
  encoders.gzip = encoder(
    (bytes) => zlib.gzipSync(bytes),
    (bytes, done) => zlib.gzip(bytes, done),
    () => zlib.createGzip({ flush: constants.Z_SYNC_FLUSH }),
  );
  encoders.deflate = encoder(
    (bytes) => zlib.deflateSync(bytes),
    (bytes, done) => zlib.deflate(bytes, done),
    () => zlib.createDeflate({ flush: constants.Z_SYNC_FLUSH }),
  );
  return encoders;
}

function encoder(
  encodeHere: (bytes: Uint8Array) => Uint8Array,
  encodeThere: (bytes: Uint8Array, done: Done) => void,
  create: () => Transform,
): ContentEncoder {
  const elsewhere = (bytes: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      // A copy: once its response is returned, an application may use its buffer again.
      encodeThere(Buffer.from(bytes), (error, coded) => (error === null ? resolve(coded) : reject(error)));
    });
  return {
    flushes: true,
    encode: (bytes) => (bytes.byteLength > MOST_HERE ? elsewhere(bytes) : encodeHere(bytes)),
    start: () => new ZlibCoder(create()),
  };
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
      const stop = (): void => resolve([]);
      this.#stop = stop;
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
