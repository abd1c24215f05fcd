// The head of a response: what startResponse stored, and the length that its body has to keep to. (SR-08 … SR-10, CL, HTTP-06)

import { checkHeaders, checkStatus, type StatusLine } from './check.ts';
import { ContractError } from './errors.ts';
import type { GatewayResponse, ResponseBody } from './response.ts';
import { isNullBodyStatus } from './status.ts';
import type { HeaderList } from './types.ts';

/**
 * A head that holds. Once it is given its body it is the response, and changes no more.
 *
 * A class, and no literal, for the reason that `createEnviron` has.
 */
export class Head implements GatewayResponse {
  readonly status: string;
  readonly statusCode: number;
  readonly reason: string;
  headers: HeaderList;
  /** Unset until the head is committed. */
  body!: Uint8Array[] | ResponseBody;
  text: string | undefined = undefined;
  /** Bytes that are still to come: of the declared length, or -1 where none is declared; 0 once no more go out. */
  #bytesLeft: number;
  readonly #isHead: boolean;
  /** The body is known to be longer than its declared length. */
  #isTooLong = false;

  /**
   * @param length the declared length in bytes, or -1
   * @param method the request method
   */
  constructor(line: StatusLine, headers: HeaderList, length: number, method: string) {
    this.status = line.status;
    this.statusCode = line.statusCode;
    this.reason = line.reason;
    this.headers = headers;
    this.#bytesLeft = length;
    this.#isHead = method === 'HEAD';
  }

  /** Whether the head is out. */
  get isCommitted(): boolean {
    return this.body !== undefined;
  }

  /** Whether the response has content: not to HEAD, and not with a status that has none. (HTTP-05, HTTP-06) */
  get hasContent(): boolean {
    return !this.#isHead && !isNullBodyStatus(this.statusCode);
  }

  /** Whether a length is declared, by the application or by {@link declare}. */
  get hasLength(): boolean {
    return this.#bytesLeft >= 0;
  }

  /** Whether no more bytes go out: the declared length is reached, or the body is over. */
  get isFull(): boolean {
    return this.#bytesLeft === 0;
  }

  /** Whether these are just the bytes that are declared. */
  isLength(total: number): boolean {
    return this.#bytesLeft === total;
  }

  /** Whether these are more bytes than are declared. */
  isExceededBy(total: number): boolean {
    return this.#bytesLeft >= 0 && total > this.#bytesLeft;
  }

  /** Adds the length that the gateway found out. An application may leave the body out for HEAD: 0 would be a guess. */
  declare(length: number): void {
    if (isNullBodyStatus(this.statusCode) || (this.#isHead && length === 0)) return;
    this.headers.push(['Content-Length', String(length)]);
    this.#bytesLeft = length;
  }

  /** Leaves the content out: no bytes, and of the length only what the status allows. (HTTP-05, HTTP-06) */
  dropContent(): void {
    this.#bytesLeft = 0;
    const code = this.statusCode;
    if (code === 304 || !isNullBodyStatus(code)) return;
    this.headers = this.headers.filter(([name]) => name.toLowerCase() !== 'content-length');
    if (code === 205) this.headers.push(['Content-Length', '0']);
  }

  /** As much of a chunk as the declared length takes. (CL-01) */
  take(chunk: Uint8Array): Uint8Array {
    if (this.#bytesLeft < 0) return chunk;
    const allowed = chunk.byteLength > this.#bytesLeft ? chunk.subarray(0, this.#bytesLeft) : chunk;
    this.#bytesLeft -= allowed.byteLength;
    return allowed;
  }

  /**
   * The body has come to its end.
   *
   * @throws {ContractError} CL-02 where bytes are missing
   */
  end(): void {
    const missing = this.#bytesLeft;
    this.#bytesLeft = 0;
    if (missing > 0)
      throw new ContractError('CL-02', `The body ended ${missing} bytes short of the Content-Length it declared.`);
  }

  /**
   * The error to report for a body that is longer than its length; null where that was done. The length of an array is
   * known ahead.
   */
  overrun(): ContractError | null {
    if (this.#isTooLong) return null;
    this.#isTooLong = true;
    return tooLong();
  }
}

/** The length that a list of headers declares, in bytes; undefined where it declares none. */
export function lengthOf(headers: HeaderList): number | undefined {
  const header = headers.find(([name]) => name.length === 14 && name.toLowerCase() === 'content-length');
  return header && Number(header[1]);
}

/** The error for a body, or a `write`, beyond the declared length. (CL-01) */
export function tooLong(): ContractError {
  return new ContractError('CL-01', 'The body is longer than the Content-Length it declared; the rest was cut off.');
}

/**
 * A head of what the application gave to startResponse: a checked copy.
 *
 * @param method the request method
 * @throws {ContractError} SR-02 … SR-07, L-34, L-48 for what no head can hold
 */
export function checkHead(status: unknown, headers: unknown, method: string): Head {
  const line = checkStatus(status);
  const checked = checkHeaders(headers);
  return new Head(line, checked.headers, checked.length, method);
}
