// Makes an application of a node listener: Express, Koa, Fastify, or any `(request, response)` function. Nothing listens
// and no port is opened. One request is run in hosted-call.ts, on the objects of hosted-request.ts, hosted-response.ts
// and hosted-socket.ts; when none of that is needed stands in native.ts.

import { IncomingMessage, type Server, ServerResponse } from 'node:http';
import { describe, RequestError } from '../../core/errors.ts';
import type { Application, Body, Environ } from '../../core/types.ts';
import { type Host, HostedCall } from './hosted-call.ts';
import type { HostedRequest } from './hosted-request.ts';
import type { HostedResponse } from './hosted-response.ts';
import { isOriginal, markHosted, type NativeCall, PendingBody } from './native.ts';

/** A request listener as frameworks make them. What it returns is only looked at for a promise that rejects. */
export type NodeAppListener = (
  // biome-ignore lint/suspicious/noExplicitAny: each framework has its own types for these.
  request: any,
  // biome-ignore lint/suspicious/noExplicitAny: each framework has its own types for these.
  response: any,
) => unknown;

/** What {@link fromNode} takes: a listener (an Express app is one, `koa.callback()` makes one), or an `http.Server`. */
export type NodeApp = NodeAppListener | Server;

/**
 * Makes an application of a node listener.
 *
 * The listener gets Node's own `IncomingMessage` and `ServerResponse`. It routes on `PATH_INFO`: where it is mounted shows
 * in `req.baseUrl` and `req.originalUrl`, as Express has it, and is not in `req.url`. `req.environ` is the environ.
 *
 * @param app a listener, or an `http.Server`, whose `request`, `checkContinue` and `checkExpectation` listeners are called;
 *   it need not listen
 * @returns an application; it fails, and the gateway answers with a 500 or breaks a response that has begun, when the
 *   listener throws or rejects, or destroys the request, the response or their socket
 * @throws {TypeError} when `app` is neither
 */
export function fromNode(app: NodeApp): Application {
  const host = toHost(app);
  const native: NativeCall = (request, response) =>
    host.call(request as HostedRequest, response as HostedResponse, null);
  const application: Application = (environ, startResponse) => {
    const run = (): Body => new HostedCall(host, environ, startResponse).run(host);
    if (!isOriginal(environ)) return run();
    const call: NativeCall = (request, response) => {
      const known = request as HostedRequest;
      known.environ = environ;
      return host.call(known, response as HostedResponse, environ);
    };
    return new PendingBody(call, run, startResponse);
  };
  return markHosted(application, native, host.server as Server | null);
}

function toHost(app: NodeApp): Host {
  if (typeof app === 'function') {
    return {
      call: (request, response, environ) =>
        answersExpectation(response, environ) ? undefined : app(request, response),
      server: null,
      Message: IncomingMessage,
      Response: ServerResponse,
    };
  }
  // A Koa app is an event emitter too, but one that nobody asks for a "request".
  const isKoa = typeof (app as { callback?: unknown } | null)?.callback === 'function';
  if (isKoa || typeof app?.emit !== 'function' || typeof app.listenerCount !== 'function') {
    throw new TypeError(
      `fromNode was given ${isKoa ? 'a Koa app' : describe(app)}; expected a listener (request, response), such as an Express app or koa.callback(), or an http.Server, such as fastify.server.`,
    );
  }
  return {
    call: (request, response, environ) => emit(app, request, response, environ),
    server: app,
    ...messageClasses(app),
  };
}

/** Emits on a server what Node would emit for this request. */
function emit(server: Server, request: HostedRequest, response: HostedResponse, environ: Environ | null): void {
  refuseUpgrade(server, environ);
  const expect = environ?.HTTP_EXPECT;
  if (expect !== undefined) {
    const event = CONTINUE.test(expect) ? 'checkContinue' : 'checkExpectation';
    if (server.listenerCount(event) > 0) {
      // Node has sent the 100, or the gateway does when the body is read: a listener that sends one as well sends a second.
      response.writeContinue = (written) => {
        if (written) process.nextTick(written);
      };
      server.emit(event, request, response);
      return;
    }
  }
  if (answersExpectation(response, environ)) return;
  if (!server.emit('request', request, response)) {
    throw new Error('The http.Server given to fromNode has no "request" listener, so that nobody would ever answer.');
  }
}

function refuseUpgrade(server: Server, environ: Environ | null): void {
  const upgrade = environ?.HTTP_UPGRADE;
  if (upgrade === undefined || server.listenerCount('upgrade') === 0) return;
  if (!/\bupgrade\b/i.test(environ?.HTTP_CONNECTION ?? '')) return;
  throw new RequestError(501, `The request asks for an upgrade to ${upgrade}; a hosted server has no connection.`);
}

const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

/** Node's server refuses by itself what it cannot meet. The 100 is the gateway's to send. (RFC 9110 §10.1.1) */
function answersExpectation(response: HostedResponse, environ: Environ | null): boolean {
  const expect = environ?.HTTP_EXPECT;
  if (expect === undefined || CONTINUE.test(expect)) return false;
  response.writeHead(417);
  response.end();
  return true;
}

/** A server that was made with classes of its own makes its requests and responses of them. */
function messageClasses(server: Server): Pick<Host, 'Message' | 'Response'> {
  const classes = { Message: IncomingMessage, Response: ServerResponse };
  for (const symbol of Object.getOwnPropertySymbols(server)) {
    const value = (server as unknown as Record<symbol, unknown>)[symbol];
    if (typeof value !== 'function') continue;
    if (value.prototype instanceof IncomingMessage) classes.Message = value as typeof IncomingMessage;
    if (value.prototype instanceof ServerResponse) classes.Response = value as typeof ServerResponse;
  }
  return classes;
}
