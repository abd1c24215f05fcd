// The zip that Lambda takes, byte for byte the same for the same files.

import { zipSync } from 'fflate';

/** The earliest date that a zip can tell. It is written as local time, so that the time zone makes no difference. */
const DATE = new Date(1980, 0, 1);
/** Readable by everybody: Lambda runs the code as another user than the one it belongs to. */
const MODE = 0o100644;
/** The attributes of a file are those of Unix, which stand in the upper half. */
const UNIX = 3;

/** One file of an archive. */
export interface ArchiveFile {
  name: string;
  content: Uint8Array;
}

/** @param files in the order in which they stand in the zip */
export function archive(files: readonly ArchiveFile[]): Uint8Array {
  const entries = files.map(({ name, content }) => [
    name,
    [content, { mtime: DATE, os: UNIX, attrs: MODE << 16, level: 9 }] as const,
  ]);
  return zipSync(Object.fromEntries(entries));
}
