// What is made of a text that comes again and again, such as a header name, is kept for the next time.

/** How many texts are kept. Clients choose many of them, and could send ever new ones. */
const LIMIT = 1024;

/**
 * Makes a function that remembers its results.
 *
 * @param make what is made of a text; what it throws is thrown each time
 */
export function memo<Made>(make: (text: string) => Made): (text: string) => Made {
  const known = new Map<string, Made>();
  return (text) => {
    let made = known.get(text);
    if (made === undefined) {
      made = make(text);
      if (known.size >= LIMIT) known.clear();
      known.set(text, made);
    }
    return made;
  };
}
