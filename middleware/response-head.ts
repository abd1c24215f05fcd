// What middleware does to a response head: each works on a copy of the list, as MW-04 asks.

import { trimBlanks } from '../core/strings.ts';
import type { HeaderList, ReadonlyHeaderList } from '../core/types.ts';

/**
 * A copy of a header list without the fields of some names.
 *
 * @param headers the list, which stays as it is
 * @param names the names to leave out, in lower case
 */
export function withoutHeaders(headers: ReadonlyHeaderList, names: ReadonlySet<string>): HeaderList {
  const kept: HeaderList = [];
  for (const [name, value] of headers) if (!names.has(name.toLowerCase())) kept.push([name, value]);
  return kept;
}

/** Whether a header list has a field of this name, given in lower case. */
export function hasHeader(headers: ReadonlyHeaderList, lowerName: string): boolean {
  return headers.some(([name]) => name.toLowerCase() === lowerName);
}

/**
 * Adds field names to `Vary`, in place: to the last field of that name, or as a new one. Names that are there are not
 * repeated, and `*` already says everything. (RFC 9110 §12.5.5)
 *
 * @param headers a list of the middleware's own
 * @param names the request headers that the response depends on
 */
export function addVary(headers: HeaderList, names: readonly string[]): void {
  const known = new Set<string>();
  let last = -1;
  headers.forEach(([name, value], index) => {
    if (name.toLowerCase() !== 'vary') return;
    last = index;
    for (const each of value.split(',')) known.add(each.trim().toLowerCase());
  });
  if (known.has('*')) return;
  const missing = names.filter((name) => !known.has(name.toLowerCase()));
  if (missing.length === 0) return;
  const field = headers[last];
  if (field === undefined) headers.push(['Vary', missing.join(', ')]);
  else field[1] = field[1].trim() === '' ? missing.join(', ') : `${field[1]}, ${missing.join(', ')}`;
}

/**
 * The value of a header, repeats joined with `, `; undefined where there is none.
 *
 * @param lower the name in lower case
 */
export function headerValue(headers: ReadonlyHeaderList, lower: string): string | undefined {
  let found: string | undefined;
  for (const [name, value] of headers) {
    if (name.length !== lower.length || name.toLowerCase() !== lower) continue;
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

/**
 * Whether a comma-separated list has an element, in any case; parameters of elements are not looked at.
 *
 * @param lower the element in lower case
 */
export function hasElement(list: string | undefined, lower: string): boolean {
  return list?.split(',').some((each) => trimBlanks(each).toLowerCase() === lower) ?? false;
}
