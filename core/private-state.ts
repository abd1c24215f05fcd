// Environ keys that cost something to make are made on first use. Such a key is an accessor, which turns itself into data
// when it is read or written, or asks its state each time. The state it needs rides on the environ as a private field, which
// no copy, listing or client can reach. It costs a few nanoseconds; a closure or a WeakMap entry would cost half a microsecond.
// An adapter may have its platform's request carry something in the same way.

import type { Environ } from './types.ts';

class Itself {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the subclass then puts its private field on this very object.
    return object;
  }
}

class StateSlot extends Itself {
  #state: unknown;

  constructor(object: object, state: unknown) {
    super(object);
    this.#state = state;
  }

  static put(object: object, state: unknown): void {
    if (#state in object) object.#state = state;
    else new StateSlot(object, state);
  }

  static of(object: object): unknown {
    return #state in object ? object.#state : undefined;
  }
}

/**
 * Lets an object carry a state: an environ what its lazy keys are made from, a platform's request its environ. A later
 * state replaces the one before.
 *
 * @example
 * attachState(environ, call);
 */
export function attachState(object: object, state: object): void {
  StateSlot.put(object, state);
}

/**
 * The state that {@link attachState} gave to this very object, or undefined: a copy has none, its keys hold data already.
 *
 * @example
 * const call = stateOf(environ);
 * if (call instanceof MyCall) call.pass();
 */
export function stateOf(object: object): unknown {
  return StateSlot.of(object);
}

/**
 * The descriptor of a lazy key, for `Object.defineProperty`. Make it once per key and share it: the same getter on every
 * environ keeps their shape the same. (ENV-01 allows it for `waygate.*` and platform keys only.)
 *
 * @param key the environ key
 * @param make makes the value from the state given to {@link attachState}
 * @example
 * const PEER = lazyKey('my.peer', (call: MyCall) => call.peer());
 * Object.defineProperty(environ, 'my.peer', PEER);
 */
export function lazyKey<State>(key: string, make: (state: State) => unknown): PropertyDescriptor {
  /** What was made for objects that are frozen. */
  const frozen = new WeakMap<object, unknown>();
  return {
    enumerable: true,
    configurable: true,
    get(this: Environ) {
      // A derived object shows the value of the object that it derives from, even if it is read first.
      const state = stateOf(this);
      if (state === undefined) return ownerBehind(this, key)[key];
      if (!Object.isExtensible(this) && frozen.has(this)) return frozen.get(this);
      const value = make(state as State);
      if (!Reflect.defineProperty(this, key, data(value))) frozen.set(this, value);
      return value;
    },
    set(this: Environ, value: unknown) {
      Object.defineProperty(this, key, data(value));
    },
  };
}

/**
 * The same for a value that the state itself keeps: the key stays an accessor, which asks the state each time. To turn it
 * into data takes an engine longer than all reads of it do, as a rule.
 *
 * @param find the value of the state given to {@link attachState}: the same each time
 */
export function keptKey<State>(key: string, find: (state: State) => unknown): PropertyDescriptor {
  return {
    enumerable: true,
    configurable: true,
    get(this: Environ) {
      return find((stateOf(this) ?? stateOf(ownerBehind(this, key))) as State);
    },
    set(this: Environ, value: unknown) {
      Object.defineProperty(this, key, data(value));
    },
  };
}

/**
 * The object with a state that another one derives from.
 *
 * @throws {TypeError} where there is none
 */
function ownerBehind(object: object, key: string): Environ {
  for (let at = Object.getPrototypeOf(object); at !== null; at = Object.getPrototypeOf(at)) {
    if (stateOf(at) !== undefined) return at;
  }
  throw new TypeError(
    `"${key}" was read of an object that stands for the one which has it, such as a Proxy of environ; expected that object itself, or a copy: { ...environ }.`,
  );
}

function data(value: unknown): PropertyDescriptor {
  return { value, writable: true, enumerable: true, configurable: true };
}
