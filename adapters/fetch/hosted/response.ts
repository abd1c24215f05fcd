// The `Response` of a Fetch handler, given to the gateway.

import { isHopByHop } from '../../../core/check.ts';
import type { DirectAnswer } from '../../../core/direct-app.ts';
import { describe, RequestError } from '../../../core/errors.ts';
import { reasonPhrase } from '../../../core/status.ts';
import { encode, encodeWsgi, trimBlanks } from '../../../core/strings.ts';
import type { ApplicationBody, Environ, HeaderList, StartResponse } from '../../../core/types.ts';
import { cancelBody, webStream } from '../foreign-body.ts';
import { type LightParts, lightMode } from '../light/mode.ts';
import { isEncodedByWorkerd, peek, wasDecodedByFetch } from './coded-body.ts';
import { whatIsReady } from './ready.ts';
import { bytesInMemory, knownLength } from './response-bytes.ts';

/**
 * Checks that a handler's answer can be sent. Any object of the shape will do: a `Response` may come from another realm
 * or another implementation.
 *
 * @throws {TypeError} for anything that is not a response, for `Response.error()`, and for a body that is used or locked
 */
export function checkResponse(answer: unknown): Response {
  const response = answer as Response | null | undefined;
  if (typeof response === 'object' && response !== null && lightMode()?.isUnread(response)) return response;
  if (typeof response !== 'object' || response === null || typeof response.headers?.get !== 'function') {
    throw new TypeError(`The handler returned ${describe(answer)}; expected a Response.`);
  }
  if (response.status === 0) {
    throw new TypeError('The handler returned Response.error(), which means a failed fetch and cannot be sent.');
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
 * @param isLive whether its stream is that of an application inside, which is asked for one chunk at a time
 * @returns a promise where a stream is read ahead: for what is ready at once, or to see whether its label is true
 */
export function respond(
  response: Response,
  environ: Environ,
  startResponse: StartResponse,
  isLive = false,
): ApplicationBody | Promise<ApplicationBody> {
  const light = lightMode();
  const parts = light?.parts(response) ?? null;
  if (parts !== null) return respondLightly(response, parts, startResponse);
  const { status } = response;
  if (status === 101) {
    cancelBody(response);
    throw new RequestError(
      501,
      `The handler upgraded to a WebSocket, which the gateway ${JSON.stringify(environ['waygate.gateway'])} cannot pass on.`,
    );
  }
  const line = `${status} ${reason(response)}`;
  // A response of another make may have no body by leaving it out.
  const body = (response.body as unknown) ?? null;
  const coding = body === null ? null : response.headers.get('content-encoding');
  const isPlain = coding === null ? false : isWithoutCoding(response, coding, environ);
  if (isPlain === null) {
    return peek(webStream(body, 'Response'), coding as string).then((peeked) => {
      startResponse(line, headerList(response, !peeked.isCoded));
      return asBody(peeked.body, environ, isLive);
    });
  }
  const inner = light === null ? response : light.inner(response);
  const bytes = body === null ? null : bytesInMemory(inner);
  const headers = headerList(response, isPlain);
  if (body === null || bytes !== null) {
    startResponse(line, headers);
    return bytes === null ? [] : [bytes];
  }
  const stream = webStream(body, 'Response');
  const length = isOnFetch(environ) ? null : knownLength(inner);
  if (length !== null && !headers.some(([name]) => name === 'content-length')) {
    headers.push(['content-length', String(length)]);
  }
  startResponse(line, headers);
  return asBody(stream, environ, isLive);
}

/**
 * The answer of a handler where all of it is known to be in memory.
 *
 * @returns null for any other, and for one that needs more than {@link respond} does for such an answer
 * @throws {TypeError} as {@link checkResponse}
 */
export function responseInMemory(answer: unknown): DirectAnswer | null {
  const light = lightMode();
  const parts = typeof answer === 'object' && answer !== null ? light?.parts(answer) : null;
  if (parts) {
    const { status, statusText, headers, body } = parts;
    return { status, reason: statusText === '' ? reasonPhrase(status) : reason(answer as Response), headers, body };
  }
  const response = checkResponse(answer);
  const { status } = response;
  const body = (response.body as unknown) ?? null;
  if (status === 101 || (body !== null && response.headers.get('content-encoding') !== null)) return null;
  const bytes = body === null ? null : bytesInMemory(light === null ? response : light.inner(response));
  if (body !== null && bytes === null) return null;
  return { status, reason: reason(response), headers: headerList(response, false), body: bytes };
}

/** The same for one whose body never was a stream. */
function respondLightly(response: Response, parts: LightParts, startResponse: StartResponse): ApplicationBody {
  const { status, statusText, headers, body } = parts;
  const phrase = statusText === '' ? reasonPhrase(status) : reason(response);
  startResponse(`${status} ${phrase}`, headers.some(isOfConnection) ? headerList(response, false) : headers);
  if (body === null) return [];
  return [typeof body === 'string' ? encode(body) : body];
}

function isOfConnection([name]: [name: string, value: string]): boolean {
  return isHopByHop(name);
}

/** On a Fetch platform a stream goes out as it is, after the head. On all others a head waits for its first chunk. */
function asBody(
  stream: ReadableStream<Uint8Array>,
  environ: Environ,
  isLive: boolean,
): ApplicationBody | Promise<ApplicationBody> {
  if (isOnFetch(environ)) return stream;
  return isLive ? whatIsReady(stream, 0) : whatIsReady(stream);
}

function isOnFetch(environ: Environ): boolean {
  return environ['fetch.request'] !== undefined;
}

/** Whether a body is not in the coding that its label names; null where only its bytes show it. */
function isWithoutCoding(response: Response, coding: string, environ: Environ): boolean | null {
  // Only a response of `fetch` itself has a URL.
  if (response.url) return wasDecodedByFetch(coding);
  return environ['waygate.gateway'] === 'cloudflare-workers' && isEncodedByWorkerd(coding) ? null : false;
}

/** A reason phrase may hold a tab and border on blanks in Fetch, but not in a status line that reads the same everywhere. */
function reason(response: Response): string {
  // A response of another make may have none.
  return trimBlanks((response.statusText ?? '').replaceAll('\t', ' ')) || reasonPhrase(response.status);
}

/**
 * The headers in order, each cookie by itself. Headers of another connection are left out: hop-by-hop headers, and what
 * `Connection` names. So are coding and length where the body was decoded since.
 */
function headerList(response: Response, isPlain: boolean): HeaderList {
  const { headers } = response;
  const list: HeaderList = [];
  let dropped: Set<string> | null = null;
  let cookies = false;
  headers.forEach((value, name) => {
    if (name === 'connection') {
      dropped = new Set([...(dropped ?? []), ...value.split(',').map((each) => each.trim().toLowerCase())]);
    } else if (name === 'content-encoding' && isPlain) {
      dropped = new Set([...(dropped ?? []), name, 'content-length']);
    } else if (name === 'set-cookie') {
      // Some runtimes show each cookie by itself here, others all as one.
      if (!cookies) for (const cookie of cookiesOf(headers, value)) list.push([name, native(cookie)]);
      cookies = true;
    } else if (!isHopByHop(name)) {
      list.push([name, native(value)]);
    }
  });
  return dropped === null ? list : list.filter(([name]) => !(dropped as Set<string>).has(name));
}

/** Each cookie by itself, also of a `Headers` that came before `getSetCookie`, node-fetch's for one. */
function cookiesOf(headers: Headers & { raw?(): Record<string, string[]> }, joined: string): string[] {
  if (typeof headers.getSetCookie === 'function') return headers.getSetCookie();
  if (typeof headers.raw === 'function') {
    const lists = Object.entries(headers.raw()).filter(([name]) => name.toLowerCase() === 'set-cookie');
    return lists.flatMap(([, cookies]) => cookies);
  }
  // A comma that ends a cookie has the name of the next one behind it; the comma of a date has a day.
  return joined.split(/,(?= *[!#$%&'*+\-.^_`|~0-9A-Za-z]+=)/).map((cookie) => cookie.trim());
}

/** A header value is bytes by the standard; a platform that takes any text means UTF-8. */
function native(value: string): string {
  return /[^\x00-\xff]/.test(value) ? encodeWsgi(value) : value;
}
