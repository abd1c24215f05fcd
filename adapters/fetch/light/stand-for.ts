// What makes an object of ours stand in for one of a platform's class: to `instanceof`, to readers of its constructor, and
// in a debugger.

import { isLoaded, real } from './real.ts';

type ClassName = 'Response' | 'Request' | 'Headers';

/** How instances of a class of ours stand for those of the platform's. */
export interface Stand<Ours extends object> {
  /** The platform's class. */
  readonly name: ClassName;
  /** The object that a stand-in stands for: it is what is shown in its place. */
  readonly real: (stand: Ours) => object;
  /** What `constructor` is, where that is not the class of the stand-ins itself. */
  readonly make?: () => object;
  /**
   * Makes an object of the platform's. Node 20 and 22 keep the state of an object under symbols. A stand-in answers to
   * these too, and the platform's own functions take it for one of theirs.
   */
  readonly probe?: () => object;
}

/** What Node's `console` and `util.inspect` call, and what of it they call with. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');
type Inspect = (value: unknown, options: object) => string;

/**
 * Has instances of one class stand for those of another. Their prototype chain ends in the platform's: at once where that
 * is loaded, else from when it is.
 */
export function standFor<Ours extends object>(ours: { readonly prototype: Ours }, stand: Stand<Ours>): void {
  const { prototype } = ours;
  const hidden = { enumerable: false, configurable: true };
  if (stand.make !== undefined) Object.defineProperty(prototype, 'constructor', { ...hidden, get: stand.make });
  Object.defineProperty(prototype, Symbol.toStringTag, { ...hidden, value: stand.name });
  Object.defineProperty(prototype, INSPECT, {
    ...hidden,
    writable: true,
    // Node's own looks for what it keeps in the object itself.
    value(this: Ours, depth: number, options: object, inspect?: Inspect): unknown {
      // The prototype itself is not a stand-in.
      if (this === prototype || inspect === undefined) return real(stand.name).prototype;
      return inspect(stand.real(this), { ...options, depth });
    },
  });
  const link = (): object => {
    const above = real(stand.name).prototype as object;
    Object.setPrototypeOf(prototype, above);
    for (const key of Object.getOwnPropertySymbols(stand.probe?.() ?? {})) {
      Object.defineProperty(prototype, key, {
        ...hidden,
        get(this: Ours) {
          return (stand.real(this) as Record<symbol, unknown>)[key];
        },
      });
    }
    return above;
  };
  if (isLoaded()) link();
  else Object.setPrototypeOf(prototype, untilLoaded(link));
}

/**
 * What stands above a prototype as long as the platform's class is not loaded: nobody can have that class then. Once it is,
 * the first look finds it.
 */
function untilLoaded(link: () => object): object {
  const above = (): object => (isLoaded() ? link() : Object.prototype);
  return new Proxy(
    {},
    {
      getPrototypeOf: above,
      get: (_target, key, receiver) => Reflect.get(above(), key, receiver),
      has: (_target, key) => Reflect.has(above(), key),
    },
  );
}

/** Has members of a class be listed, as those of the platform's classes are. */
export function likePlatform(object: object, names: readonly string[]): void {
  for (const name of names) Object.defineProperty(object, name, { enumerable: true });
}

/**
 * What `instanceof` calls of a light class. Code that checks for it means the platform's instances as well. Nothing is
 * loaded for objects that cannot be one.
 *
 * @param ours the light class; one that extends it has instances of its own alone
 * @param is whether an object is one of ours
 */
export function instanceCheck(
  ours: () => { readonly prototype: object },
  name: ClassName,
  is: (value: object) => boolean,
): (this: unknown, value: unknown) => boolean {
  return function (value) {
    if (this !== ours()) return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== 'object' || value === null) return false;
    return is(value) || (!isPlain(value) && value instanceof real(name) && value !== ours().prototype);
  };
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || prototype === Array.prototype;
}
