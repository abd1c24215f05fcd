// Byte arrays: what tells them from other values, and how chunks are put together.

/** No bytes. */
export const EMPTY: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

const decoder = /* @__PURE__ */ new TextDecoder();

// Read off any value, this getter names the kind of typed array. It works in every realm, and cannot be forged. (STR-04)
const kindOfArray = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: unknown) => string | undefined;

/** Whether a value is a byte array of this realm or another one; a `Buffer` is. (STR-04) */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || kindOfArray.call(value) === 'Uint8Array';
}

/**
 * Puts chunks together; one chunk is given back as it is.
 *
 * @param total the bytes of all chunks
 */
export function concat(chunks: Uint8Array[], total: number): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** Bytes as text: UTF-8, without a byte order mark. */
export function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
