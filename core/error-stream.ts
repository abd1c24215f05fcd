// `wsgi.errors`: from whatever the deployer gave as `errors` to the stream an application sees. (LOG-01 … LOG-05)

import { ignoreFailure } from './log.ts';
import type { ErrorSink, ErrorStream } from './types.ts';

/** Collects text until a line is complete: a log that adds its own line ends gets one entry for `a` and `b\n`. (LOG-02) */
class LineStream implements ErrorStream {
  readonly #emit: (text: string) => unknown;
  #partial = '';

  constructor(emit: (text: string) => unknown) {
    this.#emit = emit;
  }

  write(text: string): void {
    const all = this.#partial + text;
    const end = all.lastIndexOf('\n');
    this.#partial = all.slice(end + 1);
    // A text of several lines, a stack for one, stays a single entry.
    if (end !== -1) ignoreFailure(this.#emit(all.slice(0, end)));
  }

  writelines(lines: Iterable<string>): void {
    for (const line of lines) this.write(line);
  }

  flush(): void {
    const rest = this.#partial;
    if (rest === '') return;
    this.#partial = '';
    ignoreFailure(this.#emit(rest));
  }
}

/** Hands text on as it comes to anything that has `write`. */
class ForwardStream implements ErrorStream {
  readonly #target: { write(text: string): unknown; flush?(): void | Promise<void> };

  constructor(target: { write(text: string): unknown; flush?(): void | Promise<void> }) {
    this.#target = target;
  }

  write(text: string): void {
    ignoreFailure(this.#target.write(text));
  }

  writelines(lines: Iterable<string>): void {
    for (const line of lines) this.write(line);
  }

  flush(): void | Promise<void> {
    return this.#target.flush?.();
  }
}

/**
 * Makes `wsgi.errors` for one request at a time, so that half a line of one request never mixes with another's.
 *
 * @param sink the `errors` option: a stream is used as it is, a function is called with each complete text, without its
 *   last line end; `console.error` when left out
 * @throws {TypeError} when it is none of these
 */
export function errorStreams(sink: ErrorSink | undefined): () => ErrorStream {
  if (sink === undefined) return () => new LineStream(logToConsole);
  if (typeof sink === 'function') return () => new LineStream(sink);
  if (typeof sink?.write !== 'function') {
    throw new TypeError('The option "errors" takes a function or an object with write(text).');
  }
  const shared = isErrorStream(sink) ? sink : new ForwardStream(sink);
  return () => shared;
}

function isErrorStream(sink: object): sink is ErrorStream {
  return 'writelines' in sink && 'flush' in sink;
}

function logToConsole(text: string): void {
  console.error(text);
}
