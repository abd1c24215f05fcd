// What the platform does with the parts of a response: how it reads a body, a status and a reason. (Fetch standard §5.3, §5.5)

import { decode } from '../../../core/bytes.ts';
import { isHeaderValue } from '../../../core/check.ts';
import { describe } from '../../../core/errors.ts';
import { encode } from '../../../core/strings.ts';

/**
 * The bytes of a body that is nothing but bytes, copied, since what their owner writes into them later must not show.
 *
 * @returns undefined for anything else
 */
export function ownBytes(body: unknown): Uint8Array | undefined {
  if (body instanceof ArrayBuffer) return isOrdinary(body) ? new Uint8Array(body.slice(0)) : undefined;
  if (!ArrayBuffer.isView(body) || !(body.buffer instanceof ArrayBuffer) || !isOrdinary(body.buffer)) return undefined;
  return new Uint8Array(body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength));
}

/** The platform has the error for a buffer that was taken away, or can grow. */
function isOrdinary(buffer: ArrayBuffer & { resizable?: boolean; detached?: boolean }): boolean {
  return buffer.resizable !== true && buffer.detached !== true && buffer.byteLength > 0;
}

/** A status as Web IDL reads an unsigned short. */
export function statusOf(status: unknown): number {
  return Math.trunc(Number(status)) & 0xffff;
}

/** @throws {TypeError} for a reason that no status line can have */
export function reasonOf(statusText: unknown): string {
  const reason = `${statusText as string}`;
  if (isHeaderValue(reason)) return reason;
  throw new TypeError(`The statusText is ${describe(reason)}; expected bytes without control characters.`);
}

/** Its bytes, which may be those that it keeps. */
export function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? encode(body) : body;
}

/** Its text, read as UTF-8 without a byte order mark. */
function textOf(body: string | Uint8Array): string {
  if (typeof body !== 'string') return decode(body);
  const text = body.toWellFormed();
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Reads a body as the method of that name does. */
export async function readAs(
  body: string | Uint8Array,
  way: 'text' | 'json' | 'arrayBuffer' | 'bytes',
): Promise<unknown> {
  if (way === 'text') return textOf(body);
  if (way === 'json') return JSON.parse(textOf(body));
  const bytes = bytesOf(body).slice();
  return way === 'bytes' ? bytes : bytes.buffer;
}
