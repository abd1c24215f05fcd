// A Fetch app on a Fetch platform: while nothing between has changed the request, the handler gets the platform's own
// Request; and while nothing has touched the response either, the platform gets the handler's own Response.

import { BodyReader } from '../../core/body.ts';
import { headerKey } from '../../core/environ.ts';
import { ClientDisconnectedError } from '../../core/errors.ts';
import { SIGNAL } from '../../core/lifetime.ts';
import { stateOf } from '../../core/private-state.ts';
import { isThenable } from '../../core/thenable.ts';
import type { ApplicationBody, Environ, StartResponse } from '../../core/types.ts';
import type { FetchRequestCall } from './client.ts';
import type { FetchCall, FetchRequestLine } from './environ.ts';
import { cancelBody } from './foreign-body.ts';
import { type DirectCall, PassthroughBody } from './gateway.ts';
import { checkResponse } from './hosted-response.ts';
import { hasDotSegments } from './hosted-url.ts';

/**
 * The platform's own request where a handler may have it: this very environ was made by a Fetch gateway, and nothing that
 * the request shows, or that the handler's arguments are made of, has changed since. A copy of an environ has none.
 */
export function originalRequest(environ: Environ): Request | null {
  const client = stateOf(environ) as Partial<FetchRequestCall> | undefined;
  // The gateways of other platforms carry something else.
  if (!client?.call || !client.line) return null;
  // A path that somebody gave as it is stays so in environ, but a Request has resolved its dot segments.
  if (client.call.target !== null && hasDotSegments(client.call.target)) return null;
  return showsLine(environ, client.line) && showsRest(environ, client as FetchRequestCall) ? client.call.request : null;
}

function showsLine(environ: Environ, line: FetchRequestLine): boolean {
  return (
    // Under a mount prefix the handler sees another URL.
    environ.SCRIPT_NAME === '' &&
    environ.REQUEST_METHOD === line.method &&
    environ.PATH_INFO === line.pathInfo &&
    environ.QUERY_STRING === line.queryString &&
    environ.REQUEST_URI === line.requestUri &&
    environ.SERVER_NAME === line.serverName &&
    environ.SERVER_PORT === line.serverPort &&
    environ['wsgi.url_scheme'] === line.scheme
  );
}

function showsRest(environ: Environ, client: FetchRequestCall): boolean {
  const { request } = client.call;
  if (environ['wsgi.input'] !== client.input || environ['waygate.wait_until'] !== client.waits) return false;
  if (environ['fetch.request'] !== request || !hasOwnSignal(environ, client) || !showsHeaders(environ, client)) {
    return false;
  }
  // What was read from wsgi.input is gone from the request; and only wsgi.input knows how much is allowed.
  const body = request.body as ReadableStream<Uint8Array> | null | undefined;
  return !body || (!request.bodyUsed && !body.locked && client.settings.maxBodyBytes === Number.POSITIVE_INFINITY);
}

/** A signal that a middleware put there is not the request's. The lazy key is not read, for that would make one. */
function hasOwnSignal(environ: Environ, client: FetchRequestCall): boolean {
  const signal = Object.getOwnPropertyDescriptor(environ, 'waygate.signal');
  return signal?.get === SIGNAL.get || (signal?.value !== undefined && signal.value === client.signal);
}

function showsHeaders(environ: Environ, { call, line, facts, source }: FetchRequestCall): boolean {
  let unseen = 0;
  for (const key in environ) if (key.startsWith('HTTP_')) unseen++;
  let same = true;
  let [host, type, length] = [(line as FetchRequestLine).authority, undefined as string | undefined, sentLength(call)];
  call.request.headers.forEach((value, name) => {
    const key = headerKey(name);
    const native = facts.headerValue(value);
    if (key === 'HTTP_HOST') host = native;
    else if (key === 'CONTENT_TYPE') type = native;
    // A length of what is not there is in no environ. (ENV-09)
    else if (key === 'CONTENT_LENGTH') length = source === null && Number(native) > 0 ? undefined : native;
    else if (key !== '') {
      unseen--;
      if (environ[key] !== native) same = false;
    }
  });
  // The host is there whether it was sent or not.
  if (environ.HTTP_HOST !== host || environ.CONTENT_TYPE !== type || environ.CONTENT_LENGTH !== length) return false;
  return same && unseen === 1;
}

function sentLength(call: FetchCall): string | undefined {
  return call.length >= 0 ? String(call.length) : undefined;
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
const ignore = (): void => {};

/**
 * The body of a response that is not started yet. Handed back to the gateway as it is, the handler's response becomes the
 * platform's; iterated by anything else, it starts the response then. The handler is at work from the beginning, inside
 * whatever a middleware has put around it: a try block, a context of `AsyncLocalStorage`.
 */
export class DeferredBody extends PassthroughBody implements AsyncIterableIterator<Uint8Array> {
  readonly #answer: Response | Promise<Response>;
  readonly #respond: (response: Response) => ApplicationBody | Promise<ApplicationBody>;
  readonly #startResponse: StartResponse;
  #called = false;
  #reader: BodyReader | null = null;
  #closed = false;

  /**
   * @param answer what the handler returned
   * @param respond starts the response and returns its body
   * @throws {TypeError} for an answer that cannot be sent
   */
  constructor(
    answer: unknown,
    respond: (response: Response) => ApplicationBody | Promise<ApplicationBody>,
    startResponse: StartResponse,
  ) {
    super();
    if (isThenable(answer)) {
      const checked = Promise.resolve(answer).then(checkResponse);
      // Whoever asks for the answer hears of a failure; until then it is no unhandled one.
      checked.catch(ignore);
      this.#answer = checked;
    } else {
      this.#answer = checkResponse(answer);
    }
    this.#respond = respond;
    this.#startResponse = startResponse;
  }

  /** Only to the gateway whose `startResponse` it was made with, and while nobody has begun to read it. */
  override native(startResponse: StartResponse): DirectCall | null {
    // An object that inherits from a body is another one.
    if (!(#answer in this) || this.#startResponse !== startResponse || this.#called || this.#closed) return null;
    // Whatever a middleware has put on the object, a close() of its own for one, must have its effect.
    return Object.keys(this).length === 0 ? () => this.#answer : null;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#reader === null) {
      if (this.#closed || this.#called) return END;
      this.#called = true;
      const response = await this.#answer;
      if (this.#isClosed()) {
        cancelBody(response);
        throw new ClientDisconnectedError('The client left while the handler was working.');
      }
      const body = this.#respond(response);
      this.#reader = new BodyReader(isThenable(body) ? await body : body);
      // Closed meanwhile, it had nothing to end yet.
      if (this.#isClosed()) await this.#reader.release(ignore);
    }
    const chunk = await this.#reader.pull();
    return chunk === null ? END : { done: false, value: chunk };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.close();
    return END;
  }

  /** Ends the handler's stream, which may be still to come. */
  close(): void | Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#reader !== null) return this.#reader.release(ignore);
    if (!this.#called) Promise.resolve(this.#answer).then(cancelBody).catch(ignore);
  }

  #isClosed(): boolean {
    return this.#closed;
  }
}
