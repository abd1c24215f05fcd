// What an event source does, as `fromLambda` imitates it. It takes the request of a client, makes an event of it, and makes
// a response of the function's result.

import type { HeaderList } from '../../../core/types.ts';
import type { LambdaSource } from '../types.ts';
import type { EmulatorOptions } from './options.ts';

/** A request as an event source receives it. Header names are in lower case; texts are Unicode. */
export interface ClientRequest {
  method: string;
  /** The path as sent: printable ASCII, `/` first. */
  path: string;
  /** What follows the first `?`, as sent; empty when there is none. */
  query: string;
  /** Without those about the connection. */
  headers: [name: string, value: string][];
  body: Uint8Array;
  scheme: 'http' | 'https';
  /** The Host header, or the server's name. */
  host: string;
  /** Decimal digits. */
  port: string;
  /** `HTTP/1.1` and the like. */
  protocol: string;
  clientAddress: string;
  /** When it came, in milliseconds since 1970. */
  time: number;
  /** A UUID. */
  id: string;
}

/** What goes back to the client. */
export interface Answer {
  status: number;
  reason?: string;
  headers: HeaderList;
  body: Uint8Array;
}

/** One event source, imitated. */
export interface Emulator extends LambdaSource {
  /**
   * The event that the function gets.
   *
   * @throws {RequestError} for a request that the event source answers by itself
   */
  toEvent(request: ClientRequest, options: EmulatorOptions): unknown;
  /**
   * The answer for a result, which is any JSON value.
   *
   * @throws {MalformedResultError} for a result that the event source takes no answer from
   */
  toResponse(result: unknown, request: ClientRequest, options: EmulatorOptions): Answer;
  /** What the client gets when the function fails or its result is malformed. */
  readonly failure: { status: number; type: string; text: string };
  /** The largest result in bytes of JSON. */
  resultLimitBytes(options: EmulatorOptions): number;
  /** Whether a streamed response is passed on as it comes. */
  readonly streams: boolean;
}

/** The function answered with something that its event source makes no response of. */
export class MalformedResultError extends Error {
  override name = 'MalformedResultError';
  /** The status of the event source's error page, where it is not that of all failures. */
  readonly status: number | undefined;

  /** @param message what the result has, and what was expected */
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}
