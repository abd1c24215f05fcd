// What passes between the gateway and an adapter: what the adapter chooses, and the response it gets. No code.

import type { GatewayOptions, HeaderList, StartResponse } from './types.ts';
import type { WaitContext } from './work.ts';

/** What the gateway made of an application's answer: a head that can no longer change, and the body. */
export interface GatewayResponse {
  /** `200 OK`: the code, a space, the reason. */
  readonly status: string;
  /** The code of `status` as a number: 200. */
  readonly statusCode: number;
  /** The reason phrase; may be empty. */
  readonly reason: string;
  /** The gateway's own list, complete with `Content-Length` where the gateway knows it. */
  readonly headers: HeaderList;
  /** All chunks at once, with nothing left to close; or a body to be pulled, and closed when the response is over. */
  readonly body: Uint8Array[] | ResponseBody;
  /** All of the body where an adapter has it as a text of ASCII; `body` is empty then. */
  readonly text?: string | undefined;
  /** Tells it from a {@link Passthrough}. */
  readonly passthrough?: undefined;
  /** The application failed before its head, and this response stands in for its own; only with {@link ExchangeOptions.onFailure}. */
  readonly failure?: { readonly error: unknown };
}

/** In place of a response: the app behind a body answers the platform directly. The exchange is over. (EXT-02) */
export type Passthrough<Call> = Call extends object ? { /** How to call it. */ readonly passthrough: Call } : never;

/** What an exchange comes to: a response, or what {@link ExchangeOptions.passthrough} found. */
export type Answer<Call = never> = GatewayResponse | Passthrough<Call>;

/** Who gets the answer of an exchange. */
export interface Receiver<Call = never> {
  /** Called once. Must not throw: nobody is left who could catch it. */
  answer(answer: Answer<Call>): void;
}

/** A body to be pulled chunk by chunk. The adapter that got it calls `close()` in the end, also after an error. */
export interface ResponseBody extends AsyncIterable<Uint8Array> {
  /**
   * The next chunk, or null at the end; a promise only where the application makes one. To ask says that the platform has
   * taken the chunk before. It throws or rejects when the body fails: the response must then break visibly. (BODY-02)
   */
  next(): Uint8Array | null | Promise<Uint8Array | null>;
  /** The response is over, sent or not: ends the iteration and runs the application's `close()`, once. Never throws. */
  close(): void | Promise<void>;
  /** The head is wanted now, and there is no chunk yet: a platform that sends both together must not wait. */
  readonly wantsHead: boolean;
  /** The application's own stream where it may go to the platform untouched instead of being pulled; else null. */
  readonly stream: ReadableStream<Uint8Array> | null;
}

/**
 * What an adapter chooses for an exchange.
 *
 * @typeParam Call what {@link ExchangeOptions.passthrough} finds, where an adapter has that
 */
export interface ExchangeOptions<Call = never> {
  /**
   * Called once for every failure of the application, after it was written to `wsgi.errors`.
   *
   * @default nothing is called
   */
  onError?: GatewayOptions['onError'];
  /**
   * Given every failure, which then is neither written to `wsgi.errors` nor given to `onError`: an exchange inside another
   * one leaves the report to that one.
   *
   * @default failures are reported
   */
  onFailure?: (error: unknown) => void;
  /**
   * Whether the platform takes a `ReadableStream` as it is, so that such a body costs nothing per chunk.
   *
   * @default false
   */
  takesStreams?: boolean;
  /**
   * Recognizes a body behind which stands an app of the adapter's own platform. That app can then answer directly. It is
   * asked before anything else is done with the body. Returns what the adapter needs for that, or null. (EXT-02: an adapter
   * refuses unless `startResponse` is the very function that the body was made with.)
   *
   * @default no body is recognised
   */
  passthrough?: (body: object, startResponse: StartResponse) => Call | null;
  /**
   * What waits for the work that goes on after `close()`: the application itself, or the step that its body is in.
   * `close()` waits for nothing that may never end. A platform that would stop it goes on until that has settled.
   *
   * @default nobody waits
   */
  context?: WaitContext;
}
