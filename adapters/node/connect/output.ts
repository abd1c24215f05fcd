// The way out of a connect-style function that toConnect made. It writes to the framework's response as that was, past what
// response.ts has diverted for the handlers behind.

import type { ServerResponse } from 'node:http';
import { isHopByHop } from '../../../core/check.ts';
import type { GatewayResponse } from '../../../core/response.ts';
import { breakOff } from '../break-off.ts';
import { onClose, onDrain } from '../neighbours.ts';
import { grouped } from '../response.ts';

/** The methods that are called. */
interface Before extends Pick<ServerResponse, 'getHeaderNames' | 'removeHeader' | 'setHeader' | 'flushHeaders'> {
  write(chunk: Uint8Array): boolean;
  end(chunk?: Uint8Array): unknown;
}

export class ConnectOutput {
  readonly #response: ServerResponse & { flush?(): void };
  readonly #flush: (() => void) | undefined;
  /** The response's methods as they were: handlers further in may wrap them for what they write. */
  readonly #before: Before;
  /** How many steps of the way out are being made: then the response is what it was. */
  #depth = 0;
  /** The response is no longer diverted. */
  #isOpen = false;
  #isHeadOut = false;
  /** The way out of another such function, further out, that has diverted the same response before. */
  outer: ConnectOutput | null = null;
  /** Settles who waits for room. */
  #wake: (() => void) | null = null;
  #listens = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#flush = (response as { flush?(): void }).flush;
    const { getHeaderNames, removeHeader, setHeader, flushHeaders, write, end } = response;
    this.#before = { getHeaderNames, removeHeader, setHeader, flushHeaders, write, end };
  }

  /** Whether what is done to the response now is meant for the response itself. */
  get isOut(): boolean {
    return this.#isOpen || this.#depth > 0 || this.outer?.isOut === true;
  }

  /** Whether the head that is out is the response's own, or is just being made. */
  get isHeadOut(): boolean {
    return this.#isHeadOut || this.outer?.isHeadOut === true;
  }

  /** Somebody has answered past the middleware, or nobody is there any more. */
  get isTaken(): boolean {
    return this.#out(() => this.#response.headersSent || this.#response.destroyed);
  }

  /** Gives the response back to the framework. */
  open(): void {
    this.#isOpen = true;
  }

  /** Sends a response; rejects with what its body fails with. */
  async send({ statusCode, reason, headers, body }: GatewayResponse): Promise<void> {
    const response = this.#response;
    const before = this.#before;
    this.#isHeadOut = true;
    this.#out(() => {
      for (const name of before.getHeaderNames.call(response)) {
        if (!isHopByHop(name.toLowerCase())) before.removeHeader.call(response, name);
      }
      for (const [name, values] of grouped(headers)) before.setHeader.call(response, name, values);
      response.statusCode = statusCode;
      if ((response.req?.httpVersionMajor ?? 1) < 2) response.statusMessage = reason;
    });
    if (Array.isArray(body)) {
      this.#out(() => {
        const last = body.length - 1;
        for (let at = 0; at < last; at++) before.write.call(response, body[at] as Uint8Array);
        if (last >= 0) before.end.call(response, body[last] as Uint8Array);
        else before.end.call(response);
      });
      return;
    }
    if (body.wantsHead) this.#out(() => before.flushHeaders.call(response));
    for (;;) {
      const step = body.next();
      // What compresses around the middleware holds nothing back in a pause. (MW-02)
      if (step instanceof Promise) this.#out(() => this.#flush?.call(response));
      const chunk = step instanceof Promise ? await step : step;
      if (this.#out(() => response.destroyed)) return;
      if (chunk === null) break;
      // The response may still hold the chunk when the application already fills its buffer anew. (BODY-08)
      const room: unknown = this.#out(() => before.write.call(response, Buffer.from(chunk)));
      if (room === false || (room !== true && this.#out(() => response.writableNeedDrain))) await this.#drained();
    }
    this.#out(() => before.end.call(response));
  }

  /** What was sent must not be taken for the whole. (ERR-04) */
  breakOff(): void {
    this.#out(() => breakOff(this.#response));
    this.open();
  }

  /** The response has room again. */
  readonly drained = (): void => this.#wake?.();

  #drained(): Promise<void> {
    if (!this.#listens) {
      this.#listens = true;
      onDrain(this.#response, this.drained);
      onClose(this.#response, this.drained);
    }
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }

  #out<Result>(step: () => Result): Result {
    this.#depth++;
    try {
      return step();
    } finally {
      this.#depth--;
    }
  }
}
