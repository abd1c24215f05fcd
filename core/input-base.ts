// What both inputs have in common: the one over a source of chunks (input.ts), the one over a body in memory.

import { ContractError, describe } from './errors.ts';
import { unwrap } from './transparent.ts';
import type { InputStream } from './types.ts';

/** A gateway's own `wsgi.input`. The gateway and hosted apps may know more about it than an application does. */
export abstract class GatewayInput implements InputStream {
  /** Whether it is known, without waiting, that nothing is left to read: no body, or one that was read. */
  abstract readonly exhausted: boolean;
  /** What reading failed with, or undefined: a body beyond the limit, a client that has gone. */
  abstract readonly failure: unknown;

  /**
   * The next bytes as they come, or null at the end: for an adapter that hands the body on, without the cost of a stream.
   * A promise only where there is something to wait for.
   */
  abstract pull(): Uint8Array | null | Promise<Uint8Array | null>;

  /**
   * Whether there are bytes to read, which stay to be read: for an adapter that has to say beforehand whether there is a
   * body. A promise only where there is something to wait for; it rejects with what reading would reject with.
   */
  abstract peek(): boolean | Promise<boolean>;

  abstract read(size?: number): Promise<Uint8Array>;
  abstract readline(size?: number): Promise<Uint8Array>;
  abstract readlines(hint?: number): Promise<Uint8Array[]>;
  abstract bytes(): Promise<Uint8Array>;
  abstract text(): Promise<string>;
  abstract json(): Promise<unknown>;
  abstract stream(): ReadableStream<Uint8Array>;

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    // No return(): leaving a loop early must leave the rest of the body to be read. (INPUT-07)
    return {
      next: async () => {
        const line = await this.readline();
        return line.byteLength === 0 ? { done: true, value: undefined } : { done: false, value: line };
      },
    };
  }
}

/** The gateway's own input that is this one, or that this one stands in for; null for one of another make. */
export function gatewayInput(input: InputStream): GatewayInput | null {
  const own = input instanceof GatewayInput ? input : unwrap(input);
  return own instanceof GatewayInput ? own : null;
}

/**
 * @param size what a method of `wsgi.input` was given: bytes, where a negative number and nothing at all mean no limit
 * @throws {ContractError} INPUT-03 for anything else
 */
export function checkSize(size: unknown, method: string): number {
  if (size === undefined || size === null) return Number.POSITIVE_INFINITY;
  if (typeof size !== 'number' || (!Number.isInteger(size) && size !== Number.POSITIVE_INFINITY)) {
    throw new ContractError(
      'INPUT-03',
      `wsgi.input.${method}() was given ${describe(size)}; expected a whole number of bytes.`,
    );
  }
  return size < 0 ? Number.POSITIVE_INFINITY : size;
}

/** Ends a line of the input; a carriage return does not. (INPUT-09) */
export const LINE_FEED = 0x0a;

/**
 * How many bytes from `start` on belong to a line: up to its end, the end of the chunk, or `size`. It looks at no byte
 * beyond `size`: short pieces of a long line would otherwise search all the rest each time.
 *
 * @param size the most bytes that are wanted
 */
export function lineLength(chunk: Uint8Array, start: number, size: number): number {
  const left = chunk.byteLength - start;
  const most = Math.min(size, left);
  const end = (most === left ? chunk : chunk.subarray(0, start + most)).indexOf(LINE_FEED, start);
  return end === -1 ? most : end + 1 - start;
}
