// biome-ignore-all lint/complexity/noArguments: the platform's functions count theirs.
// A `Headers` of our own, by the Fetch standard (§2.2.2, §5.1): a list in memory that needs nothing of the platform's.

import { isHeaderValue, isToken } from '../../../core/check.ts';
import { describe, quote } from '../../../core/errors.ts';
import { memo } from '../../../core/memo.ts';
import { LightHeaders } from './headers.ts';
import { listIterator } from './list-iterator.ts';
import { isProxy, markAsUncloneable, real } from './real.ts';
import { instanceCheck, likePlatform, standFor } from './stand-for.ts';

/** The name in lower case, the value, and the name as it was first given, which is what is shown. */
type Entry = [name: string, value: string, given: string];

/** Up to so many headers a walk is quicker than a table. */
const FEW = 16;

const lowerCase: (name: string) => string = /* @__PURE__ */ memo((name) => (isToken(name) ? name.toLowerCase() : ''));

export class ListHeaders implements Iterable<[string, string]> {
  #list: Entry[] = [];
  /** The first entry of each name, once there are many. */
  #index: Map<string, Entry> | null = null;
  /** The list by names, while nothing has changed since it was sorted. */
  #sorted: Entry[] | null = null;
  #isImmutable = false;

  /** @throws {TypeError} for what makes no headers */
  constructor(init?: HeadersInit) {
    markAsUncloneable(this);
    if (init !== undefined) this.#fill(init);
  }

  static is(value: object): boolean {
    return #list in value || LightHeaders.is(value);
  }

  /**
   * Adds a header where there is none of that name. (Nothing here calls a method that others can replace: what they put
   * there is for calls from outside.)
   */
  static complete(headers: ListHeaders, lower: string, value: string): void {
    if (headers.#find(lower) === undefined) headers.#push([lower, value, lower]);
  }

  /** The headers in the order of their names, as pairs of their own. */
  static pairs(headers: ListHeaders): [name: string, value: string][] {
    return headers.#byName().map(([name, value]) => [name, value]);
  }

  /** Headers that cannot be changed, as those of an error or of a redirect. */
  static immutable(init: HeadersInit): ListHeaders {
    const headers = new ListHeaders(init);
    headers.#isImmutable = true;
    return headers;
  }

  static copy(headers: ListHeaders): ListHeaders {
    const copy = new ListHeaders(headers as unknown as HeadersInit);
    copy.#isImmutable = headers.#isImmutable;
    return copy;
  }

  /** The platform's own, with the same in it; headers that are the platform's own as they are. */
  static real(headers: object): Headers {
    if (!(#list in headers)) return headers as Headers;
    return ListHeaders.fill(new (real('Headers'))(), headers);
  }

  /** Adds headers to some of the platform's, as they were given and in that order. */
  static fill(real: Headers, headers: ListHeaders): Headers {
    for (const [, value, given] of headers.#list) real.append(given, value);
    return real;
  }

  append(name: string, value: string): void {
    counted('append', 2, arguments.length);
    const [lower, text] = [headerName(name), headerValue(value)];
    this.#guard();
    this.#add(lower, text, `${name}`);
  }

  delete(name: string): void {
    counted('delete', 1, arguments.length);
    const lower = headerName(name);
    this.#guard();
    this.#keep((entry) => entry[0] !== lower);
  }

  get(name: string): string | null {
    counted('get', 1, arguments.length);
    const lower = headerName(name);
    const found = this.#find(lower);
    if (found === undefined) return null;
    return lower === 'set-cookie' ? this.#cookies().join(', ') : found[1];
  }

  has(name: string): boolean {
    counted('has', 1, arguments.length);
    return this.#find(headerName(name)) !== undefined;
  }

  set(name: string, value: string): void {
    counted('set', 2, arguments.length);
    const [lower, text] = [headerName(name), headerValue(value)];
    this.#guard();
    const known = this.#find(lower);
    if (known === undefined) {
      this.#push([lower, text, `${name}`]);
      return;
    }
    known[1] = text;
    if (lower === 'set-cookie') this.#keep((entry) => entry === known || entry[0] !== lower);
  }

  getSetCookie(): string[] {
    return this.#cookies();
  }

  #cookies(): string[] {
    return this.#list.filter(([name]) => name === 'set-cookie').map(([, value]) => value);
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArg: unknown = globalThis): void {
    counted('forEach', 1, arguments.length);
    if (typeof callback !== 'function') throw new TypeError('Headers.forEach expects a function.');
    // What the callback changes shows in what follows.
    for (let at = 0; at < this.#byName().length; at++) {
      const [name, value] = this.#byName()[at] as Entry;
      callback.call(thisArg, value, name, this as unknown as Headers);
    }
  }

  keys(): IterableIterator<string> {
    return listIterator(this.#reader(), ([name]) => name);
  }

  values(): IterableIterator<string> {
    return listIterator(this.#reader(), ([, value]) => value);
  }

  entries(): IterableIterator<[string, string]> {
    return listIterator(this.#reader(), ([name, value]) => [name, value]);
  }

  // Put in its place below: it is the very function that `entries` is.
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;

  #reader(): () => Entry[] {
    // The look finds out whether it is headers at all.
    this.#byName();
    return () => this.#byName();
  }

  #byName(): Entry[] {
    this.#sorted ??= this.#list.length < 2 ? this.#list : [...this.#list].sort(byName);
    return this.#sorted;
  }

  #find(lower: string): Entry | undefined {
    if (this.#list.length <= FEW) {
      for (const entry of this.#list) if (entry[0] === lower) return entry;
      return undefined;
    }
    if (this.#index === null) {
      this.#index = new Map();
      for (const entry of this.#list) if (!this.#index.has(entry[0])) this.#index.set(entry[0], entry);
    }
    return this.#index.get(lower);
  }

  #push(entry: Entry): void {
    this.#list.push(entry);
    this.#sorted = null;
    if (this.#index !== null && !this.#index.has(entry[0])) this.#index.set(entry[0], entry);
  }

  #keep(isKept: (entry: Entry) => boolean): void {
    this.#list = this.#list.filter(isKept);
    this.#sorted = null;
    this.#index = null;
  }

  #guard(): void {
    if (this.#isImmutable) throw new TypeError('The headers are immutable: copy them with new Headers(headers).');
  }

  #add(lower: string, value: string, given: string): void {
    const known = lower === 'set-cookie' ? undefined : this.#find(lower);
    if (known === undefined) this.#push([lower, value, given]);
    else known[1] += `${lower === 'cookie' ? '; ' : ', '}${value}`;
  }

  #fill(init: unknown): void {
    if (!isObject(init)) throw new TypeError(`Headers cannot be made of ${init === null ? 'null' : typeof init}.`);
    const iterate: unknown = (init as Partial<Iterable<unknown>>)[Symbol.iterator];
    if (#list in init && iterate === ENTRIES) {
      for (const [name, value, given] of init.#list) this.#list.push([name, value, given]);
      return;
    }
    if (iterate === undefined && !isProxy(init) && Object.getOwnPropertySymbols(init).length === 0) {
      // What a getter takes away is not there any more.
      for (const name of Object.keys(init)) {
        if (Object.hasOwn(init, name))
          this.#add(headerName(name), headerValue((init as Record<string, unknown>)[name]), name);
      }
      return;
    }
    if (iterate === undefined) {
      for (const key of Reflect.ownKeys(init)) {
        if (!Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
        // A symbol is not a name, and the template below says so.
        const [name, value] = [`${key as string}`, (init as Record<string, unknown>)[key as string]];
        this.#add(headerName(name), headerValue(value), name);
      }
      return;
    }
    for (const pair of walk(init, iterate)) {
      const inner: unknown = isObject(pair) ? (pair as Partial<Iterable<unknown>>)[Symbol.iterator] : undefined;
      if (inner === undefined) throw new TypeError(`A list of headers holds ${describe(pair)}; expected pairs.`);
      const parts = [...walk(pair as object, inner)];
      if (parts.length !== 2) {
        throw new TypeError(`A list of headers holds one of ${parts.length} parts; expected a name and a value.`);
      }
      this.#add(headerName(parts[0]), headerValue(parts[1]), `${parts[0] as string}`);
    }
  }
}

standFor(ListHeaders, { name: 'Headers', real: ListHeaders.real });
Object.defineProperty(ListHeaders, Symbol.hasInstance, {
  value: instanceCheck(() => ListHeaders, 'Headers', ListHeaders.is),
  configurable: true,
});
Object.defineProperty(ListHeaders, 'name', { value: 'Headers', configurable: true });
Object.defineProperty(ListHeaders, 'length', { value: 0, configurable: true });
Object.defineProperty(ListHeaders.prototype.forEach, 'length', { value: 1, configurable: true });
likePlatform(ListHeaders.prototype, [
  ...['append', 'delete', 'get', 'has', 'set', 'getSetCookie', 'keys', 'values', 'entries', 'forEach'],
]);
Object.defineProperty(ListHeaders.prototype, Symbol.iterator, {
  value: ListHeaders.prototype.entries,
  writable: true,
  configurable: true,
});

/** As it is before anybody replaces it. */
const ENTRIES = ListHeaders.prototype.entries;

function byName(a: Entry, b: Entry): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

/** What an object is iterated with, so that it is asked for its iterator once. */
function walk(object: object, iterate: unknown): Iterable<unknown> {
  return { [Symbol.iterator]: () => Reflect.apply(iterate as () => Iterator<unknown>, object, []) };
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** @throws {TypeError} for fewer arguments than a method takes, as all methods of the platform do */
function counted(method: string, expected: number, given: number): void {
  if (given < expected) throw new TypeError(`Headers.${method} was given ${given} arguments; expected ${expected}.`);
}

function headerName(name: unknown): string {
  const lower = lowerCase(`${name as string}`);
  if (lower === '') throw new TypeError(`The header name is ${quote(`${name as string}`)}; expected a token.`);
  return lower;
}

/** The value without the blanks around it. */
function headerValue(value: unknown): string {
  const text = `${value as string}`;
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  const trimmed = end - start === text.length ? text : text.slice(start, end);
  // Control characters other than these are a matter of who sends them.
  if (!isHeaderValue(trimmed) && /[\0\r\n]|[^\x00-\xff]/.test(trimmed)) {
    throw new TypeError(`The header value is ${quote(trimmed)}; expected bytes without a NUL or the end of a line.`);
  }
  return trimmed;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
