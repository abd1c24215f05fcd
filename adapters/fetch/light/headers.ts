// The headers of a light request: single look-ups are answered from environ, and a real `Headers` is made for all else.

import type { DirectRequest } from '../../../core/direct-app.ts';
import { headerKey } from '../../../core/environ.ts';
import type { Environ } from '../../../core/types.ts';
import { hostedHeaders } from '../hosted/headers.ts';
import { lightMode } from './mode.ts';
import { real } from './real.ts';
import { standFor } from './stand-for.ts';

/** In everything that can be observed a `Headers`, also by `new Headers(it)`, which reads it as an iterable. */
export class LightHeaders implements Iterable<[string, string]> {
  /** The request while it has no environ. */
  readonly #direct: DirectRequest | null;
  #environ: Environ | null;
  #real: Headers | null = null;

  /** @param environ null where `direct` makes it */
  constructor(environ: Environ | null, direct: DirectRequest | null) {
    this.#environ = environ;
    this.#direct = direct;
  }

  static is(headers: object): boolean {
    return #environ in headers;
  }

  /** The real headers, made when they are first needed. */
  real(): Headers {
    this.#real ??= new (headersClass())(hostedHeaders(this.#known()));
    return this.#real;
  }

  /** The platform's own that say the same. */
  platform(): Headers {
    const made = this.real();
    return lightMode()?.headers(made) ?? made;
  }

  #known(): Environ {
    this.#environ ??= (this.#direct as DirectRequest).environ;
    return this.#environ;
  }

  /** From now on these are the headers of a real request, so that a change of one shows in the other. */
  become(real: Headers): void {
    this.#real = real;
  }

  get(name: string): string | null {
    if (this.#real === null && typeof name === 'string') {
      const key = headerKey(name);
      const sent = this.#environ === null && key !== '' ? this.#direct?.header(name) : undefined;
      if (sent === null) return null;
      const value = sent ?? this.#known()[key];
      // The real headers judge anything out of the ordinary, for example an illegal name.
      if (typeof value === 'string' && PLAIN.test(value)) return value;
      if (value === undefined && key !== '') return null;
    }
    return this.real().get(name);
  }

  has(name: string): boolean {
    return this.real().has(name);
  }

  set(name: string, value: string): void {
    this.real().set(name, value);
  }

  append(name: string, value: string): void {
    this.real().append(name, value);
  }

  delete(name: string): void {
    this.real().delete(name);
  }

  getSetCookie(): string[] {
    return this.real().getSetCookie();
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this) callback.call(thisArg, value, name, this as unknown as Headers);
  }

  keys(): IterableIterator<string> {
    return this.real().keys();
  }

  values(): IterableIterator<string> {
    return this.real().values();
  }

  entries(): IterableIterator<[string, string]> {
    return this.real().entries();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

/** The class of headers that programs see. */
function headersClass(): typeof Headers {
  return lightMode()?.classes.Headers ?? real('Headers');
}

standFor(LightHeaders, { name: 'Headers', real: (headers) => headers.real(), make: headersClass });

/** A value that `Headers` would not trim. */
const PLAIN = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;
