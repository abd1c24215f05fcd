// Ranges of bytes: what a request asks for, and several of them as one body. (RFC 9110 §14)

/** From the byte `start` up to, but not including, the byte `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this nobody needs, and each costs a part of its own. (RFC 9110 §14.2, §17.15) */
const MOST_RANGES = 10;
const ONE = /^(?:([0-9]+)-([0-9]*)|-([0-9]+))$/;

/**
 * Reads a `Range` header.
 *
 * @param header the value
 * @param size of the whole in bytes
 * @returns the ranges in their order; none where the body has none of them (416). Null where the header is ignored: it is
 *   malformed, of another unit, or asks for too many or overlapping pieces
 */
export function parseRanges(header: string, size: number): ByteRange[] | null {
  const equals = header.indexOf('=');
  if (equals === -1 || header.slice(0, equals).trim().toLowerCase() !== 'bytes') return null;
  const specs = header.slice(equals + 1).split(',', MOST_RANGES + 1);
  if (specs.length > MOST_RANGES) return null;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const [all, first, last, suffix] = ONE.exec(spec.trim()) ?? [];
    if (all === undefined) return null;
    if (suffix !== undefined) {
      const length = Math.min(Number(suffix), size);
      if (length > 0) ranges.push({ start: size - length, end: size });
      continue;
    }
    const start = Number(first);
    const end = last === '' ? size : Number(last) + 1;
    if (last !== '' && start >= end) return null;
    if (start < size) ranges.push({ start, end: Math.min(end, size) });
  }
  return overlap(ranges) ? null : ranges;
}

/** Overlapping ranges could make a response many times as large as the file. */
function overlap(ranges: ByteRange[]): boolean {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  return sorted.some(({ start }, index) => index > 0 && start < (sorted[index - 1] as ByteRange).end);
}

/** `bytes 0-4/10` */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}
