// `startResponse` and `write` as the validator hands them on. Both share with the body which head is stored, and how many
// bytes went out under it. (SR, WRITE, CL)

import { checkChunk, checkHeaders, checkStatus } from '../../core/check.ts';
import { ContractError, describe } from '../../core/errors.ts';
import { isNullBodyStatus } from '../../core/status.ts';
import { isThenable } from '../../core/thenable.ts';
import type { Environ, HeaderList, StartResponse, Write } from '../../core/types.ts';
import type { ValidatedCall } from './call.ts';
import { violation } from './report.ts';

/** The head of one response and the bytes under it. */
export class ResponseWatch {
  readonly #call: ValidatedCall;
  readonly #outer: StartResponse;
  readonly #method: string;
  #called = false;
  /** The stored status, or empty while there is none that holds. */
  #status = '';
  #hasType = false;
  /** The declared Content-Length in bytes, or -1. */
  #declared = -1;
  #bytes = 0;
  /** startResponse threw the error that it was given: the response is broken. */
  #rethrown = false;

  constructor(call: ValidatedCall, outer: StartResponse, environ: Environ) {
    this.#call = call;
    this.#outer = outer;
    this.#method = environ.REQUEST_METHOD;
  }

  /** `startResponse` for the application. */
  readonly startResponse = (...call: unknown[]): Write => {
    if (call.length < 2 || call.length > 3) {
      throw violation('L-31', `startResponse was called with ${call.length} argument${call.length === 1 ? '' : 's'}.`);
    }
    const [status, headers, error] = call;
    const recovers = error !== undefined;
    if (this.#call.over && !this.#call.gone)
      throw recovers ? error : violation('SR-16', 'startResponse was called after the response was over.');
    if (this.#called && !recovers)
      throw violation('SR-13', 'startResponse was called a second time, without an error.');
    if (recovers) this.#checkError(error);
    this.#called = true;
    if (this.#bytes === 0) this.#store(status, headers);
    const write: unknown = this.#forward(status as string, headers as HeaderList, call.slice(2));
    if (typeof write !== 'function') throw violation('SR-01', `startResponse returned ${describe(write)}.`);
    return (...chunks: unknown[]) => this.#write(write as Write, chunks);
  };

  #forward(status: string, headers: HeaderList, error: unknown[]): unknown {
    try {
      return error.length === 0 ? this.#outer(status, headers) : this.#outer(status, headers, error[0]);
    } catch (thrown) {
      this.#rethrown = error[0] !== undefined && thrown === error[0];
      throw thrown;
    }
  }

  #checkError(error: unknown): void {
    if (error instanceof Error || Object.prototype.toString.call(error) === '[object Error]') return;
    this.#call.warn('L-45', `startResponse was given ${describe(error)} as its error.`);
  }

  #store(status: unknown, headers: unknown): void {
    this.#status = '';
    const line = checkStatus(status);
    const checked = checkHeaders(headers);
    this.#hasType = false;
    for (const [name, value] of checked.headers) this.#checkHeader(line.statusCode, name, value);
    this.#declared = checked.length;
    this.#status = line.status;
  }

  /** What is legal and yet worth a word, or wrong for this status alone. */
  #checkHeader(code: number, name: string, value: string): void {
    const { warn } = this.#call;
    const lower = name.toLowerCase();
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) warn('L-35', `There is a header ${describe(name)}.`);
    if (/[-_]$/.test(name)) warn('L-36', `There is a header ${describe(name)}.`);
    if (value.includes('\t')) warn('L-38', `The value of header "${name}" is ${describe(value)}.`);
    if (lower === 'etag' && !/^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(value)) {
      warn('L-47', `The ETag is ${describe(value)}.`);
    }
    if (lower === 'content-length' && code === 204) {
      throw violation('L-44', `A 204 response has Content-Length ${value}.`);
    }
    if (lower !== 'content-type') return;
    this.#hasType = true;
    if (code === 204 || code === 304) warn('L-43', `A ${code} response has Content-Type ${describe(value)}.`);
  }

  #write(write: Write, chunks: unknown[]): Promise<void> {
    if (chunks.length !== 1) throw violation('CALL-02', `write was called with ${chunks.length} arguments.`);
    if (this.#call.over && !this.#call.gone) throw violation('SR-16', 'write was called after the response was over.');
    if (this.#call.returned && !this.#call.gone)
      throw violation('WRITE-03', 'write was called after the application had returned its body.');
    const chunk = chunks[0];
    checkChunk(chunk, 'The argument of write');
    this.#call.warn('WRITE-02', 'The application calls write.');
    if (chunk.byteLength > 0) {
      if (this.#call.inner.length > 0 && !this.#call.inner.some((each) => each.wrote)) {
        throw violation('MW-03', 'A middleware called write although the application inside did not.');
      }
      this.#call.wrote = true;
      this.count(chunk.byteLength);
    }
    const taken: unknown = write(chunk);
    if (!isThenable(taken)) throw violation('WRITE-01', `write returned ${describe(taken)}, not a promise.`);
    return taken as Promise<void>;
  }

  /** An empty chunk of the body comes. */
  empty(): void {
    if (!this.#called) this.#call.warn('L-51', 'The body gave an empty chunk before startResponse was called.');
  }

  /**
   * Bytes of the response go out, none or more.
   *
   * @param counts they are those of an array or a file: their number is the length even where they are dropped
   * @throws {ContractError} when there is no head for them, or the head allows none or fewer
   */
  count(bytes: number, counts = false): void {
    this.#checkStarted('gave bytes');
    if (bytes === 0) return;
    if (this.#rethrown) throw violation('SR-12', 'The application caught what startResponse threw, and went on.');
    const code = Number(this.#status.slice(0, 3));
    if (isNullBodyStatus(code)) throw violation('L-59', `A ${code} response has ${bytes} bytes of content.`);
    this.#bytes += bytes;
    if (this.#method === 'HEAD' && !counts)
      this.#call.warn('L-58', `The response to HEAD has ${bytes} bytes of content.`);
    if (this.#declared >= 0 && this.#bytes > this.#declared) {
      throw violation(
        'L-57',
        `The response has ${this.#bytes} bytes or more where Content-Length is ${this.#declared}.`,
      );
    }
    if (!this.#hasType && (code < 300 || code > 399)) {
      this.#call.warn('L-42', `A ${code} response has content and no Content-Type.`);
    }
  }

  /**
   * The body has come to its end.
   *
   * @throws {ContractError} when there is no head, or bytes are missing under it
   */
  end(): void {
    this.#checkStarted('ended its body');
    if (this.#rethrown)
      throw violation('SR-12', 'The application caught what startResponse threw, and ended its body.');
    const code = Number(this.#status.slice(0, 3));
    if (this.#method === 'HEAD' || isNullBodyStatus(code)) return;
    if (this.#declared > this.#bytes) {
      throw violation('L-57', `The response has ${this.#bytes} bytes where Content-Length is ${this.#declared}.`);
    }
  }

  #checkStarted(what: string): void {
    if (this.#status !== '') return;
    if (!this.#called) throw violation('SR-15', `The application ${what} before it called startResponse.`);
    throw new ContractError('SR-13', `The application ${what} after startResponse had refused its arguments.`);
  }
}
