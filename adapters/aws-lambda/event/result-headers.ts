// Header lists as the maps that results hold.

import { memo } from '../../../core/memo.ts';
import { textFromNative } from '../../../core/strings.ts';
import type { HeaderList } from '../../../core/types.ts';

/** A name in lower case, as HTTP/2 writes it: a map then has one entry for a header, however it was spelled. */
export const lowerName: (name: string) => string = /* @__PURE__ */ memo((name) => name.toLowerCase());

/** Sets a member of a map whose names come from outside: `__proto__` is a legal header name. */
export function setOwn<Value>(map: Record<string, Value>, name: string, value: Value): void {
  if (name === '__proto__')
    Object.defineProperty(map, name, { value, enumerable: true, writable: true, configurable: true });
  else map[name] = value;
}

/** What a map has under a name of its own, or undefined: `constructor` is a legal header name too. */
export function getOwn<Value>(map: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/**
 * Headers as one string each, repeats joined with a comma.
 *
 * @param cookies gets the values of `Set-Cookie`, which cannot be joined: `Expires` holds a comma
 */
export function singleValues(headers: HeaderList, cookies: string[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (let index = 0; index < headers.length; index++) {
    const header = headers[index] as [string, string];
    const name = lowerName(header[0]);
    const value = textFromNative(header[1]);
    if (name === 'set-cookie') {
      cookies.push(value);
      continue;
    }
    const before = getOwn(map, name);
    setOwn(map, name, before === undefined ? value : `${before}, ${value}`);
  }
  return map;
}

/** Headers as lists of strings, `Set-Cookie` among them. */
export function multiValues(headers: HeaderList): Record<string, string[]> {
  const map: Record<string, string[]> = {};
  for (const [name, value] of headers) {
    const lower = lowerName(name);
    const list = getOwn(map, lower);
    if (list === undefined) setOwn(map, lower, [textFromNative(value)]);
    else list.push(textFromNative(value));
  }
  return map;
}
