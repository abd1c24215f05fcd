// A directory as a source of static files, for `staticFiles` of `waygate/middleware`.

import fs from 'node:fs';
import { join, sep } from 'node:path';
import type { FileSource, Found, StaticFile } from '../../core/file-source.ts';

/**
 * Up to this many bytes are read at once. To read them from the system's cache takes a fraction of the time of a thread.
 */
const AT_ONCE = 128 * 1024;

/** A link in place of the last name is refused, and opening a pipe waits for no writer. Not every system has these. */
const FLAGS = fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0);

/**
 * Names that mean something else on Windows: streams, devices, and names that lose their end. Most files also have a short
 * name beside their own, such as `GIT~1` for `.git`.
 */
const ODD_ON_WINDOWS =
  /[:<>"|?*]|[. ](?:\/|$)|(?:^|\/)(?:(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\/|$)|[^/.]{0,6}~\d{1,6}(?:\.[^/.]{0,3})?(?:\/|$))/i;

/**
 * The files below a directory. Links that lead out of it are refused, and so is everything that is neither a file nor a
 * directory. A file is found, and one of up to 128 KiB is read, without waiting, as most web servers do it. Larger files
 * are read in the background, block by block.
 *
 * @param path the directory, relative to where the process runs; where it is a link, it is followed once, now
 * @throws {Error} where there is no such directory
 * @example
 * serve(staticFiles(directory('public'), { maxAge: 3600 }));
 */
export function directory(path: string): FileSource {
  const root = fs.realpathSync.native(path);
  if (!fs.statSync(root).isDirectory())
    throw new Error(`directory was given ${JSON.stringify(path)}, which is a file.`);
  const inside = root.endsWith(sep) ? root : root + sep;
  const onWindows = sep === '\\';
  return {
    find(name) {
      if (name.includes('\0') || (onWindows && isOddOnWindows(name))) return null;
      try {
        const real = fs.realpathSync.native(join(root, name));
        if (real !== root && !real.startsWith(inside)) return null;
        return opened(fs.openSync(real, FLAGS));
      } catch (error) {
        if (codeOf(error) === 'EISDIR') return 'directory';
        if (MISSING.has(codeOf(error))) return null;
        throw error;
      }
    },
  };
}

/** Whether Windows takes the path for another one than it says. */
export function isOddOnWindows(path: string): boolean {
  return ODD_ON_WINDOWS.test(path);
}

/** It is not there, or not for us. */
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EINVAL', 'ENXIO']);

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

function opened(descriptor: number): Found {
  const stats = fs.fstatSync(descriptor);
  if (stats.isFile()) return new OpenFile(descriptor, stats);
  fs.closeSync(descriptor);
  return stats.isDirectory() ? 'directory' : null;
}

class OpenFile implements StaticFile {
  readonly size: number;
  readonly lastModified: number;
  readonly etag: string;
  readonly #descriptor: number;
  #block: Uint8Array | null = null;
  #reading: Promise<unknown> | null = null;
  #closed = false;

  constructor(descriptor: number, { size, mtimeMs }: fs.Stats) {
    this.#descriptor = descriptor;
    this.size = size;
    this.lastModified = mtimeMs;
    // Microseconds: two versions within one second have two tags.
    this.etag = `"${size.toString(36)}-${Math.round(mtimeMs * 1000).toString(36)}"`;
  }

  bytes(start: number, end: number): Uint8Array | null {
    if (end - start > AT_ONCE) return null;
    const bytes = new Uint8Array(end - start);
    let length = 0;
    while (length < bytes.byteLength) {
      const read = fs.readSync(this.#descriptor, bytes, length, bytes.byteLength - length, start + length);
      if (read === 0) break;
      length += read;
    }
    // Where the file became shorter meanwhile, the gateway breaks the response off: its length was announced.
    return length === bytes.byteLength ? bytes : bytes.subarray(0, length);
  }

  read(start: number, end: number): Promise<Uint8Array> {
    if (this.#block === null || this.#block.byteLength < end - start) this.#block = new Uint8Array(end - start);
    const block = this.#block;
    const reading = new Promise<Uint8Array>((resolve, reject) => {
      fs.read(this.#descriptor, block, 0, end - start, start, (error, length) => {
        if (error === null) resolve(block.subarray(0, length));
        else reject(error);
      });
    });
    this.#reading = reading;
    return reading;
  }

  /** Never in the middle of a read: the number of the descriptor may be another file's by then. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = (): void => fs.closeSync(this.#descriptor);
    if (this.#reading === null) close();
    else this.#reading.then(close, close);
  }
}
