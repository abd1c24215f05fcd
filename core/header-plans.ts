// Plans for the headers of requests. A client, or an event source, sends the same names in the same order again and again.
// To compare them with those of an earlier request is cheaper than to look up each name, and then its key in the environ. A
// plan holds names and keys, never a value; how many there are and how long is bounded, whatever clients send.

import { addHeader, headerKey, propertyName } from './environ.ts';
import type { Environ } from './types.ts';

/** How many plans are kept. */
const PLACES = 32;

/** Longer lists of names are looked up each time. */
const MOST_NAMES = 64;

/** So are those with more letters in all: with these three, names and keys come to 128 KiB at most. */
const MOST_LETTERS = 2048;

/** After how many requests that have no plan another one is made in their place. */
const PATIENCE = 4;

/** The names of a request's headers in their order, and the key in environ of each; no key is there twice. */
export interface HeaderPlan {
  readonly names: readonly string[];
  readonly keys: readonly string[];
}

/** Plans for one way in which headers come. */
export class HeaderPlans {
  readonly #plans: (HeaderPlan | null)[] = new Array(PLACES).fill(null);
  readonly #patience: Uint8Array = new Uint8Array(PLACES);

  /**
   * The plan that may be for such headers. Its caller still compares every name, and their number.
   *
   * @param count how many headers there are
   * @param last the last of their names
   */
  at(count: number, last: string): HeaderPlan | null {
    return this.#plans[place(count, last)] as HeaderPlan | null;
  }

  /**
   * Says that the names of a request were not those of the plan in their place: every few times they get that place. There is
   * no plan for names that repeat, differ in case alone, or are dropped.
   *
   * @param names the names in their order
   * @param step 2 where each is followed by something else
   */
  missed(names: readonly string[], step: 1 | 2 = 1): void {
    const count = names.length / step;
    const last = names[names.length - step];
    if (last === undefined || count > MOST_NAMES) return;
    const at = place(count, last);
    const patience = this.#patience[at] as number;
    this.#patience[at] = patience === 0 ? PATIENCE : patience - 1;
    if (patience === 0) this.#plans[at] = planOf(step === 1 ? names : names.filter((_, index) => index % 2 === 0));
  }
}

function place(count: number, last: string): number {
  return (count * 7 + last.length) % PLACES;
}

function planOf(names: readonly string[]): HeaderPlan | null {
  const keys = names.map(headerKey);
  if (keys.includes('') || new Set(keys).size < keys.length) return null;
  if (names.reduce((letters, name) => letters + name.length, 0) > MOST_LETTERS) return null;
  return { names: names.map(propertyName), keys };
}

const linePlans = /* @__PURE__ */ new HeaderPlans();

/**
 * Adds header lines to an environ that has none yet, as {@link addHeader} would one by one.
 *
 * @param lines names and values in turn; values are native strings
 * @throws {BadRequestError} for a repeated Host, Content-Length or Content-Type that disagrees with the first
 */
export function addHeaderLines(environ: Environ, lines: readonly string[]): void {
  const { length } = lines;
  if (length === 0) return;
  const plan = linePlans.at(length / 2, lines[length - 2] as string);
  if (plan !== null && fits(plan.names, lines)) {
    putAll(environ, plan.keys, lines, 2);
    return;
  }
  for (let at = 0; at < length; at += 2) addHeader(environ, lines[at] as string, lines[at + 1] as string);
  linePlans.missed(lines, 2);
}

function fits(names: readonly string[], lines: readonly string[]): boolean {
  const { length } = names;
  if (lines.length !== 2 * length) return false;
  for (let at = 0; at < length; at++) if (names[at] !== lines[2 * at]) return false;
  return true;
}

/**
 * Puts values under keys that environ has not yet. The first ones are written out one by one. An engine remembers for each
 * place in the code which key came there last; in a loop it has to look up every key.
 *
 * @param step 2 where each value follows a name
 */
export function putAll(environ: Environ, keys: readonly string[], values: readonly string[], step: 1 | 2): void {
  const { length } = keys;
  const from = step - 1;
  if (length > 0) environ[keys[0] as string] = values[from];
  if (length > 1) environ[keys[1] as string] = values[step + from];
  if (length > 2) environ[keys[2] as string] = values[2 * step + from];
  if (length > 3) environ[keys[3] as string] = values[3 * step + from];
  if (length > 4) environ[keys[4] as string] = values[4 * step + from];
  if (length > 5) environ[keys[5] as string] = values[5 * step + from];
  if (length > 6) environ[keys[6] as string] = values[6 * step + from];
  if (length > 7) environ[keys[7] as string] = values[7 * step + from];
  if (length > 8) environ[keys[8] as string] = values[8 * step + from];
  if (length > 9) environ[keys[9] as string] = values[9 * step + from];
  if (length > 10) environ[keys[10] as string] = values[10 * step + from];
  if (length > 11) environ[keys[11] as string] = values[11 * step + from];
  if (length > 12) environ[keys[12] as string] = values[12 * step + from];
  if (length > 13) environ[keys[13] as string] = values[13 * step + from];
  for (let at = 14; at < length; at++) environ[keys[at] as string] = values[at * step + from];
}
