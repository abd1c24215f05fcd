// `wsgi.input` as the validator hands it on: the contract's members and no others, looked at from both sides. What an
// application asks is checked before, what the gateway gives is checked after. (INPUT)

import { isBytes } from '../../core/bytes.ts';
import { describe } from '../../core/errors.ts';
import { isThenable } from '../../core/thenable.ts';
import { markTransparent } from '../../core/transparent.ts';
import type { Environ, InputStream } from '../../core/types.ts';
import { violation, type Warn } from './report.ts';
import type { CheckedRule } from './rules.ts';
import { onlyMembers, under } from './streams.ts';

const LINE_FEED = 0x0a;

/** The members that read; those of convenience are there only if the input has them. */
const CONVENIENT = ['bytes', 'text', 'json', 'stream'] as const;

/** What files, Node's streams, web streams and requests have, and `wsgi.input` has not. */
const NO_MEMBERS = {
  ...under('INPUT-07', 'close'),
  ...under('L-27', 'seek', 'tell', 'on', 'once', 'pipe', 'resume', 'pause', 'setEncoding', 'destroy'),
  ...under('L-27', 'getReader', 'cancel', 'tee', 'pipeTo', 'pipeThrough', 'arrayBuffer', 'blob', 'formData'),
};

/**
 * @param environ the environ with the input as it came
 * @returns the input for the application
 */
export function validInput(environ: Environ, warn: Warn): InputStream {
  const input = environ['wsgi.input'];
  const watch = new InputWatch(input, environ.CONTENT_LENGTH, warn);
  const members: Record<string | symbol, unknown> = {
    read: (...sizes: unknown[]) => watch.read(sizes),
    readline: (...sizes: unknown[]) => watch.readline(sizes),
    readlines: (...hints: unknown[]) => watch.readlines(hints),
    [Symbol.asyncIterator]: () => watch.iterate(),
  };
  for (const name of CONVENIENT) {
    const method = (): unknown => watch.convenient(name);
    if (typeof input[name] === 'function') members[name] = method;
  }
  return markTransparent(onlyMembers(members as unknown as InputStream, NO_MEMBERS, 'wsgi.input'), input);
}

/** What is known of one input: how much it gave, whether it ended, what is under way. */
class InputWatch {
  readonly #input: InputStream;
  /** The declared length in bytes; -1 where none is declared. */
  readonly #declared: number;
  readonly #warn: Warn;
  #received = 0;
  /** Part of the input went by uncounted: its length says nothing any more. */
  #uncounted = false;
  #ended = false;
  /** The last whole line had no end: nothing may follow it. */
  #unfinished = false;
  #reading = 0;

  constructor(input: InputStream, declared: string | undefined, warn: Warn) {
    this.#input = input;
    this.#declared = declared ? Number(declared) : -1;
    this.#warn = warn;
  }

  async read(sizes: unknown[]): Promise<Uint8Array> {
    const size = checkSize(sizes, 'read', 'L-23');
    const bytes = await this.#turn('read', () => this.#input.read(...(sizes as [number])));
    this.#checkBytes(bytes, 'read', size);
    this.#count(bytes.byteLength, size !== 0 && (size === Infinity || bytes.byteLength < size));
    return bytes;
  }

  async readline(sizes: unknown[]): Promise<Uint8Array> {
    const size = checkSize(sizes, 'readline', 'L-24');
    const line = await this.#turn('readline', () => this.#input.readline(...(sizes as [number])));
    this.#checkBytes(line, 'readline', size);
    this.#checkLine(line, 'readline', size);
    this.#count(line.byteLength, size !== 0 && line.byteLength === 0);
    return line;
  }

  async readlines(hints: unknown[]): Promise<Uint8Array[]> {
    const hint = checkSize(hints, 'readlines', 'L-24');
    const lines = await this.#turn('readlines', () => this.#input.readlines(...(hints as [number])));
    if (!Array.isArray(lines)) throw violation('L-25', `wsgi.input.readlines() gave ${describe(lines)}.`);
    let total = 0;
    for (const line of lines) {
      this.#checkBytes(line, 'readlines', Infinity);
      this.#checkLine(line, 'readlines', Infinity);
      total += line.byteLength;
    }
    this.#count(total, hint === Infinity || hint === 0 || lines.length === 0);
    return lines;
  }

  iterate(): AsyncIterator<Uint8Array> {
    const lines = this.#input[Symbol.asyncIterator]();
    return {
      next: async () => {
        const step = await this.#turn('[Symbol.asyncIterator]().next', () => lines.next());
        if (step.done) {
          this.#count(0, true);
          return step;
        }
        this.#checkBytes(step.value, 'the iteration', Infinity);
        this.#checkLine(step.value, 'the iteration', Infinity);
        this.#count(step.value.byteLength, false);
        return step;
      },
    };
  }

  /** The members beyond the PEP: all that is left, in one form or another. */
  convenient(name: (typeof CONVENIENT)[number]): unknown {
    this.#uncounted = true;
    if (name === 'stream') return this.#input.stream();
    return this.#turn(name, () => this.#input[name]() as Promise<unknown>);
  }

  async #turn<T>(method: string, call: () => Promise<T>): Promise<T> {
    if (this.#reading > 0) this.#warn('INPUT-11', `wsgi.input.${method}() was called while another read was pending.`);
    this.#reading++;
    try {
      const result = call();
      if (!isThenable(result))
        throw violation('L-25', `wsgi.input.${method}() gave ${describe(result)}, not a promise.`);
      return await result;
    } finally {
      this.#reading--;
    }
  }

  #checkBytes(bytes: unknown, method: string, size: number): asserts bytes is Uint8Array {
    if (!isBytes(bytes)) throw violation('L-25', `wsgi.input.${method} gave ${describe(bytes)}.`);
    if (bytes.byteLength > size) {
      throw violation('L-25', `wsgi.input.${method}(${size}) gave ${bytes.byteLength} bytes.`);
    }
  }

  #checkLine(line: Uint8Array, method: string, size: number): void {
    if (line.byteLength === 0) return;
    const end = line.indexOf(LINE_FEED);
    if (end !== -1 && end !== line.byteLength - 1) {
      throw violation(
        'L-26',
        `wsgi.input.${method} gave a line with ${JSON.stringify('\n')} at ${end} of ${line.byteLength}.`,
      );
    }
    if (this.#unfinished) throw violation('L-26', `wsgi.input.${method} gave a line after one without an end.`);
    this.#unfinished = end === -1 && line.byteLength < size;
  }

  /** Keeps account of what came, up to the end. */
  #count(bytes: number, ended: boolean): void {
    if (this.#ended && bytes > 0) throw violation('INPUT-04', `wsgi.input gave ${bytes} bytes after its end.`);
    this.#received += bytes;
    if (this.#declared >= 0 && this.#received > this.#declared) {
      throw violation('INPUT-02', `wsgi.input gave ${this.#received} bytes where CONTENT_LENGTH is ${this.#declared}.`);
    }
    if (!ended) return;
    this.#ended = true;
    if (!this.#uncounted && this.#received < this.#declared) {
      throw violation(
        'INPUT-12',
        `wsgi.input ended after ${this.#received} bytes where CONTENT_LENGTH is ${this.#declared}.`,
      );
    }
  }
}

/** The size that a read was given; Infinity for all that is left. */
function checkSize(sizes: unknown[], method: string, tooMany: CheckedRule): number {
  if (sizes.length > 1) throw violation(tooMany, `wsgi.input.${method}() was called with ${sizes.length} arguments.`);
  const size = sizes[0];
  if (size === undefined || size === null) return Infinity;
  if (typeof size !== 'number' || (!Number.isInteger(size) && size !== Infinity)) {
    throw violation('INPUT-03', `wsgi.input.${method}() was given ${describe(size)}.`);
  }
  return size < 0 ? Infinity : size;
}
