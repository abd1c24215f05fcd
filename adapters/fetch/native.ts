// A Fetch app on a Fetch platform: while nothing between has changed the request, the handler gets the platform's own
// Request; and while nothing has touched the response either, the platform gets the handler's own Response.

import { BodyReader } from '../../core/body.ts';
import { headerKey, type Settings } from '../../core/environ.ts';
import { ClientDisconnectedError } from '../../core/errors.ts';
import { carried } from '../../core/lazy.ts';
import type { Body, Environ, StartResponse } from '../../core/types.ts';
import type { FetchCall, FetchFacts } from './environ.ts';
import { checkResponse } from './hosted-response.ts';

/** What a Fetch gateway carries on its environs: the request as it came, to tell whether environ still says the same. */
export class SentRequest {
  readonly #request: Request;
  readonly #facts: FetchFacts;
  readonly #settings: Settings;
  readonly #sent: unknown[];

  /** @param environ the environ as it was made of the request, before an application saw it */
  constructor(call: FetchCall, facts: FetchFacts, settings: Settings, environ: Environ) {
    this.#request = call.request;
    this.#facts = facts;
    this.#settings = settings;
    this.#sent = SHOWN.map((key) => environ[key]);
  }

  /** The request, while environ still shows it as it is; else null. */
  shownBy(environ: Environ): Request | null {
    const request = this.#request;
    // Under a mount prefix the handler sees another URL.
    if (environ.SCRIPT_NAME !== '') return null;
    for (let at = 0; at < SHOWN.length; at++) if (environ[SHOWN[at] as string] !== this.#sent[at]) return null;
    if (!this.#sameHeaders(environ)) return null;
    // What was read from wsgi.input is gone from the request; and only wsgi.input knows how much is allowed.
    const body = request.body as ReadableStream<Uint8Array> | null | undefined;
    if (!body) return request;
    return request.bodyUsed || body.locked || this.#settings.maxBodyBytes !== Number.POSITIVE_INFINITY ? null : request;
  }

  #sameHeaders(environ: Environ): boolean {
    let unseen = 0;
    for (const key in environ) if (key.startsWith('HTTP_') && key !== 'HTTP_HOST') unseen++;
    let same = true;
    this.#request.headers.forEach((value, name) => {
      const key = headerKey(name);
      if (!key.startsWith('HTTP_') || key === 'HTTP_HOST') return;
      unseen--;
      if (environ[key] !== this.#facts.headerValue(value)) same = false;
    });
    return same && unseen === 0;
  }
}

/** The keys, besides the headers, that a request shows or that its handler's arguments are made of. */
const SHOWN = [
  'REQUEST_METHOD',
  'PATH_INFO',
  'QUERY_STRING',
  'REQUEST_URI',
  'SERVER_NAME',
  'SERVER_PORT',
  'HTTP_HOST',
  'CONTENT_TYPE',
  'CONTENT_LENGTH',
  'wsgi.url_scheme',
  'wsgi.input',
  'waygate.wait_until',
  'fetch.request',
] as const;

/** What an environ carries that comes from a Fetch gateway. */
export interface CarriesRequest {
  /** See {@link SentRequest.shownBy}. */
  originalRequest(environ: Environ): Request | null;
}

/**
 * The platform's own request where a handler may have it: this very environ was made by a Fetch gateway, and nothing that
 * the request shows has changed since. A copy of an environ has none.
 */
export function originalRequest(environ: Environ): Request | null {
  const state = carried(environ) as Partial<CarriesRequest> | undefined;
  return state?.originalRequest?.(environ) ?? null;
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
const ignore = (): void => {};

/**
 * The body of a response whose handler has not been called yet. Handed back to the gateway as it is, the handler's
 * response becomes the platform's; iterated by anything else, the handler runs then, and starts the response.
 */
export class PendingBody implements AsyncIterableIterator<Uint8Array> {
  readonly #call: () => unknown;
  readonly #respond: (response: Response) => Body;
  readonly #startResponse: StartResponse;
  #called = false;
  #reader: BodyReader | null = null;
  #closed = false;

  /**
   * @param call calls the handler
   * @param respond starts the response and returns its body
   */
  constructor(call: () => unknown, respond: (response: Response) => Body, startResponse: StartResponse) {
    this.#call = call;
    this.#respond = respond;
    this.#startResponse = startResponse;
  }

  /**
   * Gives the call of the handler to a gateway that gets the body untouched: made with the gateway's own
   * `startResponse`, and nobody has begun to read it. (EXT-02)
   *
   * @returns the call, whose result is to be checked by {@link checkResponse}; or null
   */
  static native(body: unknown, startResponse: StartResponse): (() => unknown) | null {
    if (typeof body !== 'object' || body === null || !(#call in body)) return null;
    if (body.#startResponse !== startResponse || body.#called || body.#closed) return null;
    // Whatever a middleware has put on the object, a close() of its own for one, must have its effect.
    return Object.keys(body).length === 0 ? body.#call : null;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#reader === null) {
      if (this.#closed || this.#called) return END;
      this.#called = true;
      const response = checkResponse(await this.#call());
      if (this.#isClosed()) {
        response.body?.cancel().catch(ignore);
        throw new ClientDisconnectedError('The client left while the handler was working.');
      }
      this.#reader = new BodyReader(this.#respond(response));
    }
    const chunk = await this.#reader.pull();
    return chunk === null ? END : { done: false, value: chunk };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.close();
    return END;
  }

  /** Ends the handler's stream. Where the handler has not run, it never will. */
  close(): void | Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    return this.#reader?.release(ignore);
  }

  #isClosed(): boolean {
    return this.#closed;
  }
}
