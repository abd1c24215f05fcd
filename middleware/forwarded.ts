// `Forwarded: for=192.0.2.60;proto=http, for="[2001:db8::1]:4711"` (RFC 7239 §4), read from its end: each proxy appends
// what it knows, so what stands last is what the deployer's own proxies wrote. What a client put in front of that, however
// malformed, cannot change how it is read.

import { isToken } from '../core/check.ts';

/** The parameters of one element, by name in lower case. */
export type ForwardedElement = ReadonlyMap<string, string>;

/**
 * The last elements of a `Forwarded` header, the last one first. An empty element counts: were it passed over, one that the
 * client wrote would take its place.
 *
 * @param header the value of all `Forwarded` lines, joined
 * @param most how many are wanted
 * @returns up to `most`; fewer where there are fewer, and where one is malformed: nothing says then where it begins
 */
export function lastElements(header: string, most: number): ForwardedElement[] {
  const reader = new BackwardReader(header);
  const elements: ForwardedElement[] = [];
  while (elements.length < most) {
    const element = reader.element();
    if (element === null) break;
    elements.push(element);
  }
  return elements;
}

/** Reads a header from its end to its start, each character once. */
class BackwardReader {
  readonly #text: string;
  /** What comes next stands before this; -1 when all has been read. */
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.length;
  }

  /** The element before, or null where there is none or it is malformed. */
  element(): ForwardedElement | null {
    if (this.#at < 0) return null;
    const element = new Map<string, string>();
    for (;;) {
      this.#skipBlanks();
      // A pair may be missing: `for=192.0.2.60;`.
      if (!this.#atSeparator() && !this.#readPair(element)) return null;
      this.#skipBlanks();
      if (!this.#atSeparator()) return null;
      const separator = this.#text[--this.#at];
      if (separator !== ';') return element;
    }
  }

  #skipBlanks(): void {
    while (this.#at > 0 && /[ \t]/.test(this.#before())) this.#at--;
  }

  #before(): string {
    return this.#text[this.#at - 1] ?? '';
  }

  #atSeparator(): boolean {
    return /^[;,]?$/.test(this.#before());
  }

  #readPair(element: Map<string, string>): boolean {
    const value = this.#before() === '"' ? this.#readQuoted() : this.#readToken();
    if (value === null || this.#before() !== '=') return false;
    this.#at--;
    const name = this.#readToken()?.toLowerCase();
    // No parameter may occur twice.
    if (name === undefined || element.has(name)) return false;
    element.set(name, value);
    return true;
  }

  #readToken(): string | null {
    const end = this.#at;
    while (this.#at > 0 && isToken(this.#before())) this.#at--;
    return this.#at === end ? null : this.#text.slice(this.#at, end);
  }

  #readQuoted(): string | null {
    const close = this.#at - 1;
    if (this.#isEscaped(close)) return null;
    let open = close;
    do {
      open = open === 0 ? -1 : this.#text.lastIndexOf('"', open - 1);
      if (open === -1) return null;
    } while (this.#isEscaped(open));
    this.#at = open;
    return this.#text.slice(open + 1, close).replace(/\\(.)/gs, '$1');
  }

  /** Whether an odd number of backslashes stands before this place. */
  #isEscaped(at: number): boolean {
    let start = at;
    while (start > 0 && this.#text[start - 1] === '\\') start--;
    return (at - start) % 2 === 1;
  }
}
