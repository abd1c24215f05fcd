// `wsgi.errors`: from whatever the deployer gave as `errors` to the stream an application sees. A log that fails is never
// the application's problem: nothing it throws or rejects with comes through. (LOG-01 … LOG-05, ERR-06)

import { describe, printable } from './errors.ts';
import { flush, ignoreFailure } from './log.ts';
import type { ErrorSink, ErrorStream } from './types.ts';

/** A line of this many characters goes out in pieces: one that is never ended would fill the memory. */
const LONGEST_LINE = 1024 * 1024;

/** Collects text until a line is complete: a log that adds its own line ends gets one entry for `a` and `b\n`. (LOG-02) */
class LineStream implements ErrorStream {
  readonly #emit: (text: string) => unknown;
  /** The line that has no end yet. Texts are only put together here; to search it again each time would be quadratic. */
  #partial = '';

  constructor(emit: (text: string) => unknown) {
    this.#emit = emit;
  }

  write(text: string): void {
    try {
      this.#add(String(text));
    } catch {}
  }

  writelines(lines: Iterable<string>): void {
    for (const line of lines) this.write(line);
  }

  flush(): void {
    const rest = this.#partial;
    if (rest === '') return;
    this.#partial = '';
    this.#send(rest);
  }

  #add(text: string): void {
    const end = text.lastIndexOf('\n');
    if (end === -1) {
      this.#partial += text;
      if (this.#partial.length >= LONGEST_LINE) this.flush();
      return;
    }
    // A text of several lines, such as a stack, stays a single entry.
    const entry = this.#partial + text.slice(0, end);
    this.#partial = text.slice(end + 1);
    this.#send(entry);
  }

  #send(entry: string): void {
    try {
      ignoreFailure(this.#emit(entry));
    } catch {}
  }
}

/** Anything that has `write`: Node's streams, and error streams of the deployer's own. */
interface Target {
  write(text: string): unknown;
  flush?(): void | Promise<void>;
}

/** Hands text on as it comes. */
class ForwardStream implements ErrorStream {
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  write(text: string): void {
    try {
      ignoreFailure(this.#target.write(text));
    } catch {}
  }

  writelines(lines: Iterable<string>): void {
    for (const line of lines) this.write(line);
  }

  flush(): void | Promise<void> {
    return flush(this.#target);
  }
}

/**
 * Makes `wsgi.errors` for one request at a time, so that half a line of one request never mixes with another's.
 *
 * @param sink the `errors` option. A stream gets each text as it was written. A function gets each complete text, without
 *   its last line end; `console.error` when left out. What it throws, and a promise of it that rejects, is ignored (ERR-06)
 * @throws {TypeError} when it is none of these
 */
export function errorStreams(sink: ErrorSink | undefined): () => ErrorStream {
  if (sink === undefined) return () => new LineStream(logToConsole);
  if (typeof sink === 'function') return () => new LineStream(sink);
  if (typeof sink?.write !== 'function') {
    throw new TypeError(`The option "errors" is ${describe(sink)}; expected a function or an object with write(text).`);
  }
  const shared = new ForwardStream(sink);
  return () => shared;
}

/** Colours are the application's to use; the control bytes beyond ASCII come from a client, in a path or a header. */
function logToConsole(text: string): void {
  console.error(/[\x7f-\x9f]/.test(text) ? text.replace(/[\x7f-\x9f]+/g, printable) : text);
}
