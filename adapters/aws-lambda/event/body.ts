// Bodies between the strings of events and bytes.

import type { GatewayResponse } from '../../../core/response.ts';
import { textFromBytes } from '../../../core/strings.ts';

/**
 * The bytes of a base64 text: a `Uint8Array`, not a `Buffer`, whose `slice` and `toString` mean something else; and in memory
 * of its own, where a small `Buffer` shares its with whatever else the process has handled.
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
 * Adds a body to a result: as text, or in base64 when its bytes are not UTF-8, or a content coding says that they are no
 * text. Never decided by the content type: every list of types is wrong for somebody.
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
