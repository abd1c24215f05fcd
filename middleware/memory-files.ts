// Static files in memory: of a bundle, or made when the program starts.

import { describe } from '../core/errors.ts';
import type { FileSource, StaticFile } from '../core/file-source.ts';
import { encode } from '../core/strings.ts';
import { contentHash } from './content-hash.ts';

/** The content of a file in memory, and what is known of it. */
export interface MemoryFile {
  /** Text becomes UTF-8. The bytes must not be changed any more. */
  body: string | Uint8Array;
  /**
   * The value of `Content-Type`.
   *
   * @default by the ending of the name
   */
  type?: string;
  /**
   * The time of the last change in milliseconds since 1970.
   *
   * @default none; caches go by the tag
   */
  lastModified?: number;
}

/**
 * Files in memory for `staticFiles`.
 *
 * @param files by their paths, which begin with `/`: text, bytes, or either with more about it
 * @throws {TypeError} for a path that does not begin with `/`, and for a value that is not content
 * @example staticFiles(memoryFiles({ '/robots.txt': 'User-agent: *\n' }));
 */
export function memoryFiles(files: Readonly<Record<string, string | Uint8Array | MemoryFile>>): FileSource {
  const known = new Map<string, StaticFile | 'directory'>();
  for (const [path, content] of Object.entries(files)) {
    if (!path.startsWith('/'))
      throw new TypeError(`memoryFiles was given the path ${describe(path)}; expected one that begins with "/".`);
    known.set(path, toFile(path, content));
  }
  for (const path of Object.keys(files)) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (!known.has(folder)) known.set(folder, 'directory');
    }
  }
  return { find: (path) => known.get(path) ?? null };
}

function toFile(path: string, content: string | Uint8Array | MemoryFile): StaticFile {
  const { body, type, lastModified } =
    typeof content === 'string' || content instanceof Uint8Array ? ({ body: content } as MemoryFile) : content;
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new TypeError(`memoryFiles was given ${describe(body)} for ${path}; expected text or a Uint8Array.`);
  }
  const bytes = typeof body === 'string' ? encode(body) : body;
  const piece = (start: number, end: number): Uint8Array => bytes.subarray(start, end);
  return { size: bytes.byteLength, etag: `"${contentHash(bytes)}"`, type, lastModified, bytes: piece, read: piece };
}
