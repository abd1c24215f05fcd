// A gateway response into a `node:http` response, at the client's pace.

import type { ServerResponse } from 'node:http';
import { checkHeaders } from '../../core/check.ts';
import type { GatewayResponse, ResponseBody } from '../../core/response.ts';
import type { HeaderList, ReadonlyHeaderList } from '../../core/types.ts';
import { breakOff } from './break-off.ts';
import { hasNodesMethods, isObserved, onDrain } from './neighbours.ts';
import { endAtOnce, isUntouched, writeFramed, writeThrough } from './one-write.ts';

/**
 * Sends a response. What it could not send is visible to the client as a broken connection.
 *
 * @param watched whether the gateway itself listens for the `close` of the response
 * @returns whether the response was untouched: nobody but the gateway could see how it was sent
 */
export function send(answer: GatewayResponse, response: ServerResponse, watched = false): boolean {
  const { body, headers } = answer;
  const isFree = isUntouched(response, watched);
  const isNodes = isFree || hasNodesMethods(response);
  const takesList = isFree || (isNodes && (!isObserved(response, watched) || !canBeSet(headers)));
  if (!takesList || response.getHeaderNames().length > 0 || !writesList(answer, response))
    prepareHead(answer, response);
  if (!Array.isArray(body)) {
    if (body.wantsHead) response.flushHeaders();
    new Sending(body, headers, response).go();
  } else if (answer.text !== undefined) {
    sendText(response, answer.text, isNodes, isFree);
  } else if (body.length !== 1) {
    for (const chunk of body) if (chunk.byteLength > 0) response.write(asBuffer(chunk));
    response.end();
  } else if (isNodes) {
    endWith(response, body[0] as Uint8Array, isFree);
  } else {
    response.end(asBuffer(body[0] as Uint8Array));
  }
  return isFree;
}

/** Sends a page in the place of what a hosted listener has prepared. */
export function sendPlain(page: GatewayResponse, response: ServerResponse): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  // Node takes no list of pairs for a response that has had headers set.
  for (const [name, value] of page.headers) response.setHeader(name, value);
  send(page, response);
}

/** Up to this many bytes a body goes out in one piece with the head. */
const SMALL_BODY = 16 * 1024;

/** From this many bytes on a copy of a chunk costs more than a system call of its own. */
const LARGE_CHUNK = 8 * 1024;

/** Takes any byte array, without a Buffer that would be made for this one call. Node's types do not list it. */
const latin1Slice = (
  Buffer.prototype as unknown as { latin1Slice(this: Uint8Array, start: number, end: number): string }
).latin1Slice;

/**
 * Node writes a head and a text in one piece, but a head and a byte array in two. The second write costs a third of a small
 * request. Read as Latin-1 every byte is one character, and comes out as the same byte.
 */
function endWith(response: ServerResponse, chunk: Uint8Array, isFree: boolean): void {
  const { byteLength } = chunk;
  if (byteLength > SMALL_BODY) {
    response.end(asBuffer(chunk));
    return;
  }
  endWithText(response, latin1Slice.call(chunk, 0, byteLength), isFree);
}

function endWithText(response: ServerResponse, text: string, isFree: boolean): void {
  if (isFree) endAtOnce(response, text);
  else response.end(text, 'latin1');
}

/** A text of ASCII, which is one byte in each character as it is. Other code than Node's gets bytes. */
function sendText(response: ServerResponse, text: string, isNodes: boolean, isFree: boolean): void {
  if (isNodes && text.length <= SMALL_BODY) endWithText(response, text, isFree);
  else response.end(Buffer.from(text, 'latin1'));
}

/** The same bytes in the one class of byte arrays that all middleware knows. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Whether headers that are set one by one go out as in the list: repeats of a name stand together, spelled alike. */
function canBeSet(headers: HeaderList): boolean {
  const names = new Set<string>();
  let last = '';
  for (const [name] of headers) {
    if (name === last) continue;
    last = name;
    const lower = name.toLowerCase();
    if (names.has(lower)) return false;
    names.add(lower);
  }
  return true;
}

/** Node keeps order, case and repeats of a list of pairs; but it refuses one once a header was set, even if it was removed. */
function writesList({ statusCode, reason, headers }: GatewayResponse, response: ServerResponse): boolean {
  try {
    response.writeHead(statusCode, reason, headers as unknown as string[]);
    return true;
  } catch {
    // The gateway has checked the list. Should it be anything else, the next attempt fails likewise.
    return false;
  }
}

/**
 * Prepares a head in the way that all middleware knows: headers that are set, and a status. Node itself then writes it
 * ahead of the body, by the `writeHead` that the response has then.
 */
function prepareHead({ statusCode, reason, headers }: GatewayResponse, response: ServerResponse): void {
  for (const [name, values] of grouped(headers)) response.setHeader(name, withEarlier(name, values, response));
  response.statusCode = statusCode;
  // HTTP/2 has no reason; Node warns of one.
  if (isHttp2(response)) return;
  response.statusMessage = reason;
  // Where nothing is said, Node has a reason of its own.
  if (reason === '') response.writeHead(statusCode, reason);
}

/** Headers that add to those of the same name that other code has set before. */
const ADDING_UP = /^(?:set-cookie|vary)$/i;

function withEarlier(name: string, values: string | string[], response: ServerResponse): string | string[] {
  if (!ADDING_UP.test(name)) return values;
  const earlier = response.getHeader(name);
  return earlier === undefined ? values : [earlier, values].flat().map(String);
}

/** Repeats gathered under the first spelling of their name. */
export function grouped(headers: HeaderList): Iterable<[name: string, values: string | string[]]> {
  const groups = new Map<string, [string, string | string[]]>();
  for (const [name, value] of headers) {
    const group = groups.get(name.toLowerCase());
    if (group === undefined) groups.set(name.toLowerCase(), [name, value]);
    else if (typeof group[1] === 'string') group[1] = [group[1], value];
    else group[1].push(value);
  }
  return groups.values();
}

/** An imitation of a response may not know its request. */
function isHttp2(response: ServerResponse): boolean {
  return ((response as Partial<ServerResponse>).req?.httpVersionMajor ?? 1) > 1;
}

/** `waygate.early_hints`. (RFC 8297) */
export function sendEarlyHints(response: ServerResponse, headers: ReadonlyHeaderList): void {
  // Without a prototype: `constructor` and `__proto__` are legal header names.
  const hints: Record<string, string[]> = Object.create(null);
  for (const [name, value] of checkHeaders(headers).headers) {
    const lower = name.toLowerCase();
    // The length of the response to come: an informational one has no content. (RFC 9110 §8.6)
    if (lower === 'content-length') continue;
    hints[lower] ??= [];
    hints[lower].push(value);
  }
  // A response that waits for its turn has no place for hints yet, and they would be late by then. (RFC 9110 §15.2)
  if (response.socket !== null && !response.headersSent && !response.destroyed) response.writeEarlyHints(hints);
}

/** A body on its way: the next chunk is asked for when the connection has room for it. (BODY-02) */
class Sending {
  readonly #body: ResponseBody;
  readonly #headers: HeaderList;
  readonly #response: ServerResponse;
  /** There is one listener for `drain`, however often it is waited for. */
  #hears = false;
  /** One more, past middleware that passes the listeners of the response on to a stream of its own. */
  #hearsNode = false;
  #waits = false;

  constructor(body: ResponseBody, headers: HeaderList, response: ServerResponse) {
    this.#body = body;
    this.#headers = headers;
    this.#response = response;
  }

  go = (): void => {
    try {
      for (;;) {
        const chunk = this.#body.next();
        if (chunk instanceof Promise) {
          chunk.then(this.#take, this.#break);
          return;
        }
        if (!this.#write(chunk)) return;
      }
    } catch (error) {
      this.#break(error);
    }
  };

  #take = (chunk: Uint8Array | null): void => {
    try {
      if (this.#write(chunk)) this.go();
    } catch (error) {
      this.#break(error);
    }
  };

  #taken = (error?: Error | null): void => {
    if (!error) this.go();
  };

  #drained = (): void => {
    if (!this.#waits) return;
    this.#waits = false;
    this.go();
  };

  /** Whether there is room for more. */
  #write(chunk: Uint8Array | null): boolean {
    const response = this.#response;
    if (response.destroyed) return false;
    if (chunk === null) {
      response.end();
      return false;
    }
    const isFree = isUntouched(response, true);
    if (isFree && chunk.byteLength >= LARGE_CHUNK) {
      writeThrough(response, asBuffer(chunk), this.#taken);
      return false;
    }
    // Node may still hold the chunk when the application already fills its buffer anew. (BODY-08)
    const room: unknown = isFree ? writeFramed(response, chunk) : response.write(Buffer.from(chunk));
    if (room === true) return true;
    // Only false asks to wait. A write that middleware has replaced often returns nothing: then Node's own response is asked.
    if (room !== false && !response.writableNeedDrain) return true;
    this.#waits = true;
    if (room !== false) {
      if (!this.#hearsNode) onDrain(response, this.#drained);
      this.#hearsNode = true;
    } else {
      if (!this.#hears) response.on('drain', this.#drained);
      this.#hears = true;
    }
    return false;
  }

  /** The body failed. What went out stays, the end is missing: the client must notice. (ERR-04) */
  #break = (_error: unknown): void => {
    breakOff(this.#response, this.#headers);
  };
}
