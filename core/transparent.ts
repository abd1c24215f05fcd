// Objects that stand in for others: everything passes through them unchanged, as through the validator's. What is known of
// the one behind then holds for the one in front, also for a gateway or a hosted app. (FILE-06, INPUT-08)

const BEHIND = new WeakMap<object, object>();

/**
 * @param front passes on all that `behind` gives, as it is
 * @returns `front`
 */
export function markTransparent<T extends object>(front: T, unwrap: object): T {
  BEHIND.set(front, unwrap);
  return front;
}

/** What an object stands in for, at the end of it all; the object itself where it stands in for nothing. */
export function unwrap(front: object): object {
  let object = front;
  for (let next = BEHIND.get(object); next !== undefined; next = BEHIND.get(object)) object = next;
  return object;
}
