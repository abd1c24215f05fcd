// The assertions of the conformance suite: few, and the same under every test runner. A failure says what was expected,
// what was seen, and of what.

/** What a failed assertion throws. Test runners show its message. */
export class AssertionError extends Error {
  override name = 'AssertionError';
}

/**
 * @param what the sentence that did not hold
 * @throws {AssertionError} always
 */
export function fail(what: string): never {
  throw new AssertionError(what);
}

/**
 * @param what a sentence saying what has to hold
 * @throws {AssertionError} unless `condition` holds
 */
export function ok(condition: unknown, what: string): asserts condition {
  if (!condition) fail(what);
}

/**
 * Compares by value: strings, numbers, byte arrays, arrays and plain objects of these.
 *
 * @param what what is compared, for the message
 * @throws {AssertionError} when they differ
 */
export function equal(seen: unknown, expected: unknown, what: string): void {
  if (!same(seen, expected)) fail(`${what}: expected ${show(expected)}, saw ${show(seen)}`);
}

/** @throws {AssertionError} unless `pattern` matches `text` */
export function match(text: unknown, pattern: RegExp, what: string): void {
  if (typeof text !== 'string' || !pattern.test(text)) fail(`${what}: expected ${pattern}, saw ${show(text)}`);
}

/**
 * @param action called at once; what it throws is returned
 * @throws {AssertionError} when it throws nothing
 */
export function throws(action: () => unknown, what: string): unknown {
  let result: unknown;
  try {
    result = action();
  } catch (error) {
    return error;
  }
  fail(`${what}: expected an error to be thrown, got ${show(result)}`);
}

/**
 * @param promise what has to reject
 * @returns what it rejected with
 * @throws {AssertionError} when it resolves
 */
export async function rejects(promise: Promise<unknown>, what: string): Promise<unknown> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    return error;
  }
  fail(`${what}: expected a rejection, got ${show(result)}`);
}

/** Whether an error is the contract's own and names this rule; the error may come from another copy of the library. */
export function isContractError(error: unknown, rule?: string): boolean {
  if (!(error instanceof TypeError) || error.name !== 'ContractError') return false;
  return rule === undefined || (error as TypeError & { rule?: unknown }).rule === rule;
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b) || ArrayBuffer.isView(a) !== ArrayBuffer.isView(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same((a as never)[key], (b as never)[key]));
}

/** A value as a message shows it: short, and with control characters made visible. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.byteLength} bytes ${cut(JSON.stringify(latin1(value)))}`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === 'function') return 'a function';
  try {
    return cut(JSON.stringify(value) ?? String(value));
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function cut(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

/** The bytes as text, one character each. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
