// `multipart/form-data`, read part by part as it comes. (RFC 7578, RFC 2046 §5.1, WHATWG HTML §4.10.21.8)
//
// Waygate has its own parser for a reason: those that run on every platform gather each part in memory. The one that does
// not needs Node's streams.

import { decode, EMPTY } from './bytes.ts';
import { isToken } from './check.ts';
import { BadRequestError, RequestError } from './errors.ts';
import { gatewayInput } from './input-base.ts';
import { trimBlanks } from './strings.ts';
import type { InputStream } from './types.ts';

/** What a part says of itself. */
export interface PartHead {
  /** The name of the field. */
  name: string;
  /** The name that the client gave to the file; undefined for a field that is none. */
  fileName: string | undefined;
  /** All headers of the part, by name in lower case. */
  headers: ReadonlyMap<string, string>;
}

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const BLOCK = 16_384;

/** Reads the parts in order: {@link head}, then {@link chunk} until it gives null, and again. */
export class MultipartReader {
  readonly #input: InputStream;
  /** The line end, two dashes and the boundary that end a part. */
  readonly #delimiter: Uint8Array;
  readonly #maxHeaderBytes: number;
  /** What was read and is not used yet, from #at on. */
  #buffer: Uint8Array = EMPTY;
  #at = 0;
  #begun = false;
  #inPart = false;
  #isOver = false;

  /**
   * @param input the request body
   * @param boundary what stands between the parts
   * @param maxHeaderBytes the most bytes that the headers of one part may have
   */
  constructor(input: InputStream, boundary: string, maxHeaderBytes: number) {
    this.#input = input;
    this.#delimiter = Uint8Array.from(`\r\n--${boundary}`, (unit) => unit.charCodeAt(0));
    this.#maxHeaderBytes = maxHeaderBytes;
  }

  /**
   * The next part, or null after the last one. What is left of the part before is passed over.
   *
   * @throws {BadRequestError} for a body that is not what its type says
   * @throws {RequestError} 413 for headers beyond the limit
   */
  async head(): Promise<PartHead | null> {
    if (!this.#begun) await this.#begin();
    while (this.#inPart) await this.chunk();
    if (this.#isOver) return null;
    if (!(await this.#endDelimiter())) {
      this.#isOver = true;
      return null;
    }
    const head = parseHead(await this.#headerBytes());
    this.#inPart = true;
    return head;
  }

  /** The next bytes of the part, or null at its end. */
  async chunk(): Promise<Uint8Array | null> {
    while (this.#inPart) {
      const end = this.#find(this.#at);
      if (end === this.#at) {
        this.#at += this.#delimiter.byteLength;
        this.#inPart = false;
        return null;
      }
      // The end of what is there may be the beginning of the delimiter.
      const safe = end === -1 ? this.#buffer.byteLength - this.#delimiter.byteLength + 1 : end;
      if (safe > this.#at) {
        const chunk = this.#buffer.subarray(this.#at, safe);
        this.#at = safe;
        return chunk;
      }
      await this.#fill('in the middle of a part');
    }
    return null;
  }

  /** Passes over what stands before the first delimiter, which may be at the very start. */
  async #begin(): Promise<void> {
    this.#begun = true;
    this.#buffer = Uint8Array.of(CR, LF);
    for (;;) {
      const found = this.#find(this.#at);
      if (found !== -1) {
        this.#at = found + this.#delimiter.byteLength;
        return;
      }
      this.#at = Math.max(this.#at, this.#buffer.byteLength - this.#delimiter.byteLength + 1);
      await this.#fill('before its first boundary');
    }
  }

  /** What follows a boundary: a line end, or two dashes at the end of all. Returns whether a part follows. */
  async #endDelimiter(): Promise<boolean> {
    for (;;) {
      while (this.#buffer.byteLength - this.#at < 2) await this.#fill('behind a boundary');
      const [first, second] = [this.#buffer[this.#at], this.#buffer[this.#at + 1]];
      if (first === DASH && second === DASH) return false;
      if (first === CR && second === LF) {
        this.#at += 2;
        return true;
      }
      // Blanks may stand there. (RFC 2046 §5.1.1)
      if (first !== 0x20 && first !== 0x09) throw new BadRequestError('The form has something behind a boundary.');
      this.#at++;
    }
  }

  /** The headers of a part, without the empty line that ends them. */
  async #headerBytes(): Promise<Uint8Array> {
    for (let from = this.#at; ; ) {
      const { byteLength } = this.#buffer;
      const isEmpty = this.#buffer[this.#at] === CR && this.#buffer[this.#at + 1] === LF;
      const end = isEmpty ? this.#at - 2 : indexOfEmptyLine(this.#buffer, from);
      if (end !== -1 && end - this.#at <= this.#maxHeaderBytes) {
        const bytes = this.#buffer.subarray(this.#at, Math.max(end, this.#at));
        this.#at = end + 4;
        return bytes;
      }
      if (end !== -1 || byteLength - this.#at > this.#maxHeaderBytes)
        throw new RequestError(413, `The headers of a part are larger than the ${this.#maxHeaderBytes} bytes allowed.`);
      const seen = byteLength - this.#at;
      await this.#fill('in the headers of a part');
      from = this.#at + Math.max(0, seen - 3);
    }
  }

  /** Where the delimiter begins, or -1. */
  #find(from: number): number {
    const [buffer, delimiter] = [this.#buffer, this.#delimiter];
    const last = buffer.byteLength - delimiter.byteLength;
    for (let at = buffer.indexOf(CR, from); at !== -1 && at <= last; at = buffer.indexOf(CR, at + 1)) {
      let same = 1;
      while (same < delimiter.byteLength && buffer[at + same] === delimiter[same]) same++;
      if (same === delimiter.byteLength) return at;
    }
    return -1;
  }

  async #fill(where: string): Promise<void> {
    // A gateway's own input gives what has come, and waits for no more.
    const own = gatewayInput(this.#input);
    const chunk = own === null ? await this.#input.read(BLOCK) : await own.pull();
    if (chunk === null || chunk.byteLength === 0) throw new BadRequestError(`The form ended ${where}.`);
    const rest = this.#buffer.subarray(this.#at);
    const joined = new Uint8Array(rest.byteLength + chunk.byteLength);
    joined.set(rest);
    joined.set(chunk, rest.byteLength);
    this.#buffer = joined;
    this.#at = 0;
  }
}

function indexOfEmptyLine(buffer: Uint8Array, from: number): number {
  for (let at = buffer.indexOf(CR, from); at !== -1; at = buffer.indexOf(CR, at + 1))
    if (buffer[at + 1] === LF && buffer[at + 2] === CR && buffer[at + 3] === LF) return at;
  return -1;
}

function parseHead(bytes: Uint8Array): PartHead {
  const headers = new Map<string, string>();
  // Names are UTF-8, as browsers send them. (RFC 7578 §5.1)
  const text = decode(bytes);
  for (const line of text === '' ? [] : text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!isToken(name)) throw new BadRequestError('A part of the form has a malformed header.');
    headers.set(name.toLowerCase(), trimBlanks(line.slice(colon + 1)));
  }
  const disposition = parseParameters(headers.get('content-disposition') ?? '');
  const name = disposition?.parameters.get('name');
  if (disposition?.value !== 'form-data' || name === undefined)
    throw new BadRequestError('A part of the form has no Content-Disposition: form-data with a name.');
  const fileName = disposition.parameters.get('filename');
  return { name: unescapeName(name), fileName: fileName === undefined ? undefined : unescapeName(fileName), headers };
}

/** Browsers escape three characters in names, and nothing else. (WHATWG HTML §4.10.21.8) */
function unescapeName(name: string): string {
  return name.replace(/%(?:22|0D|0A)/gi, decodeURIComponent);
}

/**
 * A header value with parameters: `form-data; name="a"; filename=b`.
 *
 * @returns the value in lower case, and the parameters by name in lower case, the first of each; null where it is malformed
 */
export function parseParameters(text: string): { value: string; parameters: ReadonlyMap<string, string> } | null {
  const parameters = new Map<string, string>();
  const semicolon = text.indexOf(';');
  const value = trimBlanks(semicolon === -1 ? text : text.slice(0, semicolon)).toLowerCase();
  // Each parameter starts where the one before ended.
  const parameter = /;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))[ \t]*)?/sy;
  parameter.lastIndex = semicolon === -1 ? text.length : semicolon;
  while (parameter.lastIndex < text.length) {
    const found = parameter.exec(text);
    if (found === null) return null;
    const [, name, quoted, plain] = found;
    if (name === undefined || parameters.has(name.toLowerCase())) continue;
    // Only a quote and a backslash are escaped: old clients send `C:\dir\file` as it is.
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(["\\])/g, '$1') ?? plain ?? '');
  }
  return { value, parameters };
}
