// What an application pushes through `write`, until the platform asks for it. (WRITE-01 … WRITE-04)

interface Pending {
  chunk: Uint8Array;
  taken: () => void;
  lost: (error: unknown) => void;
}

const ignore = (): void => {};

/** Chunks in the order they were written; they all go out before the body. */
export class WriteQueue {
  readonly #pending: Pending[] = [];
  #taking: Pending | null = null;
  #closed = false;
  /** Wakes whoever waits for the next chunk. */
  #wake: () => void = ignore;

  /**
   * @returns a promise that resolves when the platform has taken the chunk; whoever ignores it crashes nothing
   */
  push(chunk: Uint8Array): Promise<void> {
    const promise = new Promise<void>((taken, lost) => {
      // The application may reuse its buffer at once. (BODY-08)
      this.#pending.push({ chunk: new Uint8Array(chunk), taken, lost });
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
      const write = this.#pending.shift();
      if (write !== undefined) {
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
    for (const write of this.#pending.splice(0)) write.lost(error);
    this.close();
  }
}
