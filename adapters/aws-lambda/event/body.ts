// Bodies between the strings of events and bytes.

import type { GatewayResponse } from '../../../core/response.ts';
import { textFromBytes } from '../../../core/strings.ts';

/**
 * The bytes of a base64 text, as a `Uint8Array`: `slice` and `toString` of a `Buffer` mean something else. They have memory
 * of their own; a small `Buffer` shares its memory with others of the process.
 */
export function bytesOf(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.byteLength === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
}

/** Bytes in base64, as every event source takes what is not text. */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** What every result holds of a body. */
export interface ResultBody {
  body: string;
  isBase64Encoded: boolean;
}

/**
 * Adds a body to a result as text. It is base64 where its bytes are not UTF-8, or where it has a content coding. Never
 * decided by the content type: every list of types is wrong for somebody.
 *
 * @param result is changed
 */
export function attachBody<Result extends object>(
  result: Result,
  response: GatewayResponse,
  bytes: Uint8Array,
): Result & ResultBody {
  const text = isCoded(response) ? null : textFromBytes(bytes);
  const whole = result as Result & ResultBody;
  whole.body = text ?? base64Of(bytes);
  whole.isBase64Encoded = text === null;
  return whole;
}

function isCoded(response: GatewayResponse): boolean {
  return response.headers.some(
    ([name, value]) =>
      name.length === 16 && name.toLowerCase() === 'content-encoding' && !/^\s*(?:identity\s*)?$/i.test(value),
  );
}
