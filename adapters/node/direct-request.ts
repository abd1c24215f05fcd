// A request for a hosted Fetch app, which is called before there is an environ. Only an ordinary request is one: what a
// gateway would refuse or answer by itself, and whatever is rare, goes the longer way.

import { checkOwnHeaders, checkStatus } from '../../core/check.ts';
import type { DirectAnswer, DirectApp, DirectRequest } from '../../core/direct-app.ts';
import { Head } from '../../core/head.ts';
import type { GatewayResponse } from '../../core/response.ts';
import { isNullBodyStatus } from '../../core/status.ts';
import { encode } from '../../core/strings.ts';
import { isThenable } from '../../core/thenable.ts';
import type { Application, Environ, InputStream } from '../../core/types.ts';
import { connectionOf, socketOf } from './environ.ts';
import { IncomingMessage, ServerResponse } from './http.ts';
import type { NodeTarget } from './mount.ts';
import { checkSilently } from './refusals.ts';

/** The call of the request: makes what this one has no answer to, and does what it leaves to be done. */
export interface RestOfCall {
  makeEnviron(): Environ;
  readonly signal: AbortSignal;
  readonly input: InputStream | null;
  answer(response: GatewayResponse): void;
  /** Runs an application with an environ and an exchange, as if it had been called so. Never throws. */
  runRest(app: Application): void;
  /** The app works on: sees whether the client is there meanwhile. */
  follow(): void;
}

export class DirectRequestCall implements DirectRequest, NodeTarget {
  readonly #call: RestOfCall;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #environ: Environ | null = null;
  /** Settles when an app that works on has answered; null while nobody has to wait for it. */
  pending: Promise<void> | null = null;
  readonly method: string;
  readonly url: string;
  readonly host: string;
  /** The declared length of the body in bytes, -1 for a body of unknown length, 0 for none. */
  readonly bodyLength: number;

  private constructor(
    call: RestOfCall,
    request: IncomingMessage,
    response: ServerResponse,
    authority: string,
    bodyLength: number,
  ) {
    this.#call = call;
    this.#request = request;
    this.#response = response;
    this.method = request.method as string;
    this.url = request.url as string;
    this.host = authority;
    this.bodyLength = bodyLength;
  }

  /**
   * @param call makes the environ
   * @param maxBodyBytes the largest body that is taken
   * @returns null for a request that has to go the longer way
   */
  static of(
    call: RestOfCall,
    request: IncomingMessage,
    response: ServerResponse,
    maxBodyBytes: number,
  ): DirectRequestCall | null {
    if (!isOrdinary(request, response)) return null;
    const { rawHeaders } = request;
    let authority = '';
    let bodyLength = 0;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string;
      switch (name.length) {
        case 4:
          if (name.toLowerCase() === 'host') authority = rawHeaders[at + 1] as string;
          break;
        case 6:
          if (name.toLowerCase() === 'expect') return null;
          break;
        case 7:
          if (name.toLowerCase() === 'upgrade') return null;
          break;
        case 14:
          if (name.toLowerCase() !== 'content-length') break;
          if (rawHeaders[at + 1] === '') return null;
          bodyLength = Number(rawHeaders[at + 1]);
          break;
        case 17:
          if (name.toLowerCase() === 'transfer-encoding') bodyLength = -1;
      }
    }
    if (authority === '' || bodyLength > maxBodyBytes) return null;
    try {
      checkSilently(request);
    } catch {
      return null;
    }
    return new DirectRequestCall(call, request, response, authority, bodyLength);
  }

  /** The declared length in bytes; undefined where the body ends by itself. */
  get declaredLength(): number | undefined {
    return this.bodyLength >= 0 ? this.bodyLength : undefined;
  }

  get scheme(): 'http' | 'https' {
    return connectionOf(socketOf(this.#request)).secure ? 'https' : 'http';
  }

  get target(): string {
    return this.url;
  }

  get environ(): Environ {
    this.#environ ??= this.#call.makeEnviron();
    return this.#environ;
  }

  get signal(): AbortSignal {
    return this.#environ === null ? this.#call.signal : this.#environ['waygate.signal'];
  }

  get input(): InputStream | null {
    if (this.bodyLength === 0) return null;
    return this.#environ === null ? this.#call.input : this.#environ['wsgi.input'];
  }

  header(name: string): string | null | undefined {
    if (this.#environ !== null) return undefined;
    const { rawHeaders } = this.#request;
    const { length } = name;
    let found: string | null = null;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const sent = rawHeaders[at] as string;
      if (sent.length !== length || (sent !== name && sent.toLowerCase() !== name.toLowerCase())) continue;
      if (found !== null) return undefined;
      found = rawHeaders[at + 1] as string;
    }
    return found;
  }

  own(key: string): unknown {
    if (key === 'node.request') return this.#request;
    return key === 'node.response' ? this.#response : undefined;
  }

  /** Calls the app, which answers now or later. Never throws. */
  run(app: DirectApp): void {
    try {
      const answer = app.call(this);
      // A thenable of another make may answer at once, twice, or with one more: a promise of it does not. (BODY-01)
      if (isThenable(answer)) this.#await(app, Promise.resolve(answer));
      else this.#finish(app, answer);
    } catch (error) {
      this.#fail(error);
    }
  }

  #await(app: DirectApp, answer: Promise<unknown>): void {
    this.pending = answer.then(
      (each) => {
        this.pending = null;
        this.#finish(app, each);
      },
      (error) => {
        this.pending = null;
        this.#fail(error);
      },
    );
    this.#call.follow();
  }

  /** An answer in memory goes out as it is, where nobody has asked for the environ. All else goes the longer way from here. */
  #finish(app: DirectApp, answer: unknown): void {
    const response = this.#environ === null ? this.#whole(app, answer) : null;
    if (response !== null) this.#call.answer(response);
    else this.#call.runRest((environ, startResponse) => app.finish(answer, environ, startResponse));
  }

  #whole(app: DirectApp, answer: unknown): GatewayResponse | null {
    try {
      const parts = app.inMemory(answer);
      // A failure may have been the request's own: the longer way finds out.
      return parts === null || parts.status >= 500 ? null : wholeResponse(parts, this.method);
    } catch {
      // The longer way says what is wrong with it.
      return null;
    }
  }

  #fail(error: unknown): void {
    this.#call.runRest(() => {
      throw error;
    });
  }
}

/** Whether a request is one of HTTP/1.1 as Node made it, at the root of its server, with a target of the usual form. */
function isOrdinary(request: IncomingMessage & NodeTarget, response: ServerResponse): boolean {
  return (
    request instanceof IncomingMessage &&
    response instanceof ServerResponse &&
    request.httpVersion === '1.1' &&
    (request.url as string).charCodeAt(0) === 0x2f &&
    request.originalUrl === undefined &&
    request.baseUrl === undefined
  );
}

/**
 * The response of an answer in memory, as an exchange makes it of an array of one chunk.
 *
 * @param method the request method
 * @returns null where an exchange has more to do than that
 * @throws {ContractError} for what no head can hold
 */
export function wholeResponse({ status, reason, headers, body }: DirectAnswer, method: string): Head | null {
  if (isNullBodyStatus(status)) return null;
  const line = checkStatus(`${status} ${reason}`);
  const head = new Head(line, headers, checkOwnHeaders(headers), method);
  const length = body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (!head.hasLength) head.declare(length);
  else if (!head.isLength(length)) return null;
  if (body === null || !head.hasContent) head.body = [];
  else if (typeof body !== 'string') head.body = [body];
  else if (body.length !== length) head.body = [encode(body)];
  else {
    head.body = [];
    head.text = body;
  }
  return head;
}
