// What an application pushes through `write`, until the platform asks for it. (WRITE-01 … WRITE-04)

import { ClientDisconnectedError, ContractError } from './errors.ts';

/** Why a chunk was lost. */
export const LOST = 'The response was closed before this chunk went out.';

interface Pending {
  chunk: Uint8Array;
  taken: () => void;
  lost: (error: unknown) => void;
  /** The chunk that was written after this one. A list: taking the first of a long array off moves all the others. */
  next: Pending | null;
}

const ignore = (): void => {};

/** Chunks in the order they were written; they all go out before the body. */
export class WriteQueue {
  #first: Pending | null = null;
  #last: Pending | null = null;
  #taking: Pending | null = null;
  #closed = false;
  /** Wakes the reader that waits for the next chunk. */
  #wake: () => void = ignore;

  /**
   * @returns a promise that resolves when the platform has taken the chunk; it may be ignored safely
   */
  push(chunk: Uint8Array): Promise<void> {
    const promise = new Promise<void>((taken, lost) => {
      // The application may reuse its buffer at once. (BODY-08)
      const pending: Pending = { chunk: new Uint8Array(chunk), taken, lost, next: null };
      if (this.#last === null) this.#first = pending;
      else this.#last.next = pending;
      this.#last = pending;
    });
    promise.catch(ignore);
    this.#wake();
    return promise;
  }

  /** The application has returned: nothing more will be written. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** The next chunk, or null when all are out and no more can come. To ask says that the one before was taken. */
  async next(): Promise<Uint8Array | null> {
    this.#taking?.taken();
    this.#taking = null;
    for (;;) {
      const write = this.#shift();
      if (write !== null) {
        this.#taking = write;
        return write.chunk;
      }
      if (this.#closed) return null;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  /** The response is over: what was not taken never will be. */
  lose(error: unknown): void {
    this.#taking?.taken();
    for (let write = this.#shift(); write !== null; write = this.#shift()) write.lost(error);
    this.close();
  }

  #shift(): Pending | null {
    const first = this.#first;
    if (first === null) return null;
    this.#first = first.next;
    if (this.#first === null) this.#last = null;
    // To keep one chunk keeps no other.
    first.next = null;
    return first;
  }
}

/** The error for a `write` after the application has returned its body. (WRITE-03) */
export function writtenLate(): ContractError {
  return new ContractError(
    'WRITE-03',
    'write was called after the application returned its body; yield the chunk instead.',
  );
}

/** What `write` returns when nobody is left to take the chunk; it may be ignored safely. (WRITE-04) */
export function lost(): Promise<void> {
  const promise = Promise.reject(new ClientDisconnectedError(LOST));
  promise.catch(ignore);
  return promise;
}
