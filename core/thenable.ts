// Promises of every make: of another realm, of a library.

/** Whether a value has to be awaited. */
export function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof (value as Promise<T>).then === 'function';
}
