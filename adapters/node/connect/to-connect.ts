// Makes a connect-style function of a middleware. The application inside is whatever stands behind it in the framework. To
// call it is to call `next()`. What is then written to the response comes back as the body of that application
// (response.ts). A middleware that only looks leaves request and response to the framework as they are.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, report } from '../../../core/errors.ts';
import { log } from '../../../core/log.ts';
import type { Answer } from '../../../core/response.ts';
import type { Application, Environ, Middleware } from '../../../core/types.ts';
import { NodeCall } from '../call.ts';
import { NodeGateway } from '../gateway.ts';
import { applicationOf } from '../hosted/application.ts';
import type { Host } from '../hosted/host.ts';
import { listenerHost } from '../hosted/host.ts';
import { showProperties } from '../hosted/properties.ts';
import type { DirectCall } from '../hosted/registry.ts';
import type { HostedRequest } from '../hosted/request.ts';
import type { HostedResponse } from '../hosted/response.ts';
import type { NodeOptions } from '../options.ts';
import { onEnd } from '../pipelining.ts';
import type { ConnectMiddleware, ConnectNext } from './chain.ts';
import { InnerExchange } from './inner-exchange.ts';
import { ConnectOutput } from './output.ts';
import { putBack, type SentRequest, sent, withOwnBody } from './request.ts';
import { divert } from './response.ts';

/** Options of {@link toConnect}. */
export type ConnectOptions = Pick<NodeOptions, 'environ' | 'errors' | 'maxBodyBytes' | 'multiprocess'>;

/**
 * Makes a connect-style function `(request, response, next)` of a middleware, for `app.use()` of Express, connect, polka,
 * Fastify (with `@fastify/middie`) and the dev server of Vite.
 *
 * The handlers behind it are the application inside. They get the framework's own request, changed where the middleware has
 * changed environ: path, query, method, headers, body. What they write to the response passes back through the middleware,
 * chunk by chunk. `request.environ` is the environ that they were called with.
 *
 * @param middleware the middleware, such as `(app) => compress(app)`
 * @param options see {@link NodeOptions}
 * @returns the function; what the middleware throws before the response has begun goes to `next(error)`
 * @throws {TypeError} for anything but a middleware, and for options of the wrong type
 * @example
 * express().use(toConnect((app) => secureHeaders(app)));
 */
export function toConnect(middleware: Middleware, options: ConnectOptions = {}): ConnectMiddleware {
  if (typeof middleware !== 'function') {
    throw new TypeError(
      `toConnect was given ${describe(middleware)}; expected a middleware, a function that takes an application and returns one: (app) => compress(app).`,
    );
  }
  const calls = new WeakMap<object, ConnectedCall>();
  const host: Host = {
    ...listenerHost(() => {}),
    call: (request, response, environ) => {
      const call = calls.get(environ?.['node.request'] as object);
      if (call === undefined) {
        throw new Error(
          'A middleware given to toConnect called its application with an environ that has no "node.request"; pass on the environ of the request, or a copy of it.',
        );
      }
      call.goOn(request, response, environ as Environ);
    },
  };
  const app = middleware(applicationOf(host));
  if (typeof app !== 'function') {
    throw new TypeError(
      `The middleware given to toConnect returned ${describe(app)}; expected an application, a function of environ and startResponse.`,
    );
  }
  const gateway = new NodeGateway(app, options);
  return (request: IncomingMessage, response: ServerResponse, next: ConnectNext): void => {
    const call = new ConnectedCall(gateway, request, response, next);
    calls.set(call.source, call);
    call.run(app);
  };
}

/** One request on its way through the middleware. */
class ConnectedCall {
  readonly #gateway: NodeGateway;
  readonly #request: IncomingMessage;
  /** The request as environ has it. */
  readonly source: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #next: ConnectNext;
  readonly #call: NodeCall;
  readonly #output: ConnectOutput;
  #environ: Environ | null = null;
  #sent: SentRequest | null = null;

  constructor(gateway: NodeGateway, request: IncomingMessage, response: ServerResponse, next: ConnectNext) {
    this.#gateway = gateway;
    this.#request = request;
    this.source = withOwnBody(request);
    this.#response = response;
    this.#next = next;
    this.#call = new NodeCall(gateway, this.source, response, null);
    this.#output = new ConnectOutput(response);
  }

  run(app: Application): void {
    try {
      const environ = this.#call.makeEnviron();
      this.#environ = environ;
      this.#sent = sent(environ);
      const exchange = new InnerExchange(environ, this.#gateway.work);
      const answer = exchange.run(app);
      if (!(answer instanceof Promise)) {
        this.#answer(answer, exchange);
        return;
      }
      onEnd(this.#response, exchange.close);
      answer.then((each) => this.#answer(each, exchange)).catch((error) => this.#next(error));
    } catch (error) {
      this.#next(error ?? new Error('The middleware threw nothing.'));
    }
  }

  /** The application inside: the rest of the framework's handlers. */
  goOn(request: HostedRequest, response: HostedResponse, environ: Environ): void {
    (this.#request as HostedRequest).environ = environ;
    if (response !== this.#response) {
      putBack(environ, this.#sent as SentRequest, this.#request, request, this.#call);
      divert(this.#response, response, this.#output);
      // What connect middleware around the application has put on objects of its own, see fromConnect.
      const { 'connect.request': seen, 'connect.response': seenResponse } = environ;
      if (seen !== undefined) showProperties(this.#request, seen);
      if (seenResponse !== undefined) showProperties(this.#response, seenResponse);
    }
    this.#next();
  }

  #answer(answer: Answer<DirectCall>, exchange: InnerExchange): void {
    const response = this.#response;
    if (answer.passthrough !== undefined) {
      answer.passthrough(this.#request, response);
      return;
    }
    if (answer.failure !== undefined) {
      const { error } = answer.failure;
      exchange.settle(error);
      exchange.close();
      // Behind it the framework's own handler answers, on the response as it was.
      this.#output.open();
      this.#next(error ?? new Error('The middleware threw nothing.'));
      return;
    }
    if (this.#output.isTaken) {
      exchange.close();
      return;
    }
    if (!Array.isArray(answer.body)) onEnd(response, exchange.close);
    this.#call.preventAutoDrain();
    this.#output.send(answer).then(exchange.close, (error) => {
      exchange.settle(error);
      log((this.#environ as Environ)['wsgi.errors'], report(error));
      this.#output.breakOff();
      exchange.close();
    });
  }
}
