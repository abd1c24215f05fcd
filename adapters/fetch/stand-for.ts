// What makes an object of ours a stand-in for one of the platform's classes, to `instanceof`, to code that looks at its
// constructor, and to whoever inspects it.

/** What Node's `console` and `util.inspect` call, and what of it they call with. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');
type Inspect = (value: unknown, options: object) => string;

/**
 * Has instances of one class stand for those of another.
 *
 * @param ours the class of the stand-ins
 * @param platform the platform's own class
 * @param real the object that a stand-in stands for: it is what is shown in its place
 */
export function standFor<Ours extends object>(
  ours: { readonly prototype: Ours },
  platform: { readonly prototype: object },
  real: (stand: Ours) => object,
): void {
  const { prototype } = ours;
  Object.setPrototypeOf(prototype, platform.prototype);
  const hidden = { writable: true, enumerable: false, configurable: true };
  Object.defineProperty(prototype, 'constructor', { ...hidden, value: platform });
  Object.defineProperty(prototype, INSPECT, {
    ...hidden,
    // Node's own looks for what it keeps in the object itself.
    value(this: Ours, depth: number, options: object, inspect?: Inspect): unknown {
      // The prototype itself is no stand-in.
      if (this === prototype || inspect === undefined) return platform.prototype;
      return inspect(real(this), { ...options, depth });
    },
  });
}
