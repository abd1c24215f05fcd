// Makes a middleware of connect-style functions. They run as a hosted listener does (from-node.ts): on Node on the
// connection's own request and response, elsewhere on Node's classes in memory. The application inside is called by an
// exchange of its own, whose response is written to the response that the functions have seen and wrapped.

import type { ServerResponse } from 'node:http';
import { checkApplication } from '../../../core/check.ts';
import { isA, RequestError } from '../../../core/errors.ts';
import { log } from '../../../core/log.ts';
import { plainResponse } from '../../../core/plain-response.ts';
import type { Answer, GatewayResponse } from '../../../core/response.ts';
import { isThenable } from '../../../core/thenable.ts';
import type { Application, Middleware } from '../../../core/types.ts';
import { applicationOf } from '../hosted/application.ts';
import { listenerHost } from '../hosted/host.ts';
import { type DirectCall, hostedBehind } from '../hosted/registry.ts';
import type { HostedRequest } from '../hosted/request.ts';
import { closeUnread } from '../hosted/response.ts';
import { requestState } from '../passthrough.ts';
import { onEnd } from '../pipelining.ts';
import { send } from '../response.ts';
import { BodyTap } from './body-tap.ts';
import { type ConnectChain, type ConnectHandler, type ConnectNext, type ConnectWalk, toChain, walk } from './chain.ts';
import { type SeenRequest, seen, showChanges } from './environ.ts';
import { InnerExchange } from './inner-exchange.ts';
import { Passing } from './passing.ts';

/**
 * Makes a middleware of connect-style functions `(request, response, next)`: helmet, cors, morgan, compression,
 * express-session, passport, `express.static` and their like. They then stand around any application, on any platform that
 * has `node:http` (Workers with `nodejs_compat` among them).
 *
 * The functions run in their order, on Node's own `IncomingMessage` and `ServerResponse`. The application stands behind the
 * last function that takes no errors. Error handlers, which declare four parameters, get the errors of all that stands
 * before them. An error that none of them takes fails the request, as an error of the application does. One with a `status`
 * is answered with that status, any other with a 500.
 *
 * The application sees what the functions have changed of the request: `url`, `method`, `headers`. What they have put on it
 * (`session`, `user`, `body`) is on `environ['connect.request']`. A hosted Express app finds it on its own request too. A
 * body that they have read can be read from `wsgi.input` again, up to 8 MiB.
 *
 * @param handlers the functions, or arrays of them, as `app.use()` of Express takes them
 * @returns a middleware
 * @throws {TypeError} when there is none, and for anything but functions
 * @example
 * import cors from 'cors';
 * import helmet from 'helmet';
 * const around = fromConnect(helmet(), cors());
 * export const handler = toLambda(around(fromFetch(hono)));
 */
export function fromConnect(...handlers: ConnectHandler[]): Middleware {
  const chain = toChain(handlers);
  return (app) => {
    checkApplication(app);
    const host = listenerHost((request: HostedRequest, response: ServerResponse) =>
      new ConnectCall(chain, app, request, response).run(),
    );
    return applicationOf(host);
  };
}

/** One request on its way through the functions and the application. */
class ConnectCall implements ConnectWalk {
  readonly #chain: ConnectChain;
  readonly #app: Application;
  readonly request: HostedRequest;
  readonly response: ServerResponse;
  readonly #before: SeenRequest;
  readonly #tap: BodyTap | null;
  /** The application's; null until it is called. */
  #exchange: InnerExchange | null = null;
  #isRun = false;
  /** Goes on behind the application. */
  #next: ConnectNext = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(chain: ConnectChain, app: Application, request: HostedRequest, response: ServerResponse) {
    this.#chain = chain;
    this.#app = app;
    this.request = request;
    this.response = response;
    this.#before = seen(request);
    this.#tap = BodyTap.isFor(request) ? new BodyTap(request) : null;
  }

  /** @returns a promise that rejects when the request fails; a host has what follows from that */
  run(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.#reject = reject;
      walk(this.#chain, this);
    });
  }

  // What the chain asks for.

  runApp(next: ConnectNext): void {
    if (this.#isRun) return;
    this.#isRun = true;
    this.#next = next;
    try {
      const listener = hostedBehind(this.#app)?.listener;
      // Its framework gets the very objects, as behind the same functions in its own `app.use()`.
      if (listener !== undefined) this.#hand(listener);
      else this.#run();
    } catch (error) {
      next(error ?? new Error('The application threw nothing.'));
    }
  }

  fail(error: unknown): void {
    const { response } = this;
    const status = error === undefined ? 404 : statusOf(error);
    if (status === null || response.headersSent || response.destroyed) {
      this.#reject(error);
      return;
    }
    // As finalhandler does: what is about the content that was meant to come does not hold for this one.
    for (const name of [
      'Content-Encoding',
      'Content-Language',
      'Content-Range',
      'ETag',
      'Last-Modified',
      'Cache-Control',
    ]) {
      response.removeHeader(name);
    }
    if (error !== undefined) log(this.request.environ['wsgi.errors'], oneLine(error));
    const page = plainResponse(status, this.request.method);
    send({ ...page, headers: [...page.headers, ...headersOf(error)] }, response);
  }

  // The application.

  #hand(listener: DirectCall): void {
    const result = listener(this.request, this.response);
    if (isThenable(result)) result.then(undefined, (error) => this.#next(error));
  }

  #run(): void {
    const { environ } = this.request;
    showChanges(environ, this.request, this.#before);
    const input = this.#tap?.input(environ) ?? null;
    if (input !== null) environ['wsgi.input'] = input;
    environ['connect.request'] = this.request;
    environ['connect.response'] = this.response;
    const exchange = new InnerExchange(environ, { waitUntil: environ['waygate.wait_until'] });
    this.#exchange = exchange;
    const answer = exchange.run((request, startResponse) => {
      const body = this.#app(request, startResponse);
      // Its first chunk is asked for when the middleware has returned a body of its own. (L-55)
      return Array.isArray(body) ? body : Promise.resolve(body);
    });
    if (!(answer instanceof Promise)) {
      this.#answer(answer);
      return;
    }
    this.#closeInTheEnd(exchange);
    answer.then((each) => this.#answer(each)).catch((error) => this.#reject(error));
  }

  #answer(answer: Answer<DirectCall>): void {
    const { response } = this;
    const exchange = this.#exchange as InnerExchange;
    if (response.headersSent || response.destroyed) {
      // A function has answered meanwhile, or the client is gone.
      exchange.close();
    } else if (answer.passthrough !== undefined) {
      this.#hand(answer.passthrough);
    } else if (answer.failure !== undefined) {
      const { error } = answer.failure;
      exchange.settle(error);
      exchange.close();
      this.#next(error ?? new Error('The application threw nothing.'));
    } else {
      // On the connection's own objects nobody else looks after what is left of the request body.
      const { environ } = this.request;
      if (this.request === environ['node.request']) requestState(environ)?.preventAutoDrain();
      this.#send(answer, exchange);
    }
  }

  #send(answer: GatewayResponse, exchange: InnerExchange): void {
    const { body } = answer;
    if (Array.isArray(body)) {
      send(answer, this.response);
      exchange.close();
      return;
    }
    this.#closeInTheEnd(exchange);
    send({ ...answer, body: new Passing(body, this.response, this.#break) }, this.response, true);
  }

  /** With the response, and no later than the body that stands for it is closed. (L-64) */
  #closeInTheEnd(exchange: InnerExchange): void {
    onEnd(this.response, exchange.close);
    closeUnread(this.response, exchange.close);
  }

  /** The body failed after its head: the host breaks the response off, and reports the failure. */
  readonly #break = (error: unknown): void => {
    this.#exchange?.settle(error);
    this.#reject(error);
  };
}

interface HttpError {
  status?: unknown;
  statusCode?: unknown;
  headers?: unknown;
}

/** The status that an error of the `http-errors` kind asks for; null for one that is just a failure. */
function statusOf(error: unknown): number | null {
  if (isA(error, RequestError) || !isA(error, Error)) return null;
  const { status, statusCode } = error as HttpError;
  const code = [status, statusCode].find((each) => Number.isInteger(each)) as number | undefined;
  return code !== undefined && code >= 400 && code <= 599 && code !== 500 ? code : null;
}

function oneLine(error: unknown): string {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
}

function headersOf(error: unknown): [string, string][] {
  const { headers } = (error ?? {}) as HttpError;
  return Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
}
