// The query string and `application/x-www-form-urlencoded` bodies as fields. (WHATWG URL §5.1)

import type { Environ } from './types.ts';
import { escapeByte } from './url.ts';

/**
 * The fields of the query string: percent-escapes and raw bytes are read as UTF-8, `+` is a space, repeats stay in order.
 * Nothing makes it throw: bytes that are not UTF-8 become U+FFFD. It is made anew at each call, from what `QUERY_STRING` says
 * then. (MW-07)
 *
 * @param environ the request
 * @returns a `URLSearchParams` of your own: changes of it change nothing else
 * @example
 * const page = Number(query(environ).get('page') ?? 1);
 */
export function query(environ: Environ): URLSearchParams {
  return parseForm(environ.QUERY_STRING ?? '');
}

/**
 * @param native fields as they were sent, each code unit a byte
 */
export function parseForm(native: string): URLSearchParams {
  // Raw bytes as escapes, so that a character may be half of the one and half of the other. The constructor drops a question
  // mark at the start, but not behind an empty field.
  return new URLSearchParams(`&${native.replace(/[^\x00-\x7f]/g, escapeByte)}`);
}
