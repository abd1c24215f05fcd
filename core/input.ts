// `wsgi.input`: a file-like view of the request body over whatever a platform delivers it in. (INPUT-01 … INPUT-12)

import { concat, decode, EMPTY } from './bytes.ts';
import { BodyTooLargeError, ClientDisconnectedError } from './errors.ts';
import { checkSize, GatewayInput, LINE_FEED, lineLength } from './input-base.ts';

/** Where an adapter delivers the request body. The input calls it for one chunk at a time, never twice at once. */
export interface ByteSource {
  /** The next chunk, or null at the end; rejects when the client has gone. */
  pull(): Uint8Array | null | Promise<Uint8Array | null>;
  /**
   * Gathers the whole body, in place of the first pull. A caller that wants all of a short body then waits for one promise.
   *
   * @param done given all that came, in one piece; fewer bytes than were declared where the body ended early
   * @param failed given what {@link pull} would reject with
   * @returns false where the source gathers nothing: nothing has happened then
   */
  whole?(done: (bytes: Uint8Array) => void, failed: (error: unknown) => void): boolean;
}

const NOTHING: ByteSource = { pull: () => null };

/** The request body as an application reads it. */
export class Input extends GatewayInput {
  readonly #source: ByteSource;
  /** The declared length in bytes; Infinity where the platform ends the body by itself. */
  readonly #declared: number;
  readonly #limit: number;
  #received = 0;
  /** The chunk being read, from #at on. */
  #chunk = EMPTY;
  #at = 0;
  #ended = false;
  #failed = false;
  #failure: unknown;
  /** Settles after the last read that was asked for; null when none is under way. (INPUT-11) */
  #tail: Promise<unknown> | null = null;

  /**
   * @param source delivers the chunks; null for no body
   * @param declared the `Content-Length` in bytes; undefined where the body ends by itself
   * @param limit the largest body in bytes that is taken, see `maxBodyBytes`
   */
  constructor(source: ByteSource | null, declared?: number, limit: number = Number.POSITIVE_INFINITY) {
    super();
    this.#source = source ?? NOTHING;
    this.#declared = source === null ? 0 : (declared ?? Number.POSITIVE_INFINITY);
    this.#limit = limit;
    if (this.#declared === 0) this.#ended = true;
  }

  get exhausted(): boolean {
    return this.#ended && this.#at >= this.#chunk.byteLength;
  }

  get failure(): unknown {
    return this.#failure;
  }

  read(size?: number): Promise<Uint8Array> {
    return this.#inTurn(() => this.#read(size));
  }

  readline(size?: number): Promise<Uint8Array> {
    return this.#inTurn(() => this.#readline(size));
  }

  readlines(hint?: number): Promise<Uint8Array[]> {
    return this.#inTurn(async () => {
      const wanted = checkSize(hint, 'readlines') || Number.POSITIVE_INFINITY;
      const lines: Uint8Array[] = [];
      for (let total = 0; total < wanted; ) {
        const line = await this.#readline(Number.POSITIVE_INFINITY);
        if (line.byteLength === 0) break;
        lines.push(line);
        total += line.byteLength;
      }
      return lines;
    });
  }

  bytes(): Promise<Uint8Array> {
    return this.#whole((bytes) => bytes);
  }

  text(): Promise<string> {
    return this.#whole(decode);
  }

  json(): Promise<unknown> {
    return this.#whole(parse);
  }

  pull(): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#tail === null && this.exhausted) return null;
    return this.#inTurn(async () => ((await this.#fill()) ? this.#take(Number.POSITIVE_INFINITY) : null));
  }

  peek(): boolean | Promise<boolean> {
    if (this.#tail === null && this.exhausted) return false;
    return this.#inTurn(async () => this.#fill());
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) =>
          this.#inTurn(async () => {
            if (await this.#fill()) controller.enqueue(this.#take(Number.POSITIVE_INFINITY));
            else controller.close();
          }),
      },
      { highWaterMark: 0 },
    );
  }

  /** What all that is left of the body makes: in one step where nothing was read yet and the source gathers it. */
  #whole<T>(make: (bytes: Uint8Array) => T): Promise<T> {
    const isFresh = this.#received === 0 && this.#tail === null && !this.#ended && !this.#failed;
    return (isFresh ? this.#gather(make) : null) ?? this.#inTurn(async () => make(await this.#read()));
  }

  #gather<T>(make: (bytes: Uint8Array) => T): Promise<T> | null {
    let isUnderWay = false;
    const gathered = new Promise<T>((resolve, reject) => {
      const done = (bytes: Uint8Array): void => {
        isUnderWay = false;
        this.#tail = null;
        let all: Uint8Array;
        try {
          this.#accept(bytes);
          all = this.#take(Number.POSITIVE_INFINITY);
          if (!this.#ended) this.#accept(null);
        } catch (error) {
          reject(this.#fail(error));
          return;
        }
        try {
          resolve(make(all));
        } catch (error) {
          reject(error);
        }
      };
      const failed = (error: unknown): void => {
        isUnderWay = false;
        this.#tail = null;
        reject(this.#fail(error));
      };
      isUnderWay = this.#source.whole?.(done, failed) ?? false;
    });
    if (!isUnderWay) return null;
    this.#tail = gathered;
    return gathered;
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail === null ? task() : this.#tail.then(task, task);
    const done = (): void => {
      if (this.#tail === tail) this.#tail = null;
    };
    const tail: Promise<void> = result.then(done, done);
    this.#tail = tail;
    return result;
  }

  // Sizes are checked in here, where a wrong one rejects the promise instead of throwing past it.

  async #read(wanted?: number): Promise<Uint8Array> {
    const size = checkSize(wanted, 'read');
    if (size === 0 || !(await this.#fill())) return EMPTY;
    const first = this.#take(size);
    let total = first.byteLength;
    if (total === size) return first;
    const parts = [first];
    // A body that has come in one piece is given on without asking whether there is more.
    while (total < size && !this.exhausted && (await this.#fill())) {
      const part = this.#take(size - total);
      parts.push(part);
      total += part.byteLength;
    }
    return concat(parts, total);
  }

  async #readline(wanted?: number): Promise<Uint8Array> {
    const size = checkSize(wanted, 'readline');
    const parts: Uint8Array[] = [];
    let total = 0;
    while (total < size && (await this.#fill())) {
      const part = this.#take(lineLength(this.#chunk, this.#at, size - total));
      parts.push(part);
      total += part.byteLength;
      if (part[part.byteLength - 1] === LINE_FEED) break;
    }
    return concat(parts, total);
  }

  /** Up to `size` bytes of the chunk at hand. */
  #take(size: number): Uint8Array {
    const left = this.#chunk.byteLength - this.#at;
    const end = this.#at + Math.min(size, left);
    const part = this.#at === 0 && end === this.#chunk.byteLength ? this.#chunk : this.#chunk.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /**
   * Whether there are bytes at hand, after asking the source for more if need be; false at the end. A promise only where
   * the source makes one.
   *
   * @throws what the source failed with, now or earlier
   */
  #fill(): boolean | Promise<boolean> {
    while (this.#at >= this.#chunk.byteLength) {
      if (this.#failed) throw this.#failure;
      if (this.#ended) return false;
      try {
        const chunk = this.#source.pull();
        if (chunk instanceof Promise) return this.#await(chunk);
        this.#accept(chunk);
      } catch (error) {
        throw this.#fail(error);
      }
    }
    return true;
  }

  #await(pending: Promise<Uint8Array | null>): Promise<boolean> {
    const take = (chunk: Uint8Array | null): boolean | Promise<boolean> => {
      try {
        this.#accept(chunk);
      } catch (error) {
        throw this.#fail(error);
      }
      return this.#fill();
    };
    return pending.then(take, (error) => {
      throw this.#fail(error);
    });
  }

  #fail(error: unknown): unknown {
    this.#failed = true;
    this.#failure = error;
    return error;
  }

  #accept(chunk: Uint8Array | null): void {
    if (chunk === null) {
      this.#ended = true;
      if (this.#declared !== Number.POSITIVE_INFINITY && this.#received < this.#declared) {
        throw new ClientDisconnectedError(
          `The request body ended after ${this.#received} of the ${this.#declared} bytes that Content-Length declares.`,
        );
      }
      return;
    }
    const room = this.#declared - this.#received;
    const bytes = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
    this.#received += bytes.byteLength;
    if (this.#received > this.#limit) throw new BodyTooLargeError(this.#limit);
    // The declared end is the end: what follows on the connection is somebody else's. (INPUT-02)
    if (this.#received === this.#declared) this.#ended = true;
    this.#chunk = bytes;
    this.#at = 0;
  }
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(decode(bytes));
}
