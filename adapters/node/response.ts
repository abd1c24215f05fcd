// A gateway response into a `node:http` response, at the client's pace.

import type { ServerResponse } from 'node:http';
import type { GatewayResponse, ResponseBody } from '../../core/response.ts';
import type { HeaderList } from '../../core/types.ts';

/** Sends a response. What it could not send is visible to the client as a broken connection. */
export function send(answer: GatewayResponse, response: ServerResponse): void {
  const { body } = answer;
  writeHead(answer, response);
  if (!Array.isArray(body)) {
    if (body.flushed) response.flushHeaders();
    new Sending(body, answer.headers, response).go();
  } else if (body.length === 1) {
    endWith(response, body[0] as Uint8Array);
  } else {
    for (const chunk of body) if (chunk.byteLength > 0) response.write(chunk);
    response.end();
  }
}

/** Up to this many bytes a body goes out in one piece with the head. */
const SMALL_BODY = 16 * 1024;

/** Takes any byte array, without a Buffer that would be made for this one call. Node's types do not list it. */
const latin1Slice = (
  Buffer.prototype as unknown as { latin1Slice(this: Uint8Array, start: number, end: number): string }
).latin1Slice;

/**
 * Node writes a head and a text in one piece, but a head and a byte array in two, which costs a third of a small request.
 * Read as Latin-1 every byte is one character, and comes out as the same byte.
 */
function endWith(response: ServerResponse, chunk: Uint8Array): void {
  const { byteLength } = chunk;
  if (byteLength > SMALL_BODY) response.end(chunk);
  else response.end(latin1Slice.call(chunk, 0, byteLength), 'latin1');
}

function writeHead({ statusCode, reason, headers }: GatewayResponse, response: ServerResponse): void {
  if (response.req.httpVersionMajor > 1) {
    setHeaders(headers, response);
    response.writeHead(statusCode);
  } else if (response.getHeaderNames().length > 0 || !writesList(statusCode, reason, headers, response)) {
    // Whoever called this listener has set headers already, as Express does.
    setHeaders(headers, response);
    response.writeHead(statusCode, reason);
  }
}

/** Node keeps order, case and repeats of a list of pairs; but it refuses one once a header was set, even if it was removed. */
function writesList(statusCode: number, reason: string, headers: HeaderList, response: ServerResponse): boolean {
  try {
    response.writeHead(statusCode, reason, headers as unknown as string[]);
    return true;
  } catch {
    // The gateway has checked the list. Should it be anything else, the next attempt fails likewise.
    return false;
  }
}

function setHeaders(headers: HeaderList, response: ServerResponse): void {
  for (const [name, values] of grouped(headers)) response.setHeader(name, values);
}

/** Repeats gathered under the first spelling of their name. */
function grouped(headers: HeaderList): Iterable<[name: string, values: string | string[]]> {
  const groups = new Map<string, [string, string | string[]]>();
  for (const [name, value] of headers) {
    const group = groups.get(name.toLowerCase());
    if (group === undefined) groups.set(name.toLowerCase(), [name, value]);
    else group[1] = [group[1], value].flat();
  }
  return groups.values();
}

/** A body on its way: the next chunk is asked for when the connection has room for it. (BODY-02) */
class Sending {
  readonly #body: ResponseBody;
  readonly #headers: HeaderList;
  readonly #response: ServerResponse;

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
    if (this.#write(chunk)) this.go();
  };

  /** Whether there is room for more. */
  #write(chunk: Uint8Array | null): boolean {
    const response = this.#response;
    if (response.destroyed) return false;
    if (chunk === null) {
      response.end();
      return false;
    }
    // Node may still hold the chunk when the application already fills its buffer anew. (BODY-08)
    if (response.write(Buffer.from(chunk))) return true;
    response.once('drain', this.go);
    return false;
  }

  /** The body failed. What went out stays, the end is missing: the client must notice. (ERR-04) */
  #break = (_error: unknown): void => {
    breakOff(this.#response, this.#headers);
  };
}

/** Breaks a response off so that no client can take it for complete. */
export function breakOff(response: ServerResponse, headers: HeaderList): void {
  const stream = (response as { stream?: { close(code: number): void } }).stream;
  const { socket } = response;
  if (response.req.httpVersionMajor > 1 && stream !== undefined)
    stream.close(2); // INTERNAL_ERROR, RFC 9113 §7
  else if (socket === null) response.destroy();
  // Where the end of the connection is the end of the body, only a reset tells the two apart. (RFC 9112 §6.3)
  else if (endsWithConnection(response, headers)) socket.resetAndDestroy();
  // Node 26 keeps what was written until the next tick: a socket that ends before would lose it.
  else process.nextTick(() => socket.destroySoon());
}

function endsWithConnection(response: ServerResponse, headers: HeaderList): boolean {
  if (!response.headersSent || response.chunkedEncoding) return false;
  return !headers.some(([name]) => name.toLowerCase() === 'content-length');
}
