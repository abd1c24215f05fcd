// `wsgi.input` over a body that is in memory already. Nothing waits, so that overlapping reads are in order by nature.
// (INPUT-01 … INPUT-12)

import { decode, EMPTY } from './bytes.ts';
import { checkSize, GatewayInput, lineLength } from './input-base.ts';
import { encode } from './strings.ts';

/** A request body in memory, as an application reads it. */
export class MemoryInput extends GatewayInput {
  /** A body that came as text, until its bytes are asked for; else null. */
  #text: string | null = null;
  /** What is left to read. */
  #rest: Uint8Array = EMPTY;

  /** @param body the whole body: bytes, or the text whose UTF-8 it is; left out for none */
  constructor(body: Uint8Array | string = EMPTY) {
    super();
    if (typeof body === 'string') this.#text = body;
    else this.#rest = body;
  }

  get exhausted(): boolean {
    return !this.#text && this.#rest.byteLength === 0;
  }

  get failure(): undefined {
    return undefined;
  }

  async read(size?: number): Promise<Uint8Array> {
    return this.#take(checkSize(size, 'read'));
  }

  async readline(size?: number): Promise<Uint8Array> {
    return this.#line(checkSize(size, 'readline'));
  }

  async readlines(hint?: number): Promise<Uint8Array[]> {
    const wanted = checkSize(hint, 'readlines') || Number.POSITIVE_INFINITY;
    const lines: Uint8Array[] = [];
    for (let total = 0; total < wanted && !this.exhausted; ) {
      const line = this.#line(Number.POSITIVE_INFINITY);
      lines.push(line);
      total += line.byteLength;
    }
    return lines;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#take(Number.POSITIVE_INFINITY);
  }

  async text(): Promise<string> {
    return this.#decoded();
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#decoded());
  }

  pull(): Uint8Array | null {
    return this.exhausted ? null : this.#take(Number.POSITIVE_INFINITY);
  }

  peek(): boolean {
    return !this.exhausted;
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          const bytes = this.pull();
          if (bytes === null) controller.close();
          else controller.enqueue(bytes);
        },
      },
      { highWaterMark: 0 },
    );
  }

  #take(size: number): Uint8Array {
    if (this.#text !== null) {
      this.#rest = encode(this.#text);
      this.#text = null;
    }
    const rest = this.#rest;
    if (size >= rest.byteLength) {
      this.#rest = EMPTY;
      return rest;
    }
    this.#rest = rest.subarray(size);
    return rest.subarray(0, size);
  }

  #line(size: number): Uint8Array {
    const rest = this.#take(Number.POSITIVE_INFINITY);
    this.#rest = rest;
    return this.#take(lineLength(rest, 0, size));
  }

  /** All that is left, as text; without a way through bytes where they would give the same. */
  #decoded(): string {
    const text = this.#text;
    // Neither a byte order mark nor half of a pair survives that way.
    if (text === null || text.charCodeAt(0) === 0xfeff || !text.isWellFormed()) {
      return decode(this.#take(Number.POSITIVE_INFINITY));
    }
    this.#text = null;
    return text;
  }
}
