// Pieces of a static file as one body: bytes where they are there without waiting, else a file for `wsgi.file_wrapper`.

import { EMPTY } from '../core/bytes.ts';
import { report } from '../core/errors.ts';
import type { StaticFile } from '../core/file-source.ts';
import { FileWrapper } from '../core/file-wrapper.ts';
import { log } from '../core/log.ts';
import { isThenable } from '../core/thenable.ts';
import type { ApplicationBody, Environ, FileLike } from '../core/types.ts';
import type { ByteRange } from './ranges.ts';

/** Blocks in which a large file is read, in bytes. */
const BLOCK_SIZE = 128 * 1024;

/** Bytes of a response: those of the file, or others in between. */
export type Piece = ByteRange | Uint8Array;

/**
 * A body of these pieces. It closes the file.
 *
 * @param environ the request, for its `wsgi.file_wrapper`
 */
export function fileBody(environ: Environ, file: StaticFile, pieces: readonly Piece[]): ApplicationBody {
  const chunks: Uint8Array[] = [];
  for (const piece of pieces) {
    const bytes = piece instanceof Uint8Array ? piece : file.bytes(piece.start, piece.end);
    if (bytes === null) return wrapped(environ, new Pieces(file, pieces));
    if (bytes.byteLength > 0) chunks.push(bytes);
  }
  free(file, environ);
  return chunks;
}

/** Closes a file of which nothing is wanted any more. What that throws is logged. (CLOSE-05) */
export function free(file: StaticFile, environ: Environ): void {
  const tell = (error: unknown): void => log(environ['wsgi.errors'], report(error));
  try {
    const closed = file.close?.();
    if (isThenable(closed)) Promise.resolve(closed).catch(tell);
  } catch (error) {
    tell(error);
  }
}

function wrapped(environ: Environ, file: FileLike): ApplicationBody {
  const wrap = environ['wsgi.file_wrapper'];
  return wrap === undefined ? new FileWrapper(file, BLOCK_SIZE) : wrap(file, BLOCK_SIZE);
}

/** Pieces of a file, one after the other, read block by block. */
class Pieces implements FileLike {
  readonly #file: StaticFile;
  readonly #pieces: readonly Piece[];
  #at = 0;
  /** Where the piece under way goes on. */
  #position = -1;

  constructor(file: StaticFile, pieces: readonly Piece[]) {
    this.#file = file;
    this.#pieces = pieces;
  }

  read(size: number): Uint8Array | Promise<Uint8Array> {
    const piece = this.#pieces[this.#at];
    if (piece === undefined) return EMPTY;
    if (piece instanceof Uint8Array) {
      this.#at++;
      return piece;
    }
    const start = this.#position === -1 ? piece.start : this.#position;
    if (start >= piece.end) {
      this.#at++;
      this.#position = -1;
      return this.read(size);
    }
    const block = this.#file.read(start, Math.min(start + size, piece.end));
    return block instanceof Uint8Array ? this.#take(start, block) : block.then((bytes) => this.#take(start, bytes));
  }

  #take(start: number, block: Uint8Array): Uint8Array {
    this.#position = start + block.byteLength;
    return block;
  }

  close(): void | Promise<void> {
    return this.#file.close?.();
  }
}
