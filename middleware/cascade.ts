// Several applications for the same addresses: the first that knows one answers. (as Rack::Cascade)

import { BodyReader } from '../core/body.ts';
import { EMPTY } from '../core/bytes.ts';
import { checkApplication, checkChunk, checkHeaders, checkOptions, checkStatus } from '../core/check.ts';
import type { ChunkCoder } from '../core/coding.ts';
import { ContractError, describe, report } from '../core/errors.ts';
import { gatewayInput } from '../core/input-base.ts';
import { log } from '../core/log.ts';
import { isThenable } from '../core/thenable.ts';
import type {
  Application,
  ApplicationBody,
  Environ,
  HeaderList,
  InputStream,
  StartResponse,
  Write,
} from '../core/types.ts';
import { discardBody } from './discard-body.ts';
import type { Decide } from './outcome.ts';
import { transform } from './transform.ts';

/** When {@link cascade} asks the next application. */
export interface CascadeOptions {
  /**
   * The statuses with which an application says that it does not know the address.
   *
   * @default [404, 405]
   */
  statuses?: readonly number[];
}

/** What may be written of an answer that is not wanted, before it is taken after all: it is held in memory. */
const MOST_WRITTEN = 65_536;

/**
 * Makes one application of several: they are asked one after the other, and the first whose status is not 404 or 405 answers. If
 * all of them say so, the answer of the last goes out. A failure goes out as well: only a status asks the next one.
 *
 * Each application gets the environ as it was. A request body can be read once only: the answer of an application that
 * has begun to read it goes out, whatever its status. So an application that answers 404 before it reads the body falls
 * through, and one that reads it first does not.
 *
 * Applications that call `startResponse` before they return stay as synchronous as they are. A generator that calls it in
 * its first step makes the body asynchronous.
 *
 * @param apps the applications, in order
 * @throws {TypeError} for what is not an array of applications (L-21), and for statuses that are none
 * @example
 * serve(cascade([staticPages, api, fromNode(legacy)]));
 */
export function cascade(apps: readonly Application[], options: CascadeOptions = {}): Application {
  if (!Array.isArray(apps) || apps.length === 0)
    throw new TypeError(
      `cascade was given ${Array.isArray(apps) ? 'an empty array' : describe(apps)}; expected an array of applications, at least one.`,
    );
  apps.forEach((app, index) => {
    checkApplication(app, `Application ${index} of cascade`);
  });
  checkOptions(options);
  const list: unknown = options.statuses ?? [404, 405];
  if (!Array.isArray(list) || !list.every((code) => Number.isInteger(code) && code >= 200 && code <= 599))
    throw new TypeError(`The option "statuses" of cascade is ${describe(list)}; expected an array of status codes.`);
  const statuses: ReadonlySet<number> = new Set(list);
  const all = [...apps];
  return (environ, startResponse) => new CascadedRequest(all, statuses, environ, startResponse).run(0);
}

class CascadedRequest {
  readonly #apps: readonly Application[];
  readonly #statuses: ReadonlySet<number>;
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #original: PropertyDescriptorMap;
  /** Null where there is no body that could be read. */
  readonly #input: WatchedInput | null;

  constructor(
    apps: readonly Application[],
    statuses: ReadonlySet<number>,
    environ: Environ,
    startResponse: StartResponse,
  ) {
    this.#apps = apps;
    this.#statuses = statuses;
    this.#environ = environ;
    this.#startResponse = startResponse;
    const input = environ['wsgi.input'];
    this.#input = gatewayInput(input)?.exhausted === true ? null : new WatchedInput(input);
    if (this.#input !== null && apps.length > 1) environ['wsgi.input'] = this.#input;
    this.#original = apps.length > 1 ? Object.getOwnPropertyDescriptors(environ) : {};
  }

  run(index: number, startResponse = this.#startResponse): ApplicationBody | Promise<ApplicationBody> {
    const app = this.#apps[index] as Application;
    if (index === this.#apps.length - 1) return app(this.#environ, startResponse);
    const attempt = new Attempt(startResponse, (code) => this.#statuses.has(code) && !this.isRead);
    const result = app(this.#environ, attempt.start);
    const accept = (body: ApplicationBody) => this.#accept(attempt, body, index, startResponse);
    return isThenable(result) ? Promise.resolve(result).then(accept) : accept(result);
  }

  #accept(
    attempt: Attempt,
    body: ApplicationBody,
    index: number,
    startResponse: StartResponse,
  ): ApplicationBody | Promise<ApplicationBody> {
    if (attempt.isHeld && this.isRead) attempt.pass();
    if (attempt.hasPassed) return body;
    if (!attempt.isHeld) return new UndecidedBody(this, attempt, body, index, startResponse) as ApplicationBody;
    const closed = discardBody(body, this.reportError);
    return isThenable(closed) ? closed.then(() => this.#next(index, startResponse)) : this.#next(index, startResponse);
  }

  /** Asks the next application, with the environ as it was. */
  #next(index: number, startResponse: StartResponse): ApplicationBody | Promise<ApplicationBody> {
    for (const key of Reflect.ownKeys(this.#environ)) if (!(key in this.#original)) delete this.#environ[key as string];
    Object.defineProperties(this.#environ, this.#original);
    return this.run(index + 1, startResponse);
  }

  /** The same, while a body is being read already: what the application writes becomes a part of that. (WRITE-03) */
  nextLate(index: number, startResponse: StartResponse): ApplicationBody | Promise<ApplicationBody> {
    const next: Application = (_environ, start) => this.#next(index, start);
    const decide: Decide = ({ status, headers }) => ({ status, headers, coder, keepsLength: true });
    return transform(next, this.#environ, startResponse, decide, true);
  }

  /** Whether the body of the request is gone, or a part of it. */
  get isRead(): boolean {
    return this.#input?.isRead ?? false;
  }

  readonly reportError = (error: unknown): void => log(this.#environ['wsgi.errors'], report(error));
}

/** Leaves chunks as they are. */
const AS_THEY_ARE: ChunkCoder = { write: (chunk) => [chunk], end: () => [], destroy: () => {} };
const coder = (): ChunkCoder => AS_THEY_ARE;

/** What one application answers, until it is known whether that goes out. */
class Attempt {
  readonly #outer: StartResponse;
  readonly #isUnwanted: (code: number) => boolean;
  /** The call that goes out if nobody else is asked. */
  #head: [status: string, headers: HeaderList, error: unknown] | null = null;
  #write: Write | null = null;
  #chunks: Uint8Array[] = [];
  #total = 0;

  constructor(outer: StartResponse, isUnwanted: (code: number) => boolean) {
    this.#outer = outer;
    this.#isUnwanted = isUnwanted;
  }

  get hasPassed(): boolean {
    return this.#write !== null;
  }

  get isHeld(): boolean {
    return this.#head !== null && this.#write === null;
  }

  readonly start: StartResponse = (status, headers, error) => {
    if (this.#head !== null && this.#write === null) {
      if (error === undefined) {
        throw new ContractError(
          'SR-13',
          'startResponse was called a second time; only an error handler may, with its error as third argument.',
        );
      }
      if (this.#total > 0) throw error;
    }
    if (this.#write === null) {
      if (this.#isUnwanted(checkStatus(status).statusCode)) {
        this.#head = [status, checkHeaders(headers).headers, error];
        return this.#hold;
      }
    }
    const write = error === undefined ? this.#outer(status, headers) : this.#outer(status, headers, error);
    this.#write = write;
    return write;
  };

  readonly #hold: Write = (chunk) => {
    if (this.#write !== null) return this.#write(chunk);
    checkChunk(chunk, 'The argument of write');
    // Its buffer is free at once. (BODY-08)
    if (chunk.byteLength > 0) this.#chunks.push(chunk.slice());
    this.#total += chunk.byteLength;
    if (this.#total > MOST_WRITTEN) this.pass();
    return Promise.resolve();
  };

  /** Takes the answer after all. */
  pass(): void {
    const [status, headers, error] = this.#head as [string, HeaderList, unknown];
    const write = error === undefined ? this.#outer(status, headers) : this.#outer(status, headers, error);
    this.#write = write;
    for (const chunk of this.#chunks) write(chunk);
    this.#chunks = [];
  }
}

/** The body of an application that has not called startResponse yet. */
class UndecidedBody implements AsyncIterable<Uint8Array> {
  readonly #request: CascadedRequest;
  readonly #index: number;
  readonly #startResponse: StartResponse;
  #attempt: Attempt | null;
  #body: ApplicationBody;
  #reader: BodyReader | null = null;
  #isClosed = false;

  constructor(
    request: CascadedRequest,
    attempt: Attempt,
    body: ApplicationBody,
    index: number,
    startResponse: StartResponse,
  ) {
    this.#startResponse = startResponse;
    this.#request = request;
    this.#attempt = attempt;
    this.#body = body;
    this.#index = index;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: async () => ({ done: true, value: undefined }),
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    this.#reader ??= new BodyReader(this.#body);
    let chunk = await this.#reader.pull();
    const attempt = this.#attempt;
    this.#attempt = null;
    if (attempt?.isHeld && !this.#isClosed) {
      if (this.#request.isRead) attempt.pass();
      // One chunk was taken, so one is given before the next is asked for. (MW-02)
      else chunk = (await this.#goOn()) && chunk === null ? await this.#reader.pull() : EMPTY;
    } else if (attempt !== null && !attempt.hasPassed && chunk !== null) this.#attempt = attempt;
    return chunk === null || this.#isClosed ? { done: true, value: undefined } : { done: false, value: chunk };
  }

  /** Puts the body of the next application in the place of this one. */
  async #goOn(): Promise<boolean> {
    await (this.#reader as BodyReader).release(this.#request.reportError);
    if (this.#isClosed) return false;
    this.#body = await this.#request.nextLate(this.#index, this.#startResponse);
    this.#reader = new BodyReader(this.#body);
    if (this.#isClosed) await this.#reader.release(this.#request.reportError);
    return !this.#isClosed;
  }

  close(): void | Promise<void> {
    this.#isClosed = true;
    const { reportError } = this.#request;
    return this.#reader === null ? discardBody(this.#body, reportError) : this.#reader.release(reportError);
  }
}

/** An input that knows whether anything was read of it. */
class WatchedInput implements InputStream {
  readonly #input: InputStream;
  isRead = false;

  constructor(input: InputStream) {
    this.#input = input;
  }

  get #taken(): InputStream {
    this.isRead = true;
    return this.#input;
  }

  read(size?: number): Promise<Uint8Array> {
    return this.#taken.read(size);
  }
  readline(size?: number): Promise<Uint8Array> {
    return this.#taken.readline(size);
  }
  readlines(hint?: number): Promise<Uint8Array[]> {
    return this.#taken.readlines(hint);
  }
  bytes(): Promise<Uint8Array> {
    return this.#taken.bytes();
  }
  text(): Promise<string> {
    return this.#taken.text();
  }
  json(): Promise<unknown> {
    return this.#taken.json();
  }
  /** To have a stream, as a hosted app has one from the start, is not to read it. */
  stream(): ReadableStream<Uint8Array> {
    let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          reader ??= this.#taken.stream().getReader();
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: (reason) => reader?.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    let lines: AsyncIterator<Uint8Array> | null = null;
    // No return(): leaving a loop early leaves the rest to be read. (INPUT-07)
    return {
      next: () => {
        lines ??= this.#taken[Symbol.asyncIterator]();
        return lines.next();
      },
    };
  }
}
