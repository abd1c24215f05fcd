// A request body that comes as a web stream. (INPUT-02, INPUT-12)

import { ClientDisconnectedError } from './errors.ts';
import type { ByteSource } from './input.ts';
import type { WaitContext } from './work.ts';

/** A source over a web stream. */
export class StreamSource implements ByteSource {
  readonly #stream: ReadableStream<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #ahead: Promise<Uint8Array | null> | null = null;
  /** Reads that somebody waits for. */
  #reading = 0;
  /** Given once the response is over: waits while the rest is read. */
  #context: WaitContext | null = null;
  #isDropped = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#stream = stream;
  }

  async pull(): Promise<Uint8Array | null> {
    if (this.#isDropped) throw new ClientDisconnectedError(DROPPED);
    const ahead = this.#ahead;
    this.#ahead = null;
    this.#reading += 1;
    try {
      return await (ahead ?? this.#read());
    } finally {
      this.#reading -= 1;
      // A reader that goes on does so at once.
      if (this.#context !== null) setTimeout(() => this.#drop(), 0);
    }
  }

  /** Begins to read where nobody has, one chunk: for a platform that takes away a body which nobody reads. */
  begin(): void {
    if (this.#reader !== null || this.#stream.locked) return;
    this.#ahead = this.#read();
    this.#ahead.catch(() => {}); // the caller of pull hears of it
  }

  /**
   * Reads away what is left of a body that was begun, now that the response is over, for at most 5 seconds. A platform may
   * wait for its end before it serves the next request of the connection. A reader that waits for a chunk may read on; to
   * go on later is an error. A body that nobody has begun is the platform's.
   *
   * @returns when it is read, where that begins now
   * @param context waits while that goes on
   */
  discard(context: WaitContext): Promise<void> | undefined {
    this.#context = context;
    return this.#drop();
  }

  #drop(): Promise<void> | undefined {
    if (this.#reader === null || this.#reading > 0 || this.#isDropped) return undefined;
    this.#isDropped = true;
    const drained = drain(this.#reader, Date.now() + DRAIN_MILLISECONDS);
    this.#context?.waitUntil(drained);
    return drained;
  }

  async #read(): Promise<Uint8Array | null> {
    this.#reader ??= this.#stream.getReader();
    try {
      const { done, value } = await this.#reader.read();
      return done ? null : value;
    } catch (cause) {
      throw new ClientDisconnectedError('The request body broke off before its end.', { cause });
    }
  }
}

/** As long as a server on Node reads what nobody wants. */
const DRAIN_MILLISECONDS = 5000;

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>, deadline: number): Promise<void> {
  try {
    while (!(await reader.read()).done) if (Date.now() > deadline) return await reader.cancel();
  } catch {
    // The client has left, or the platform is done with the request.
  }
}

const DROPPED =
  'What was left of the request body was dropped when the response was over; read it before, or wait for it while you respond.';
