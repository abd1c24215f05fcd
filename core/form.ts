// Forms in a request body: urlencoded ones, and multipart ones whose files are streams. (WHATWG HTML §4.10.21, RFC 7578)

import { concat, decode } from './bytes.ts';
import { BadRequestError, describe, quote, RequestError } from './errors.ts';
import { MultipartReader, type PartHead, parseParameters } from './multipart.ts';
import { parseForm } from './query.ts';
import { encode, nativeFromBytes } from './strings.ts';
import type { Environ } from './types.ts';

/** How much of a form is taken. Beyond it the client gets a 413. */
export interface FormOptions {
  /**
   * The most bytes of all values together.
   *
   * @default 16 MiB for `form`, which holds them in memory; no limit for `formParts`
   */
  maxBytes?: number;
  /**
   * The most bytes of one field that is not a file, and of an urlencoded form as a whole: they are held in memory.
   *
   * @default 1 MiB
   */
  maxFieldBytes?: number;
  /**
   * The most bytes of one file.
   *
   * @default no limit but `maxBytes`
   */
  maxFileBytes?: number;
  /**
   * The most fields and files together.
   *
   * @default 1000
   */
  maxParts?: number;
  /**
   * The most bytes of the headers of one part.
   *
   * @default 8192
   */
  maxHeaderBytes?: number;
}

/** One field or file of a form, as it comes. It can be read until the next one is asked for, and once. */
export interface FormPart extends AsyncIterable<Uint8Array> {
  /** The name of the field. */
  readonly name: string;
  /** The name that the client gave to the file: any text, never a path to write to. Undefined for a value that is not a file. */
  readonly fileName: string | undefined;
  /** The `Content-Type` of the part; `text/plain` where it has none. */
  readonly contentType: string;
  /** All headers of the part, by name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** The bytes, in one piece. */
  bytes(): Promise<Uint8Array>;
  /** The bytes, decoded as UTF-8. */
  text(): Promise<string>;
  /** The bytes as they come. */
  stream(): ReadableStream<Uint8Array>;
}

const MEBIBYTE = 1_048_576;
const FORMS = /* @__PURE__ */ new WeakMap<object, Promise<FormData>>();

/**
 * Reads a whole form: fields as text, files as `File` objects in memory. Called again for the same body it gives the same form.
 *
 * @param environ the request; its body must not have been read
 * @throws {RequestError} 415 for a body that is not a form, 400 for a malformed one, 413 beyond a limit: the gateway answers so
 * @example
 * const fields = await form(environ);
 * const name = fields.get('name');
 */
export function form(environ: Environ, options: FormOptions = {}): Promise<FormData> {
  const input = environ['wsgi.input'];
  let found = FORMS.get(input);
  if (found === undefined) {
    found = gather(formParts(environ, { maxBytes: 16 * MEBIBYTE, ...options }));
    FORMS.set(input, found);
  }
  return found;
}

async function gather(parts: AsyncIterable<FormPart>): Promise<FormData> {
  const fields = new FormData();
  for await (const part of parts) {
    if (part.fileName === undefined) fields.append(part.name, await part.text());
    else
      fields.append(part.name, new File([await part.bytes()] as BlobPart[], part.fileName, { type: part.contentType }));
  }
  return fields;
}

/**
 * Reads a form part by part, in the order in which they were sent. It holds no part in memory: a file can be streamed to
 * where it belongs. What is not read of a part is passed over when the next one is asked for.
 *
 * @param environ the request; its body must not have been read
 * @throws {RequestError} while it is read: 415 for a body that is not a form, 400 for a malformed one, 413 beyond a limit
 * @example
 * for await (const part of formParts(environ, { maxFileBytes: 10_000_000 })) {
 *   if (part.fileName !== undefined) await bucket.put(crypto.randomUUID(), part.stream());
 * }
 */
export async function* formParts(
  environ: Environ,
  options: FormOptions = {},
): AsyncGenerator<FormPart, void, undefined> {
  const limits = checkLimits(options);
  const type = parseParameters(environ.CONTENT_TYPE ?? '');
  if (type?.value === 'application/x-www-form-urlencoded') return yield* urlencodedParts(environ, limits);
  if (type?.value !== 'multipart/form-data') {
    const given =
      environ.CONTENT_TYPE === undefined ? 'no Content-Type' : `the Content-Type ${quote(environ.CONTENT_TYPE)}`;
    throw new RequestError(
      415,
      `The request has ${given}; expected application/x-www-form-urlencoded or multipart/form-data.`,
    );
  }
  const boundary = type.parameters.get('boundary') ?? '';
  // RFC 2046 §5.1.1 allows fewer characters; some clients do not care.
  if (!/^[\x20-\x7e]{0,69}[\x21-\x7e]$/.test(boundary))
    throw new BadRequestError('The boundary of the form is missing or malformed; expected 1 to 70 characters.');
  const reader = new MultipartReader(environ['wsgi.input'], boundary, limits.maxHeaderBytes);
  const count = new Count(limits);
  for (let head = await reader.head(); head !== null; head = await reader.head()) {
    const part = new Part(head, reader, count);
    yield part;
    await part.skip();
  }
}

type Limits = Required<FormOptions>;

function checkLimits(options: FormOptions): Limits {
  const limits: Limits = {
    maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY,
    maxFieldBytes: options.maxFieldBytes ?? MEBIBYTE,
    maxFileBytes: options.maxFileBytes ?? Number.POSITIVE_INFINITY,
    maxParts: options.maxParts ?? 1000,
    maxHeaderBytes: options.maxHeaderBytes ?? 8192,
  };
  for (const [name, value] of Object.entries(limits))
    if (typeof value !== 'number' || !(value >= 0))
      throw new TypeError(`The option "${name}" of a form is ${describe(value)}; expected a number.`);
  return limits;
}

/** What was taken so far. */
class Count {
  readonly limits: Limits;
  #parts = 0;
  #bytes = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  addPart(): void {
    if (++this.#parts > this.limits.maxParts) throw tooLarge('form has more parts', this.limits.maxParts, 'maxParts');
  }

  addBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.limits.maxBytes) throw tooLarge('form has more bytes', this.limits.maxBytes, 'maxBytes');
  }
}

function tooLarge(what: string, limit: number, option: string): RequestError {
  return new RequestError(413, `The ${what} than the ${limit} that ${option} allows.`);
}

/** A part of a multipart form. */
class Part implements FormPart {
  readonly name: string;
  readonly fileName: string | undefined;
  readonly contentType: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly #reader: MultipartReader;
  readonly #count: Count;
  readonly #limit: number;
  #size = 0;
  #isOver = false;
  #pending: Promise<unknown> = Promise.resolve();

  constructor(head: PartHead, reader: MultipartReader, count: Count) {
    count.addPart();
    this.name = head.name;
    this.fileName = head.fileName;
    this.headers = head.headers;
    this.contentType = head.headers.get('content-type') ?? 'text/plain';
    this.#reader = reader;
    this.#count = count;
    this.#limit = head.fileName === undefined ? count.limits.maxFieldBytes : count.limits.maxFileBytes;
  }

  /** One read at a time, in the order they were asked for. */
  #next(): Promise<Uint8Array | null> {
    const step = this.#pending.then(() => this.#read());
    this.#pending = step.catch(() => {});
    return step;
  }

  async #read(): Promise<Uint8Array | null> {
    if (this.#isOver) return null;
    const chunk = await this.#reader.chunk();
    if (chunk === null) {
      this.#isOver = true;
      return null;
    }
    this.#size += chunk.byteLength;
    if (this.#size > this.#limit) {
      this.#isOver = true;
      const isFile = this.fileName !== undefined;
      throw tooLarge(
        `${isFile ? 'file' : 'field'} ${quote(this.name)} of the form has more bytes`,
        this.#limit,
        isFile ? 'maxFileBytes' : 'maxFieldBytes',
      );
    }
    this.#count.addBytes(chunk.byteLength);
    return chunk;
  }

  /** Passes over what nobody has read: it still counts. */
  async skip(): Promise<void> {
    while ((await this.#next()) !== null);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) yield chunk;
  }

  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this) chunks.push(chunk);
    return concat(
      chunks,
      chunks.reduce((total, chunk) => total + chunk.byteLength, 0),
    );
  }

  async text(): Promise<string> {
    return decode(await this.bytes());
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const chunk = await this.#next();
          if (chunk === null) controller.close();
          else controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
  }
}

async function* urlencodedParts(environ: Environ, limits: Limits): AsyncGenerator<FormPart, void, undefined> {
  const most = Math.min(limits.maxFieldBytes, limits.maxBytes);
  const bytes = await environ['wsgi.input'].read(most === Number.POSITIVE_INFINITY ? undefined : Math.floor(most) + 1);
  if (bytes.byteLength > most) {
    const option = limits.maxBytes < limits.maxFieldBytes ? 'maxBytes' : 'maxFieldBytes';
    throw tooLarge('form has more bytes', most, option);
  }
  const count = new Count(limits);
  for (const [name, value] of parseForm(nativeFromBytes(bytes))) {
    count.addPart();
    yield new TextPart(name, value);
  }
}

/** A field of an urlencoded form. */
class TextPart implements FormPart {
  readonly name: string;
  readonly fileName: undefined = undefined;
  readonly contentType = 'text/plain';
  readonly headers: ReadonlyMap<string, string> = new Map();
  readonly #value: string;

  constructor(name: string, value: string) {
    this.name = name;
    this.#value = value;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#value !== '') yield encode(this.#value);
  }

  async bytes(): Promise<Uint8Array> {
    return encode(this.#value);
  }

  async text(): Promise<string> {
    return this.#value;
  }

  stream(): ReadableStream<Uint8Array> {
    return new Blob([this.#value]).stream() as ReadableStream<Uint8Array>;
  }
}
