// The classes of Fetch that the platform itself has. Node 20 loads them, which takes 20 ms, when somebody first looks at the
// global: nothing here looks before it must. And where `waygate/light-fetch` has put others in their place, these are
// still to be had here.

/** The globals that light classes stand for. */
export interface FetchGlobals {
  Response: typeof Response;
  Request: typeof Request;
  Headers: typeof Headers;
  fetch: typeof fetch;
}

type Name = keyof FetchGlobals;

/** How to get at a global that another one has replaced. */
const replaced: Partial<Record<Name, () => unknown>> = {};

/** The platform's own class or function of this name. */
export function real<Global extends Name>(name: Global): FetchGlobals[Global] {
  const own = replaced[name];
  return (own === undefined ? globalThis[name] : own()) as FetchGlobals[Global];
}

/** Puts other classes in the place of the platform's own, which are not looked at for it. */
export function replaceGlobals(globals: FetchGlobals): void {
  for (const name of Object.keys(globals) as Name[]) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    if (replaced[name] !== undefined || before?.configurable !== true) continue;
    let own: unknown = before.value;
    const get = (): unknown => {
      if (own === undefined) {
        // Node's getter puts what it returns in its own place.
        const current = Object.getOwnPropertyDescriptor(globalThis, name) as PropertyDescriptor;
        own = before.get?.call(globalThis);
        Object.defineProperty(globalThis, name, current);
      }
      return own;
    };
    replaced[name] = get;
    const { enumerable } = before;
    Object.defineProperty(globalThis, name, { value: globals[name], writable: true, enumerable, configurable: true });
  }
}

/** What of Node's own modules is used. */
interface Builtin {
  markAsUncloneable?(object: object): void;
  types?: { isProxy(value: unknown): boolean };
}

/** What of Node's `process` is looked at, where there is one. */
interface Process {
  versions?: Record<string, string | undefined>;
  moduleLoadList?: unknown;
  getBuiltinModule?(name: string): Builtin | undefined;
}

const node = (globalThis as { process?: Process }).process;
let looked = 0;
let loaded = false;

/** Whether the platform's classes are there without a load. Only Node 20 loads them late, and lists what it has loaded. */
export function isLoaded(): boolean {
  if (loaded) return true;
  const list = node?.moduleLoadList;
  if (!Array.isArray(list)) loaded = true;
  else while (!loaded && looked < list.length) loaded = String(list[looked++]).endsWith('internal/deps/undici/undici');
  return loaded;
}

/** Whether this is Node itself, and not a runtime that is like it. */
export function isNode(): boolean {
  const { node: version, bun, deno } = node?.versions ?? {};
  return version !== undefined && bun === undefined && deno === undefined && !('WebSocketPair' in globalThis);
}

/** Has `structuredClone` refuse an object, as it refuses the platform's own from Node 22 on. */
export const markAsUncloneable: (object: object) => void = uncloneable() ?? ((): void => {});

function uncloneable(): ((object: object) => void) | undefined {
  // Node 20 has none, and would load a module for it. The pool that runs tests in workerd does not survive the question.
  if (!isNode() || Number.parseInt(node?.versions?.node ?? '', 10) < 22) return undefined;
  return node?.getBuiltinModule?.('node:worker_threads')?.markAsUncloneable;
}

/** Whether an object is a proxy, which sees in what order it is asked; true where the platform does not say. */
export const isProxy: (object: object) => boolean =
  (isNode() ? node?.getBuiltinModule?.('node:util')?.types?.isProxy : undefined) ?? ((): boolean => true);
