// The chunks of a body on their way through what a middleware makes of them. For every chunk that comes, one goes out. (MW-02)

import { EMPTY } from '../core/bytes.ts';
import type { ChunkCoder } from '../core/coding.ts';
import { ContractError } from '../core/errors.ts';
import { isThenable } from '../core/thenable.ts';

/** One step of an iteration of chunks. */
export type Step = IteratorResult<Uint8Array>;
export const OVER: Step = { done: true, value: undefined };

/** A chunk as a step; null is the end. */
export function stepOf(chunk: Uint8Array | null): Step {
  return chunk === null ? OVER : { done: false, value: chunk };
}

/** The chunks of one body. */
export class CodedChunks {
  readonly #report: (error: unknown) => void;
  #coder: ChunkCoder | null = null;
  /** Bytes that the declared length still wants; -1 where none is declared. */
  #left = -1;
  /** What the coder gave for one chunk, until it is asked for. */
  #ready: Uint8Array[] = [];
  #ended = false;
  #closed = false;

  /** @param report given what is wrong, where the body goes on */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /**
   * From now on chunks go through a coder.
   *
   * @param length the declared length of what goes in, in bytes, or -1
   */
  begin(coder: ChunkCoder, length: number): void {
    this.#left = length;
    this.#coder = coder;
  }

  get hasCoder(): boolean {
    return this.#coder !== null;
  }

  /** As many bytes have come as were declared. */
  get isFull(): boolean {
    return this.#left === 0;
  }

  /** Nothing more goes out. */
  get isOver(): boolean {
    return this.#ended || this.#closed;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** A chunk that is ready; null where there is none. */
  shift(): Step | null {
    const chunk = this.#ready.shift();
    return chunk === undefined ? null : { done: false, value: chunk };
  }

  /** Passes a chunk through the coder; null is the end of the body. */
  pass(chunk: Uint8Array | null): Step | Promise<Step> {
    const coder = this.#coder;
    if (coder === null || chunk?.byteLength === 0) return stepOf(chunk);
    if (chunk === null) {
      if (this.#left > 0) {
        throw new ContractError('CL-02', `The body ended ${this.#left} bytes short of the Content-Length it declared.`);
      }
      return this.finish(coder.end());
    }
    const coded = coder.write(this.#count(chunk));
    return isThenable(coded) ? coded.then(this.#give) : this.#give(coded);
  }

  /** A chunk of the body, cut to the declared length, which the gateway does not get to see. (CL-01) */
  #count(chunk: Uint8Array): Uint8Array {
    if (this.#left < 0) return chunk;
    if (chunk.byteLength <= this.#left) {
      this.#left -= chunk.byteLength;
      return chunk;
    }
    const tooLong = 'The body is longer than the Content-Length it declared; the rest was cut off.';
    this.#report(new ContractError('CL-01', tooLong));
    const allowed = chunk.subarray(0, this.#left);
    this.#left = 0;
    return allowed;
  }

  /** Ends with these chunks. */
  finish(last: Uint8Array[] | Promise<Uint8Array[]>): Step | Promise<Step> {
    this.#ended = true;
    return isThenable(last) ? last.then(this.#give) : this.#give(last);
  }

  /** For every chunk that came one goes out, which may be empty. (MW-02) */
  readonly #give = (chunks: Uint8Array[]): Step => {
    if (this.#closed) return OVER;
    this.#ready = chunks.filter(({ byteLength }) => byteLength > 0);
    const chunk = this.#ready.shift();
    if (chunk !== undefined) return { done: false, value: chunk };
    return this.#ended ? OVER : { done: false, value: EMPTY };
  };

  /** The caller wants no more. */
  stop(): void {
    this.#ended = true;
    this.#ready = [];
  }

  /** The response is over. */
  close(): void {
    this.#closed = true;
    this.#ready = [];
    this.#coder?.destroy();
  }
}
