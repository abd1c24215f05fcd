// The iterators of our own `Headers`: they look at the list anew with each step, so that changes show. (Web IDL §3.7.10)

type Pair = readonly [name: string, value: string, ...rest: unknown[]];

class ListIterator {
  readonly #list: () => readonly Pair[];
  readonly #pick: (pair: Pair) => unknown;
  #at = 0;

  constructor(list: () => readonly Pair[], pick: (pair: Pair) => unknown) {
    this.#list = list;
    this.#pick = pick;
  }

  next(): IteratorResult<unknown> {
    const pair = this.#list()[this.#at];
    if (pair === undefined) return { value: undefined, done: true };
    this.#at++;
    return { value: this.#pick(pair), done: false };
  }
}

/** What all iterators of the language inherit from: it makes them iterable. */
const IteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));

Object.setPrototypeOf(ListIterator.prototype, IteratorPrototype);
Object.defineProperty(ListIterator.prototype, 'next', { enumerable: true });
Object.defineProperty(ListIterator.prototype, Symbol.toStringTag, { value: 'Headers Iterator', configurable: true });
// Nobody can make one, and so nobody can find the class by one.
Reflect.deleteProperty(ListIterator.prototype, 'constructor');

/**
 * @param list what is walked, as it is at each step
 * @param pick what of each entry comes out
 */
export function listIterator<Item>(list: () => readonly Pair[], pick: (pair: Pair) => Item): IterableIterator<Item> {
  return new ListIterator(list, pick) as unknown as IterableIterator<Item>;
}
