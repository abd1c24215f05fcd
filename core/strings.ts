// Native strings: text in which each code unit is one byte (U+0000–U+00FF). Everything that goes between bytes, native
// strings and Unicode text is here. (STR-01 … STR-06)

import { advice, describe } from './errors.ts';

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });
const strictDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const NON_ASCII = /[^\x00-\x7f]/;

/** As many bytes as engines keep within the object of an array: memory apart from it costs many times the copy. */
const SHORT_BYTES = 64;
const short = /* @__PURE__ */ new Uint8Array(SHORT_BYTES);

/**
 * The UTF-8 bytes of a text: the usual way to make a body chunk. They are in memory of their own, never a part of a block
 * that others share. A byte stream, for example, transfers the chunks that it is given: every other chunk in the block
 * would be gone.
 *
 * @param text any Unicode text; lone surrogates become U+FFFD
 * @throws {TypeError} for a value that is not a string: `TextEncoder` would make `[object Promise]` of a read that was not awaited
 * @example
 * encode('café'); // the bytes 63 61 66 c3 a9
 */
export function encode(text: string): Uint8Array {
  if (typeof text !== 'string') {
    throw new TypeError(`encode was given ${describe(text)}; expected a string.${advice(text)}`);
  }
  if (text.length > SHORT_BYTES) return encoder.encode(text);
  const { read, written } = encoder.encodeInto(text, short);
  return read === text.length ? short.slice(0, written) : encoder.encode(text);
}

/** The native string that stands for these bytes, one code unit each. (Not `TextDecoder('latin1')`: that is windows-1252.) */
export function nativeFromBytes(bytes: Uint8Array): string {
  let native = '';
  for (let at = 0; at < bytes.length; at += 4096) {
    native += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096) as unknown as number[]);
  }
  return native;
}

/** The bytes that a native string stands for. Code units above U+00FF lose their upper half: check before. */
export function bytesFromNative(native: string): Uint8Array {
  const bytes = new Uint8Array(native.length);
  for (let at = 0; at < native.length; at++) bytes[at] = native.charCodeAt(at);
  return bytes;
}

/**
 * The text that a native string means, read as UTF-8: `'/caf\xc3\xa9'` gives `'/café'`. Bytes that are not UTF-8 become
 * U+FFFD. (STR-03)
 *
 * @example
 * decodeWsgi(environ.PATH_INFO); // '/café' for a request of /caf%C3%A9
 */
export function decodeWsgi(native: string): string {
  return NON_ASCII.test(native) ? decoder.decode(bytesFromNative(native)) : native;
}

/** The text that these bytes are in UTF-8, a byte order mark included; null where they are not UTF-8. */
export function textFromBytes(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * A native string as a platform wants it that counts header text as UTF-8: bytes that are UTF-8 become the text they
 * mean. All others, which such a platform cannot send as they are, each become the Latin-1 character of their number.
 */
export function textFromNative(native: string): string {
  return NON_ASCII.test(native) ? (textFromBytes(bytesFromNative(native)) ?? native) : native;
}

/**
 * The native string for a text, through UTF-8: `'/café'` gives `'/caf\xc3\xa9'`. The inverse of {@link decodeWsgi}.
 *
 * @example
 * environ.PATH_INFO = encodeWsgi('/café');
 */
export function encodeWsgi(text: string): string {
  return NON_ASCII.test(text) ? nativeFromBytes(encoder.encode(text)) : text;
}

/**
 * A text without the blanks and tabs at its ends. `trim` would remove more than HTTP calls blank. A regular expression for
 * the end of a text looks at each run of blanks inside again and again.
 */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A space or a tab. (RFC 9110 §5.6.3) */
function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09;
}
