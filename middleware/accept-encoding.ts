// Which content coding a client wants. (RFC 9110 §12.5.3)

import Negotiator from 'negotiator';

/** What suits a client. */
export interface Choice {
  /** `identity` for a body as it is; null where the client refuses that, too, and everything else that there is. */
  readonly coding: string | null;
  /** Whether a body may go out as it is. */
  readonly takesIdentity: boolean;
}

const AS_IT_IS: Choice = { coding: 'identity', takesIdentity: true };

/** A longer header is not kept. */
const LONGEST_KEPT = 256;
/** The most elements that are looked at: each is compared with every coding. No client knows more codings. */
const MOST_ELEMENTS = 64;

/**
 * Makes the function that chooses a coding.
 *
 * @param available names of codings that are there, without `identity`; the preferred one first
 * @returns takes the header `Accept-Encoding`: undefined where there is none, and the body goes out as it is, which all
 *   clients understand. What is malformed in the header counts for nothing.
 */
export function chooser(available: readonly string[]): (header: string | undefined) => Choice {
  const all = [...available, 'identity'];
  // Most clients of a server are browsers, and each kind of browser always says the same.
  let last = '';
  let choice = AS_IT_IS;
  return (header) => {
    if (header === undefined || header === '') return AS_IT_IS;
    if (header === last) return choice;
    const made = choose(header, all, available);
    if (header.length > LONGEST_KEPT) return made;
    last = header;
    choice = made;
    return made;
  };
}

function choose(header: string, all: string[], preferred: readonly string[]): Choice {
  // "x-gzip" is another name of gzip. (RFC 9110 §8.4.1.3)
  const value = header
    .split(',', MOST_ELEMENTS)
    .join(',')
    .replace(/\bx-gzip\b/gi, 'gzip');
  const accepted = (new Negotiator({ headers: { 'accept-encoding': value } }) as Preferring).encodings(all, {
    preferred,
  });
  return { coding: accepted[0] ?? null, takesIdentity: accepted.includes('identity') };
}

/** Its types are of a version before this option. */
interface Preferring {
  encodings(available: string[], options: { preferred: readonly string[] }): string[];
}
