// `wsgi.file_wrapper` on Node: takes a `FileHandle` as well, and then knows how long the response is. (FILE-04)

import type { FileHandle } from 'node:fs/promises';
import { FileWrapper } from '../../core/file-wrapper.ts';
import type { ApplicationBody, FileLike } from '../../core/types.ts';

/**
 * @param file an object with `read(size)`, or a `FileHandle` of `node:fs/promises`, read from its current position on and
 *   closed with the response
 * @param blockSize how many bytes to read at once; a suggestion
 */
export function nodeFileWrapper(file: FileLike | FileHandle, blockSize?: number): ApplicationBody {
  return new FileWrapper(isFileHandle(file) ? handleFile(file) : file, blockSize);
}

function isFileHandle(file: FileLike | FileHandle): file is FileHandle {
  return typeof (file as FileHandle).fd === 'number' && typeof (file as FileHandle).stat === 'function';
}

function handleFile(handle: FileHandle): FileLike {
  return {
    async read(size) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(size), 0, size, null);
      return buffer.subarray(0, bytesRead);
    },
    close: () => handle.close(),
    async remaining() {
      const [stat, position] = await Promise.all([handle.stat(), positionOf(handle)]);
      return stat.isFile() && position !== undefined ? Math.max(stat.size - position, 0) : undefined;
    },
  };
}

/** Linux knows a descriptor's position, Node does not. Elsewhere the response goes out without a length. */
async function positionOf(handle: FileHandle): Promise<number | undefined> {
  try {
    // Who has a FileHandle has loaded it.
    const { readFile } = process.getBuiltinModule('node:fs/promises');
    const info = await readFile(`/proc/self/fdinfo/${handle.fd}`, 'latin1');
    const position = /^pos:\s*([0-9]+)$/m.exec(info)?.[1];
    return position === undefined ? undefined : Number(position);
  } catch {
    return undefined;
  }
}
