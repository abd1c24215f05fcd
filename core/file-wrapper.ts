// `wsgi.file_wrapper`: a file-like object as a body. (FILE-01 … FILE-06)

import { ContractError, describe } from './errors.ts';
import { unwrap } from './transparent.ts';
import type { ApplicationBody, FileLike } from './types.ts';

const DEFAULT_BLOCK_SIZE = 64 * 1024;

/**
 * A body that reads a file-like object block by block, from its current position to the end. Making one reads nothing.
 * It has a `close` only if the file has one. (FILE-02 … FILE-05)
 */
export class FileWrapper implements AsyncIterable<Uint8Array> {
  readonly #file: FileLike;
  readonly #blockSize: number;
  /** Closes the file; absent when the file has no `close`. */
  declare readonly close?: () => void | Promise<void>;

  /**
   * @param file anything with `read(size)`
   * @param blockSize how many bytes to ask for at once; a suggestion
   * @throws {TypeError} when `file` has no `read`
   */
  constructor(file: FileLike, blockSize: number = DEFAULT_BLOCK_SIZE) {
    if (typeof file?.read !== 'function')
      throw new TypeError(`wsgi.file_wrapper was given ${describe(file)}; expected an object with read(size).`);
    this.#file = file;
    this.#blockSize = blockSize > 0 ? blockSize : DEFAULT_BLOCK_SIZE;
    if (typeof file.close === 'function') {
      Object.defineProperty(this, 'close', {
        value: async () => {
          await file.close?.();
        },
      });
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const block = await this.#file.read(this.#blockSize);
      if (block.byteLength === 0) return;
      yield block;
    }
  }

  /**
   * How many bytes are left of a wrapper that this library made, where its file knows that. A middleware around it that
   * changes nothing does not matter. Undefined for any other body. (FILE-04, FILE-06)
   */
  static remaining(body: object): number | undefined | Promise<number | undefined> {
    const file = unwrap(body);
    return #file in file ? file.#file.remaining?.() : undefined;
  }
}

/**
 * @param remaining what a file gave as the bytes that are left of it
 * @throws {ContractError} FILE-04 unless it can be a `Content-Length`
 */
export function checkRemaining(remaining: unknown): number {
  if (Number.isSafeInteger(remaining) && (remaining as number) >= 0) return remaining as number;
  throw new ContractError(
    'FILE-04',
    `remaining() of a file gave ${describe(remaining)}; expected a whole number of bytes, or undefined.`,
  );
}

/** `wsgi.file_wrapper` for platforms without files of their own. */
export function fileWrapper(file: FileLike, blockSize?: number): ApplicationBody {
  return new FileWrapper(file, blockSize);
}
