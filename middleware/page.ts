// Plain pages that a middleware answers with itself.

import { encode } from '../core/strings.ts';
import type { HeaderList } from '../core/types.ts';

/** A whole response. */
export interface Page {
  readonly status: string;
  readonly headers: HeaderList;
  readonly chunks: Uint8Array[];
}

/**
 * A page of text that says what the status means.
 *
 * @param status `404 Not Found`
 * @param method the request method; to HEAD the page has its length and no bytes
 * @param detail a sentence for the client, or nothing
 * @param more headers beside type and length
 */
export function page(status: string, method: string, detail = '', more: HeaderList = []): Page {
  const text = encode(`${status}\n${detail === '' ? '' : `${detail}\n`}`);
  const headers: HeaderList = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(text.byteLength)],
    ...more,
  ];
  return { status, headers, chunks: method === 'HEAD' ? [] : [text] };
}
