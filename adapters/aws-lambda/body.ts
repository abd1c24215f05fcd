// Bodies between the strings of events and bytes.

import { isUtf8 } from 'node:buffer';
import type { GatewayResponse } from '../../core/gateway.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A byte order mark is kept: it is three of the body's bytes. */
export function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** The bytes of a base64 text: a `Uint8Array`, not a `Buffer`, whose `slice` and `toString` mean something else. */
export function bytesOf(base64: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(base64, 'base64');
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Bytes in base64, as every front door takes what is no text. */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Whether a response body has to go out in base64: when its bytes are no UTF-8, or a content coding says that they are no
 * text. Never decided by the content type: every list of types is wrong for somebody.
 */
export function needsBase64(response: GatewayResponse, bytes: Uint8Array): boolean {
  return !isUtf8(bytes) || isCoded(response);
}

function isCoded(response: GatewayResponse): boolean {
  for (const [name, value] of response.headers) {
    if (name.length === 16 && name.toLowerCase() === 'content-encoding' && !/^\s*(?:identity\s*)?$/i.test(value)) {
      return true;
    }
  }
  return false;
}
