// A view over a header list: wsgiref's `Headers` for TypeScript. (HDR-01 … HDR-03)

import { isHeaderValue, isToken } from './check.ts';
import { ContractError, describe } from './errors.ts';
import type { HeaderList } from './types.ts';

/**
 * An ordered, case-insensitive view of a header list. It works on the list it was given: changes show in the list, and
 * the list can be passed to `startResponse` as it is. Order and repeats are kept.
 */
export class ResponseHeaders implements Iterable<[string, string]> {
  /** The list itself. */
  readonly list: HeaderList;

  /**
   * @param list the list to look at; a new one when left out
   * @throws {ContractError} when it is not a list of [name, value] pairs of legal names and values
   */
  constructor(list: HeaderList = []) {
    if (!Array.isArray(list))
      throw new ContractError('HDR-01', `Headers takes an array of [name, value] pairs, not ${describe(list)}.`);
    for (const [name, value] of list) check(name, value);
    this.list = list;
  }

  /** How many fields there are, repeats counted. */
  get size(): number {
    return this.list.length;
  }

  /** The first value of a header, or null. */
  get(name: string): string | null {
    const lower = name.toLowerCase();
    for (const [each, value] of this.list) if (each.toLowerCase() === lower) return value;
    return null;
  }

  /** Every value of a header in order; empty when there is none. */
  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    return this.list.filter(([each]) => each.toLowerCase() === lower).map(([, value]) => value);
  }

  /** Whether the header is there, also with an empty value. */
  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** Replaces every field of this name by one at the end. */
  set(name: string, value: string): void {
    check(name, value);
    this.delete(name);
    this.list.push([name, value]);
  }

  /** Adds a field at the end, whatever is there already. */
  append(name: string, value: string): void {
    check(name, value);
    this.list.push([name, value]);
  }

  /** Takes every field of this name away; silent when there is none. */
  delete(name: string): void {
    const lower = name.toLowerCase();
    let kept = 0;
    for (const pair of this.list) if (pair[0].toLowerCase() !== lower) this.list[kept++] = pair;
    this.list.length = kept;
  }

  /** The first value of a header; where there is none it is added with `value` first. */
  setDefault(name: string, value: string): string {
    const found = this.get(name);
    if (found !== null) return found;
    this.append(name, value);
    return value;
  }

  /**
   * Adds a field with parameters: `addHeader('Content-Disposition', 'attachment', { filename: 'a"b.txt' })`. In parameter
   * names `_` becomes `-`; values are quoted; null or an empty string gives a bare parameter. (HDR-03)
   *
   * @param value the value ahead of the parameters, or null for parameters alone
   */
  addHeader(name: string, value: string | null, parameters: Record<string, string | null> = {}): void {
    const parts = value === null ? [] : [value];
    for (const [key, text] of Object.entries(parameters)) {
      const parameter = key.replaceAll('_', '-');
      parts.push(text === null || text === '' ? parameter : `${parameter}="${text.replace(/["\\]/g, '\\$&')}"`);
    }
    this.append(name, parts.join('; '));
  }

  /** The names in order, repeats included. */
  keys(): string[] {
    return this.list.map(([name]) => name);
  }

  /** The values in order. */
  values(): string[] {
    return this.list.map(([, value]) => value);
  }

  /** Copies of the pairs in order. */
  entries(): [string, string][] {
    return this.list.map(([name, value]) => [name, value]);
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()[Symbol.iterator]();
  }

  /** The fields as HTTP/1.1 writes them, each with CRLF, and an empty line. */
  toString(): string {
    return `${this.list.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  }
}

function check(name: unknown, value: unknown): void {
  if (typeof name !== 'string' || !isToken(name))
    throw new ContractError('SR-05', `A header name is ${describe(name)}; expected a token.`);
  if (typeof value !== 'string' || !isHeaderValue(value)) {
    throw new ContractError(
      'SR-06',
      `The value of header "${name}" is ${describe(value)}; expected a string without control characters.`,
    );
  }
}
