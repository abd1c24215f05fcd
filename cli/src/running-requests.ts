// The requests that a process behind the server has at the moment: one that is replaced finishes them.

/** Counts the requests of one process. */
export class RunningRequests {
  #count = 0;
  #onIdle: (() => void) | null = null;

  /** How many requests have not ended yet. */
  get count(): number {
    return this.#count;
  }

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onIdle?.();
  }

  /** Settles when no request is left, or after the limit in milliseconds. */
  idle(limit: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limit);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
