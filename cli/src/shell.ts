// Words of a command line as a shell takes them.

/** A word, quoted where a POSIX shell would take it for something else. */
export function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
