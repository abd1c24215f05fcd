// A number for bytes, quickly and without waiting: WebCrypto answers with a promise, and takes longer than most pages need to
// be made.

/** Multipliers of MurmurHash3, whose finish mixes all bits well. */
const A = 0x85ebca6b;
const B = 0xc2b2ae35;
const C = 0x9e3779b1;

/**
 * A text that is the same for the same bytes and differs for others: 64 bits of hash and the length. It resists accidents,
 * not somebody who looks for two bodies with the same hash.
 *
 * @param bytes the whole content
 * @returns some 15 letters and digits
 * @example contentHash(encode('Hello')); // always the same
 */
export function contentHash(bytes: Uint8Array): string {
  const { byteLength } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, byteLength);
  const whole = byteLength & ~3;
  let one = byteLength ^ A;
  let two = byteLength ^ B;
  for (let at = 0; at < whole; at += 4) {
    const word = view.getUint32(at, true);
    one = Math.imul(one ^ word, C);
    one ^= one >>> 15;
    two = Math.imul(((two << 13) | (two >>> 19)) ^ word, A);
    two ^= two >>> 13;
  }
  let rest = 0x80;
  for (let at = byteLength - 1; at >= whole; at--) rest = (rest << 8) | (bytes[at] as number);
  one = finish(one ^ Math.imul(rest, C), two);
  two = finish(two ^ Math.imul(rest, B), one);
  return `${byteLength.toString(36)}-${one.toString(36)}${two.toString(36).padStart(7, '0')}`;
}

function finish(hash: number, other: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16) ^ Math.imul(other, C), A);
  mixed = Math.imul(mixed ^ (mixed >>> 13), B);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
