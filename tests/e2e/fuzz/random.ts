// A generator of numbers that a seed decides: the same seed makes the same requests on every machine.

export class Random {
  #state: number;

  /** @param seed a whole number; seeds that differ by one make sequences that have nothing in common */
  constructor(seed: number) {
    this.#state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) >>> 0;
    this.next();
  }

  /** A number from 0 up to, not including, 1. (The generator is known as mulberry32.) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)] as T;
  }

  /** Random bytes, as a string of one character per byte. */
  bytes(length: number): string {
    return String.fromCharCode(...Array.from({ length }, () => this.between(0, 255)));
  }
}
