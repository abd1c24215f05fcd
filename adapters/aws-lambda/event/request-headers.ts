// The headers of events in environ.

import { Buffer } from 'node:buffer';
import { addHeader, headerKey } from '../../../core/environ.ts';
import { HeaderPlans, putAll } from '../../../core/header-plans.ts';
import { encodeWsgi } from '../../../core/strings.ts';
import type { Environ } from '../../../core/types.ts';
import type { ValueMap } from './target.ts';

const plans = /* @__PURE__ */ new HeaderPlans();

/** Adds the headers of a map to an environ that has none yet; a value may be a list. JSON strings count as UTF-8. */
export function addHeaders(environ: Environ, headers: ValueMap): void {
  if (!headers) return;
  const names = Object.keys(headers);
  if (followPlan(environ, headers, names)) return;
  for (const name of names) addValue(environ, name, headers[name]);
  plans.missed(names);
}

/** Adds the headers by the plan that fits them; false, with nothing added, where there is none or a value is not text. */
function followPlan(environ: Environ, headers: NonNullable<ValueMap>, names: readonly string[]): boolean {
  const { length } = names;
  if (length === 0) return false;
  const plan = plans.at(length, names[length - 1] as string);
  if (plan === null || plan.names.length !== length) return false;
  const values: string[] = [];
  for (let at = 0; at < length; at++) {
    const name = names[at] as string;
    if (plan.names[at] !== name) return false;
    const given = headers[name];
    const value: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given;
    if (typeof value !== 'string') return false;
    values.push(nativeOf(value));
  }
  putAll(environ, plan.keys, values, 1);
  return true;
}

/** Adds the headers of both maps: all values of the first, then the names that only the second has. */
export function addBothHeaders(environ: Environ, multi: ValueMap, single: ValueMap): void {
  if (!multi) {
    addHeaders(environ, single);
    return;
  }
  addHeaders(environ, multi);
  let added: string[] | null = null;
  for (const name in single) {
    // As a rule both maps have the same names, and all that has to be seen is that the first one has a value.
    const all = multi[name];
    if (Array.isArray(all) && typeof all[0] === 'string') continue;
    const key = headerKey(name);
    // Names that differ in case are one header, also where the first of them has just been added.
    if (environ[key] !== undefined && !added?.includes(key)) continue;
    addValue(environ, name, single[name]);
    added ??= [];
    added.push(key);
  }
}

/** Adds a header with a value as events have it: a text, a list of such, or null for none. */
export function addValue(environ: Environ, name: string, value: unknown): void {
  if (typeof value === 'string') addHeader(environ, name, nativeOf(value));
  else if (Array.isArray(value)) for (const each of value) addValue(environ, name, each);
  else if (value !== null && value !== undefined) addHeader(environ, name, encodeWsgi(String(value)));
}

/** A JSON string as native string. The fastest test for ASCII in Node: the text has as many bytes as code units. */
export function nativeOf(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : encodeWsgi(text);
}

/** The cookies of payload 2.0 stand in a list. Function URLs keep the header too: the list replaces it. */
export function addCookies(environ: Environ, cookies: unknown): void {
  if (!Array.isArray(cookies) || cookies.length === 0) return;
  let all = String(cookies[0] ?? '');
  for (let at = 1; at < cookies.length; at++) all += `; ${cookies[at] ?? ''}`;
  environ.HTTP_COOKIE = nativeOf(all);
}
