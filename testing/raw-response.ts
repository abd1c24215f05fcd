// Reads HTTP/1.1 responses as they came over a socket, without forgiving anything. (RFC 9112 §6)

import { trimBlanks } from '../core/strings.ts';
import { fail } from './assert.ts';

/** One response. All strings have one character per byte. */
export interface RawResponse {
  /** `HTTP/1.1 200 OK` */
  statusLine: string;
  status: number;
  /** In the order, the case and the number in which they came. */
  headers: [name: string, value: string][];
  /** Without chunked framing. */
  body: string;
  /** Whether the body came to the end that its framing announced. */
  complete: boolean;
}

/**
 * @param received everything that came on a connection
 * @param request what was sent: the response to a HEAD has no body
 * @returns the final responses in order, informational ones left out
 */
export function parseResponse(received: string, request: string): RawResponse[] {
  const methods = request.match(/^[^\s]+(?= [^\s]+ HTTP\/1\.[01]\r$)/gm) ?? [];
  const responses: RawResponse[] = [];
  let rest = received;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) fail(`expected a response head, saw ${JSON.stringify(rest.slice(0, 200))}`);
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.[01] ([1-5][0-9]{2}) /.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) fail(`expected a status line, saw ${JSON.stringify(statusLine)}`);
    rest = rest.slice(end + 4);
    if (status < 200) continue;
    const headers = lines.map(parseHeader);
    const bodiless = methods[responses.length] === 'HEAD' || status === 204 || status === 304;
    const content = bodiless ? { body: '', complete: true, length: 0 } : parseBody(rest, headers);
    responses.push({ statusLine, status, headers, body: content.body, complete: content.complete });
    rest = rest.slice(content.length);
  }
  return responses;
}

/** The values of a header, in order. */
export function valuesOf(response: RawResponse, name: string): string[] {
  return response.headers.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

function parseHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  if (colon < 1) fail(`expected a header line, saw ${JSON.stringify(line)}`);
  return [line.slice(0, colon), trimBlanks(line.slice(colon + 1))];
}

function parseBody(rest: string, headers: [string, string][]): { body: string; complete: boolean; length: number } {
  const value = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  if (value('transfer-encoding') !== undefined) return parseChunks(rest);
  const declared = value('content-length');
  if (declared === undefined) return { body: rest, complete: true, length: rest.length };
  const body = rest.slice(0, Number(declared));
  return { body, complete: body.length === Number(declared), length: body.length };
}

function parseChunks(rest: string): { body: string; complete: boolean; length: number } {
  let body = '';
  let at = 0;
  for (;;) {
    const size = /^([0-9a-fA-F]+)\r\n/.exec(rest.slice(at, at + 20));
    if (size === null) return { body, complete: false, length: rest.length };
    const length = Number.parseInt(size[1] as string, 16);
    at += size[0].length;
    body += rest.slice(at, at + length);
    at += length + 2;
    if (length === 0) return { body, complete: true, length: at };
  }
}
