// Header lines as they were sent, for what stands between a client and a server.

import type { ServerResponse } from 'node:http';

/** Header lines in their order. */
export type HeaderLines = [name: string, value: string][];

/** Headers about one connection, which each side has its own of. (RFC 9110 §7.6.1) */
const CONNECTION_HEADERS = /^(?:connection|keep-alive|proxy-connection|transfer-encoding|te|trailer|upgrade)$/i;

/** Whether a header is about one connection. */
export function isConnectionHeader(name: string): boolean {
  return CONNECTION_HEADERS.test(name);
}

/** @param raw names and values in turn, as `rawHeaders` of Node has them */
export function headerLines(raw: readonly string[]): HeaderLines {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] as string, raw[2 * at + 1] as string]);
}

/**
 * Sends the head of a response at once, before there is a body. `flushHeaders` of Node would send it as UTF-8: each byte
 * above 0x7f of a header value would become two.
 */
export function sendHead(response: ServerResponse): void {
  response.write(Buffer.alloc(0));
}
