// Which of a few media types a client likes best. (RFC 9110 §12.5.1)

import Negotiator from 'negotiator';

/** The most elements that are looked at: each is compared with every type. */
const MOST_ELEMENTS = 64;

/**
 * @param accept the header `Accept`; undefined where there is none. What is malformed in it counts for nothing
 * @param types what there is, the one for clients that do not care first
 * @returns one of the types: the first where the client takes none of them
 */
export function preferredType<T extends string>(accept: string | undefined, types: readonly [T, ...T[]]): T {
  if (accept === undefined) return types[0];
  // Parameters but the weight make a range more precise than any of the types is.
  const header = accept.toLowerCase().split(',', MOST_ELEMENTS).map(withoutParameters).join(',');
  return (new Negotiator({ headers: { accept: header } }).mediaType([...types]) as T | undefined) ?? types[0];
}

function withoutParameters(range: string): string {
  const [name = '', ...parameters] = range.split(';');
  const weight = parameters.find((parameter) => parameter.trim().startsWith('q='));
  return weight === undefined ? name : `${name};${weight}`;
}
