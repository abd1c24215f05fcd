// Paths and queries of events as a client would send them. Pure.

import { asciiTarget, escapeByte, quotePath } from '../../../core/url.ts';

/** A map of headers or query parameters as events have it; AWS writes null for an empty one. */
export type ValueMap = { readonly [name: string]: unknown } | null | undefined;

/**
 * A path that the event source passes on as it was sent. What no client can send is escaped, so that it reads the same.
 *
 * @returns printable ASCII that starts with `/` and holds no `?` or `#`
 */
export function sentPath(path: unknown): string {
  let text = typeof path === 'string' ? path : '';
  if (/[^\x21-\x7e]|[?#]/.test(text)) text = asciiTarget(text).replace(/[?#]/g, quotePath);
  return text.charCodeAt(0) === 0x2f ? text : `/${text}`;
}

/** A query that the event source passes on as it was sent; a bare space, as function URLs had it, becomes `%20`. */
export function sentQuery(query: unknown): string {
  if (typeof query !== 'string') return '';
  return /[^\x21-\x7e]|#/.test(query) ? asciiTarget(query).replaceAll('#', '%23') : query;
}

/**
 * A query from the maps of an event: the map with all values, then what only the other one has.
 *
 * @param write how a key or value becomes part of a query
 */
export function queryOf(multi: ValueMap, single: ValueMap, write: (text: string) => string): string {
  let query = '';
  const add = (key: string, value: unknown): void => {
    query += `${query === '' ? '' : '&'}${write(key)}=${write(value === null || value === undefined ? '' : String(value))}`;
  };
  for (const key in multi) for (const value of listOf(multi[key])) add(key, value);
  for (const key in single) {
    if (!multi || !Object.hasOwn(multi, key)) for (const value of listOf(single[key])) add(key, value);
  }
  return query;
}

/** A decoded key or value with all but the unreserved characters of RFC 3986 section 2.3 escaped: a space is `%20`. */
export function encodeQueryPart(text: string): string {
  // Half of a surrogate pair has no bytes, and encodeURIComponent would throw.
  // It also leaves five characters alone that are reserved.
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, escapeByte);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
