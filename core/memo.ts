// What is made of a text that comes again and again, such as a header name, is kept for the next time. Clients choose many
// of these texts: what is kept is bounded in number and in bytes, whatever they send.

/** How many texts one memo keeps at most. Clients could send ever new ones. */
const MOST_TEXTS = 1024;

/** A longer text is made anew each time. No header name, host or key that comes again is anywhere near it. */
const LONGEST_TEXT = 128;

/**
 * Makes a function that remembers its results: those of up to 1024 texts of up to 128 characters, 256 KiB of texts in all.
 *
 * @param make what is made of a text, and no larger than a small multiple of it; what it throws is thrown each time
 * @example
 * const lower = memo((name) => name.toLowerCase());
 */
export function memo<Made>(make: (text: string) => Made): (text: string) => Made {
  const known = new Map<string, Made>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    // The value may be anything: it is checked after this.
    if (typeof text !== 'string' || text.length > LONGEST_TEXT) return make(text);
    const key = copy(text);
    const made = make(key);
    if (known.size >= MOST_TEXTS) known.clear();
    known.set(key, made);
    return made;
  };
}

/** The same text on its own: a piece cut out of a longer text may keep all of that in memory. */
function copy(text: string): string {
  return ` ${text}`.slice(1);
}
