// The `Response` of a Fetch handler, given to the gateway.

import { isHopByHop } from '../../core/check.ts';
import { describe, RequestError } from '../../core/errors.ts';
import { reasonPhrase } from '../../core/status.ts';
import { encodeWsgi } from '../../core/strings.ts';
import type { Body, Environ, HeaderList, StartResponse } from '../../core/types.ts';
import { bytesInMemory } from './response-bytes.ts';

/**
 * Checks that a handler's answer can be sent. Any object of the shape will do: a `Response` may come from another realm
 * or another implementation.
 *
 * @throws {TypeError} for anything that is no response, for `Response.error()`, and for a body that is used or locked
 */
export function checkResponse(answer: unknown): Response {
  const response = answer as Response | null | undefined;
  if (typeof response !== 'object' || response === null || typeof response.headers?.get !== 'function') {
    throw new TypeError(`The handler returned ${describe(answer)}; expected a Response.`);
  }
  if (response.status === 0) {
    throw new TypeError('The handler returned Response.error(), which stands for a failed fetch and cannot be sent.');
  }
  if (response.bodyUsed || response.body?.locked) {
    throw new TypeError(
      'The handler returned a Response whose body is used or locked already; return response.clone(), or a new Response.',
    );
  }
  return response;
}

/**
 * Starts the response and returns its body: the handler's own stream, which is read at the platform's pace and cancelled
 * when the client leaves.
 *
 * @param response a response that {@link checkResponse} has passed
 */
export function respond(response: Response, environ: Environ, startResponse: StartResponse): Body {
  const { status, body } = response;
  if (status === 101) {
    body?.cancel().catch(() => {});
    throw new RequestError(
      501,
      `The handler upgraded to a WebSocket, which the gateway ${JSON.stringify(environ['waygate.gateway'])} cannot pass on.`,
    );
  }
  startResponse(`${status} ${reason(response)}`, headerList(response));
  if (body === null) return [];
  const bytes = bytesInMemory(response);
  return bytes === null ? body : [bytes];
}

/** A reason phrase may hold a tab and border on blanks in Fetch, but not in a status line that reads the same everywhere. */
function reason(response: Response): string {
  return response.statusText.replaceAll('\t', ' ').replace(/^ +| +$/g, '') || reasonPhrase(response.status);
}

/**
 * The headers in order, each cookie by itself. Left out is what only a response that came over another connection can
 * have: hop-by-hop headers, what `Connection` names, and, since `fetch` has decoded the body, its coding and length.
 */
function headerList(response: Response): HeaderList {
  const { headers } = response;
  const list: HeaderList = [];
  let dropped: Set<string> | null = null;
  let cookies = false;
  headers.forEach((value, name) => {
    if (name === 'connection') {
      dropped = new Set(value.split(',').map((each) => each.trim().toLowerCase()));
    } else if (name === 'content-encoding' && wasDecoded(response, value)) {
      dropped = new Set([...(dropped ?? []), name, 'content-length']);
    } else if (name === 'set-cookie' && typeof headers.getSetCookie === 'function') {
      // Some runtimes show all cookies as one here, where no comma tells them apart.
      if (!cookies) for (const cookie of headers.getSetCookie()) list.push([name, native(cookie)]);
      cookies = true;
    } else if (!isHopByHop(name)) {
      list.push([name, native(value)]);
    }
  });
  return dropped === null ? list : list.filter(([name]) => !(dropped as Set<string>).has(name));
}

/** A header value is bytes by the standard; a platform that takes any text means UTF-8. */
function native(value: string): string {
  return /[^\x00-\xff]/.test(value) ? encodeWsgi(value) : value;
}

/** The codings that every `fetch` undoes while it leaves the headers as they were. (Fetch standard, HTTP-network fetch) */
const CODINGS = /^(?:x-gzip|gzip|deflate|br)$/;

function wasDecoded(response: Response, coding: string): boolean {
  // Only a response of `fetch` itself has a URL.
  if (!response.url || response.body === null) return false;
  return coding.split(',').every((each) => CODINGS.test(each.trim().toLowerCase()));
}
