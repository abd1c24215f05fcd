// A node listener on Node: while nothing between has changed the request or the response, it gets the platform's own.

import { AsyncResource } from 'node:async_hooks';
import { IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BodyReader } from '../../core/body.ts';
import { stateOf } from '../../core/private-state.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../../core/types.ts';
import { ExpressMessages, type Messages } from './hosted/messages.ts';
import { checkSilently } from './refusals.ts';

/** What an environ carries that comes from a gateway on Node. */
export interface CarriesNode {
  /** Whether the request still is what environ shows, and its body is unread. */
  isUnchanged(environ: Environ): boolean;
}

/** Whether a listener may have the platform's own request: this very environ came from Node and still shows it. */
export function isOriginal(environ: Environ): boolean {
  return (stateOf(environ) as Partial<CarriesNode> | undefined)?.isUnchanged?.(environ) ?? false;
}

/** Calls a listener with the platform's own objects; what it returns is only looked at for a promise that rejects. */
export type DirectCall = (request: IncomingMessage, response: ServerResponse) => unknown;

const LISTENERS = new WeakMap<Application, DirectCall>();
const SERVERS = new WeakMap<Application, Server>();
const MESSAGES = new WeakMap<Application, ExpressMessages>();

/**
 * Remembers that an application is a hosted listener and nothing else.
 *
 * @param server the server whose listener it is, if any
 * @param messages makes what the listener gets
 */
export function markHosted(
  app: Application,
  listener: DirectCall,
  server: Server | null,
  messages: Messages,
): Application {
  LISTENERS.set(app, listener);
  if (server !== null) SERVERS.set(app, server);
  if (messages instanceof ExpressMessages) MESSAGES.set(app, messages);
  return app;
}

/** The hosted server that is the whole of an application; else null. */
export function serverBehind(app: Application): Server | null {
  return SERVERS.get(app) ?? null;
}

/** What makes the requests and responses of an Express app that is the whole of an application; else null. */
export function messagesBehind(app: Application): ExpressMessages | null {
  return MESSAGES.get(app) ?? null;
}

/** The listener that is the whole of an application, so that nothing can come between it and a gateway; else null. */
export function listenerBehind(app: Application): DirectCall | null {
  return LISTENERS.get(app) ?? null;
}

/**
 * Whether a request needs nothing of a gateway before a listener sees it: nothing in it is for the gateway to answer, and no
 * environ would refuse it. Any doubt makes it go the longer way.
 */
export function needsNoGateway(request: IncomingMessage): boolean {
  if (!isHttp1Request(request)) return false;
  const { headers } = request;
  if (headers.expect !== undefined || headers.upgrade !== undefined) return false;
  // The absolute form and `*` are rare, and a listener that looks at a path only is not ready for them.
  if ((request.url as string).charCodeAt(0) !== 0x2f) return false;
  try {
    checkSilently(request);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a request and what was made of it are the same: all that a listener could see of it.
 *
 * @param environ the environ at hand
 * @param fresh one made anew from the request
 */
export function isUnchanged(environ: Environ, fresh: Environ): boolean {
  for (const key in fresh) {
    if (key.startsWith('wsgi.') || key.startsWith('waygate.')) continue;
    if (environ[key] !== fresh[key]) return false;
  }
  for (const key in environ) if (key.startsWith('HTTP_') && fresh[key] === undefined) return false;
  return environ['wsgi.url_scheme'] === fresh['wsgi.url_scheme'];
}

/** Whether a request is of a kind that node listeners take: over HTTP/2 it is another class, which frameworks break. */
export function isHttp1Request(request: IncomingMessage): boolean {
  return request instanceof IncomingMessage && request.httpVersionMajor === 1;
}

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The body of a response whose listener has not been called yet. Handed back to the gateway as it is, the listener answers
 * on the connection itself; iterated by anything else, it runs then, on objects in memory, and starts the response. Either
 * way it runs in the context in which the application was called, that of an `AsyncLocalStorage` around it for one.
 */
export class DeferredBody implements AsyncIterableIterator<Uint8Array> {
  readonly #call: DirectCall;
  readonly #run: () => ApplicationBody;
  readonly #startResponse: StartResponse;
  readonly #context = new AsyncResource('WAYGATE');
  #reader: BodyReader | null = null;
  #closed = false;

  /**
   * @param call calls the listener with the platform's own objects
   * @param run runs the listener on objects in memory
   */
  constructor(call: DirectCall, run: () => ApplicationBody, startResponse: StartResponse) {
    this.#call = call;
    this.#run = run;
    this.#startResponse = startResponse;
  }

  /**
   * Gives the call of the listener to a gateway that gets the body untouched: made with the gateway's own
   * `startResponse`, and nobody has begun to read it. (EXT-02)
   */
  static native(body: unknown, startResponse: StartResponse): DirectCall | null {
    if (typeof body !== 'object' || body === null || !(#call in body)) return null;
    if (body.#startResponse !== startResponse || body.#reader !== null || body.#closed) return null;
    // Whatever a middleware has put on the object, a close() of its own for one, must have its effect.
    if (Object.keys(body).length > 0) return null;
    return (request, response) => body.#context.runInAsyncScope(body.#call, undefined, request, response);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#closed) return OVER;
    this.#reader ??= new BodyReader(this.#context.runInAsyncScope(this.#run));
    const chunk = await this.#reader.pull();
    return chunk === null ? OVER : { done: false, value: chunk };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#end();
    return OVER;
  }

  /** Ends the response. A listener that has not run never will. */
  close(): void | Promise<void> {
    return this.#end();
  }

  #end(): void | Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    return this.#reader?.release(() => {});
  }
}
