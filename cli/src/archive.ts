// The zip that Lambda takes, byte for byte the same for the same files.

import { zipSync } from 'fflate';

/** The earliest date that a zip can hold. It is written as local time, so that the time zone makes no difference. */
const DATE = new Date(1980, 0, 1);
const FILE = 0o100000;
const SYMBOLIC_LINK = 0o120000;
/** The attributes of a file are those of Unix, which stand in the upper half. */
const UNIX = 3;

/** One file of an archive. */
export interface ArchiveFile {
  /** Its path in the archive, with slashes. */
  name: string;
  /** What it holds; for a symbolic link, where it leads. */
  content: Uint8Array;
  /** Its permissions. Lambda runs the code as another user than the one it belongs to. @default 0o644 */
  mode?: number;
  /** Whether it is a symbolic link. @default false */
  isLink?: boolean;
}

/** @param files in the order in which they stand in the zip */
export function archive(files: readonly ArchiveFile[]): Uint8Array {
  const entries = files.map(({ name, content, mode = 0o644, isLink = false }) => [
    name,
    [content, { mtime: DATE, os: UNIX, attrs: ((isLink ? SYMBOLIC_LINK : FILE) | mode) << 16, level: 9 }] as const,
  ]);
  return zipSync(Object.fromEntries(entries));
}
