// The response on its way into the stream of a streamed invocation.

import type { GatewayResponse, ResponseBody } from '../../core/response.ts';
import type { Prelude } from './source.ts';
import { beginStream, isRuntimeStream, type ResponseStream } from './streaming.ts';

/** The client's end of the stream. */
export class ResponseWriter {
  #stream: ResponseStream;
  /** The stream closed before the response was finished. */
  clientLeft = false;
  #full = false;
  #finished = false;
  #failed = false;
  readonly #onClientLeft: () => void;
  /** Wakes code that waits for the stream. */
  #wake: () => void = () => {};

  constructor(stream: ResponseStream, onClientLeft: () => void = () => {}) {
    this.#stream = stream;
    this.#onClientLeft = onClientLeft;
    stream.on('drain', () => {
      this.#full = false;
      this.#wake();
    });
    stream.on('finish', () => {
      this.#finished = true;
      this.#wake();
    });
    stream.on('close', this.#onClose);
    stream.on('error', this.#onClose);
    if (stream.destroyed) this.#onClose();
  }

  #onClose = (): void => {
    if (!this.clientLeft && !this.#failed && !this.#finished) {
      this.clientLeft = true;
      this.#onClientLeft();
    }
    this.#wake();
  };

  begin(prelude: Prelude): void {
    this.#stream = beginStream(this.#stream, prelude);
    // The runtime sends the prelude with the first write, and with no end: without this an empty body is not a response.
    this.#stream.write('');
  }

  /** Resolves when the stream has room for more, or the client is gone. (BODY-02) */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.clientLeft || chunk.byteLength === 0) return;
    // A Buffer: the runtime makes JSON of every other byte array but its own Uint8Array. A copy: the stream may still hold
    // it when the application fills its own anew. (BODY-08)
    this.#full = !this.#stream.write(Buffer.from(chunk));
    while (this.#full && !this.clientLeft) await this.#event();
  }

  /** Resolves when everything is on its way: Lambda ends the invocation when the handler returns. */
  async end(): Promise<void> {
    if (this.clientLeft) return;
    this.#stream.end();
    while (!this.#finished && !this.clientLeft) await this.#event();
  }

  /** The body failed: the stream ends without an end. The runtime ends its own when the handler rejects. */
  breakOff(error: unknown): void {
    this.#failed = true;
    if (!isRuntimeStream(this.#stream)) this.#stream.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  #event(): Promise<void> {
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }
}

/** Sends a response; returns when the client has all of it, or is gone. */
export async function send(prelude: Prelude, body: GatewayResponse['body'], writer: ResponseWriter): Promise<void> {
  if (writer.clientLeft) return;
  writer.begin(prelude);
  try {
    if (Array.isArray(body)) for (const chunk of body) await writer.write(chunk);
    else await sendBody(body, writer);
  } catch (error) {
    // What went out cannot be taken back: the client must see that the rest is missing. (ERR-04)
    writer.breakOff(error);
    throw error;
  }
  await writer.end();
}

async function sendBody(body: ResponseBody, writer: ResponseWriter): Promise<void> {
  while (!writer.clientLeft) {
    const next = body.next();
    const chunk = next instanceof Promise ? await next : next;
    if (chunk === null) return;
    await writer.write(chunk);
  }
}

/** The result for an event that is not an HTTP request: where nothing reads a stream, it is what was written. */
export async function sendJson(result: unknown, stream: ResponseStream): Promise<void> {
  const writer = new ResponseWriter(stream);
  stream.setContentType?.('application/json');
  await writer.write(Buffer.from(JSON.stringify(result ?? null)));
  await writer.end();
}
