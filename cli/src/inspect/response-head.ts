// The head of a response among the bytes that went to the client.

import type { HeaderLines } from './messages.ts';
import { bytesOf, type Exchange } from './store.ts';

/** The head of a final response. */
export interface ClientHead {
  status: number;
  reason: string;
  headers: HeaderLines;
}

/** What the client got as status and headers, or undefined as long as there is none. */
export function clientHead(exchange: Exchange): ClientHead | undefined {
  if (exchange.head !== undefined) return { ...exchange.head, reason: '' };
  return parseHead(bytesOf(exchange.sent).toString('latin1'))?.head;
}

/**
 * Reads the head of an HTTP/1 response; informational ones ahead of it are left out.
 *
 * @param text what was sent, a character for each byte
 * @returns the head and where the body begins
 */
export function parseHead(text: string): { head: ClientHead; end: number } | undefined {
  let start = 0;
  for (;;) {
    const end = text.indexOf('\r\n\r\n', start);
    if (end === -1) return undefined;
    const [first = '', ...lines] = text.slice(start, end).split('\r\n');
    const found = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(first);
    if (found === null) return undefined;
    start = end + 4;
    const status = Number(found[1]);
    if (status < 200) continue;
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    return { head: { status, reason: found[2] ?? '', headers }, end: start };
  }
}

/** What the client got as the body, without its framing; undefined where not all of it is kept, or there is no response. */
export function clientBody(exchange: Exchange): Uint8Array | undefined {
  const { sent } = exchange;
  if (sent.kept < sent.size) return undefined;
  const bytes = bytesOf(sent);
  if (exchange.head !== undefined) return bytes;
  const parsed = parseHead(bytes.toString('latin1'));
  if (parsed === undefined) return undefined;
  const rest = bytes.subarray(parsed.end);
  const isChunked = parsed.head.headers.some(
    ([name, value]) => name.toLowerCase() === 'transfer-encoding' && /\bchunked$/i.test(value),
  );
  return isChunked ? withoutFrames(rest) : rest;
}

/** The content of a chunked body, as far as it came. (RFC 9112 §7.1) */
function withoutFrames(bytes: Buffer): Uint8Array {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = end === -1 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
