// Passthrough: a hosted listener gets the platform's own request and response while nothing between it and the gateway has
// changed them. This file decides when it may.

import { AsyncResource } from 'node:async_hooks';
import { DeferredBody } from '../../core/deferred-body.ts';
import { type DirectApp, directBehind } from '../../core/direct-app.ts';
import type { Settings } from '../../core/environ.ts';
import { addHeaderLines } from '../../core/header-plans.ts';
import { stateOf } from '../../core/private-state.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../../core/types.ts';
import { connectionOf, protocolOf, socketOf } from './environ.ts';
import { type DirectCall, hostedBehind } from './hosted/registry.ts';
import { IncomingMessage, type ServerResponse } from './http.ts';
import { headerLines } from './neighbours.ts';
import { checkLine, checkSilently } from './refusals.ts';
import { tlsKeys } from './tls.ts';

/** What an environ from this gateway carries for the listener that may get its request. */
export interface RequestState {
  /** Whether the request still is what environ shows, and its body is unread. */
  isUnchanged(environ: Environ): boolean;
  /** Has what a listener leaves of the body got rid of once the response is over. */
  preventAutoDrain(): void;
}

/** What {@link RequestState} an environ carries; undefined for one that was copied or comes from elsewhere. */
export function requestState(environ: Environ): RequestState | undefined {
  const state = stateOf(environ) as Partial<RequestState> | undefined;
  return state?.isUnchanged === undefined ? undefined : (state as RequestState);
}

/** Which requests of a gateway its application's listener gets as they are. */
export class Passthrough {
  /** The listener that is the whole application, where no option asks for more: it needs no environ. */
  readonly direct: DirectCall | null;
  /** The Fetch app that is the whole application, likewise. */
  readonly directApp: DirectApp | null;
  readonly #settings: Settings;
  readonly #isHosted: boolean;
  /** No request may pass: the deployer adds headers that it would lack, or its response may be given up for another's. */
  readonly #isClosed: boolean;

  constructor(app: Application, settings: Settings, fallThrough: boolean) {
    const hosted = hostedBehind(app);
    this.#settings = settings;
    this.#isHosted = hosted !== undefined;
    this.#isClosed = fallThrough || settings.deployerKeys.some(([key]) => key.startsWith('HTTP_'));
    const isBare = !this.#isClosed && settings.basePath === '';
    this.direct = (isBare && settings.maxBodyBytes === Number.POSITIVE_INFINITY && hosted?.listener) || null;
    this.directApp = (isBare && directBehind(app)) || null;
  }

  /** Whether a listener may have a request as it is: environ shows it unchanged, and nothing has to be counted. */
  allows(request: IncomingMessage, response: ServerResponse, environ: Environ): boolean {
    const { basePath, maxBodyBytes } = this.#settings;
    if (this.#isClosed || !isHttp1Request(request)) return false;
    // Without a length only wsgi.input knows when there is too much.
    if (maxBodyBytes !== Number.POSITIVE_INFINITY && request.headers['transfer-encoding'] !== undefined) return false;
    if (basePath !== '' && environ.SCRIPT_NAME !== '') return false;
    // Nothing stands between: who could have changed it?
    return this.#isHosted || (environ['node.response'] === response && showsRequest(environ, request));
  }
}

/**
 * Whether a request needs nothing of a gateway before a listener sees it. The gateway has nothing to answer in it, and no
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

/** Whether a request is of a kind that node listeners take: over HTTP/2 it is another class, which frameworks break. */
function isHttp1Request(request: IncomingMessage): boolean {
  return request instanceof IncomingMessage && request.httpVersionMajor === 1;
}

/** Whether environ says of a request what a listener would see of it: nobody has changed the one or the other. */
export function showsRequest(environ: Environ, request: IncomingMessage): boolean {
  return (
    environ['node.request'] === request &&
    showsLine(environ, request) &&
    showsConnection(environ, request) &&
    showsHeaders(environ, request)
  );
}

function showsLine(environ: Environ, request: IncomingMessage): boolean {
  const { mount, path, query, requestUri } = checkLine(request);
  return (
    environ.REQUEST_METHOD === request.method &&
    environ.SCRIPT_NAME === mount &&
    environ.PATH_INFO === path &&
    environ.QUERY_STRING === query &&
    environ.REQUEST_URI === requestUri &&
    environ.SERVER_PROTOCOL === protocolOf(request)
  );
}

function showsConnection(environ: Environ, request: IncomingMessage): boolean {
  const socket = socketOf(request);
  const end = connectionOf(socket);
  const hasAddress = end.remoteAddress !== '';
  if (environ['wsgi.url_scheme'] !== (end.secure ? 'https' : 'http')) return false;
  if (environ.SERVER_NAME !== end.serverName || environ.SERVER_PORT !== end.serverPort) return false;
  if (environ.REMOTE_ADDR !== (hasAddress ? end.remoteAddress : undefined)) return false;
  if (environ.REMOTE_PORT !== (hasAddress ? end.remotePort : undefined)) return false;
  if (!end.secure) return true;
  const keys = tlsKeys(socket);
  for (const key in keys) if (environ[key] !== keys[key]) return false;
  return true;
}

function showsHeaders(environ: Environ, request: IncomingMessage): boolean {
  const sent = {} as Environ;
  addHeaderLines(sent, headerLines(request));
  for (const key in sent) if (environ[key] !== sent[key]) return false;
  for (const key in environ) if (isHeader(key) && sent[key] === undefined && environ[key] !== undefined) return false;
  return true;
}

function isHeader(key: string): boolean {
  return key.startsWith('HTTP_') || key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH';
}

/**
 * The body of a hosted listener that has not been called yet. Where the gateway gets it back as it is, the listener answers
 * on the connection itself. Where anything else iterates it, the listener runs on objects in memory, and starts the
 * response. Either way it runs in the context in which the application was called, for example that of an
 * `AsyncLocalStorage`.
 */
export class PassthroughBody extends DeferredBody {
  readonly #call: DirectCall;
  readonly #run: () => ApplicationBody;
  readonly #context = new AsyncResource('WAYGATE');

  /**
   * @param call calls the listener with the platform's own objects
   * @param run runs the listener on objects in memory
   */
  constructor(call: DirectCall, run: () => ApplicationBody, startResponse: StartResponse) {
    super(startResponse);
    this.#call = call;
    this.#run = run;
  }

  /** The call of the listener, for a gateway that gets its body untouched; else null. (EXT-02) */
  static callBehind(body: unknown, startResponse: StartResponse): DirectCall | null {
    if (!(body instanceof PassthroughBody) || !body.isUntouched(startResponse)) return null;
    return (request, response) => body.#context.runInAsyncScope(body.#call, undefined, request, response);
  }

  protected override begin(): ApplicationBody {
    return this.#context.runInAsyncScope(this.#run);
  }
}
