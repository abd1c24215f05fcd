// How a hosted app is called: a listener as it is, a server by the events that Node would emit.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { describe, RequestError } from '../../../core/errors.ts';
import type { Environ } from '../../../core/types.ts';
import { IncomingMessage, ServerResponse } from '../http.ts';
import { expressMessages, type Messages, PlainMessages } from './messages.ts';
import type { HostedRequest } from './request.ts';
import type { HostedResponse } from './response.ts';

/** A request listener as frameworks make them. What it returns is only looked at for a promise that rejects. */
export type NodeAppListener = (
  // biome-ignore lint/suspicious/noExplicitAny: each framework has its own types for these.
  request: any,
  // biome-ignore lint/suspicious/noExplicitAny: each framework has its own types for these.
  response: any,
) => unknown;

/** What {@link fromNode} takes: a listener (an Express app is one, `koa.callback()` makes one), or an `http.Server`. */
export type NodeApp = NodeAppListener | Server;

/** How a listener is called, and what makes the objects it gets. */
export interface Host {
  /** @param environ null where the request has nothing that is for a server to answer: no expectation, no upgrade */
  call(request: HostedRequest, response: HostedResponse, environ: Environ | null): unknown;
  /** The server that was given; null for a listener. */
  readonly server: Server | null;
  readonly messages: Messages;
}

/** How a plain listener is called. */
export function listenerHost(listener: NodeAppListener): Host {
  return {
    call: (request, response, environ) =>
      answersExpectation(response, environ) ? undefined : listener(request, response),
    server: null,
    messages: expressMessages(listener) ?? PLAIN,
  };
}

/**
 * @param app a listener or a server
 * @throws {TypeError} for anything else
 */
export function toHost(app: NodeApp): Host {
  if (typeof app === 'function') return listenerHost(app);
  const given = kindOf(app);
  if (given !== null) {
    throw new TypeError(
      `fromNode was given ${given}; expected a listener (request, response), such as an Express app or koa.callback(), or an http.Server, such as fastify.server: fromNode(fastify.server), after await fastify.ready().`,
    );
  }
  return {
    call: (request, response, environ) => emit(app, request, response, environ),
    server: app,
    messages: messagesOf(app),
  };
}

/** What was given instead of a server; null for a server. */
function kindOf(app: unknown): string | null {
  const has = (name: string): boolean => typeof (app as Record<string, unknown> | null)?.[name] === 'function';
  // A Koa app is an event emitter too, but one that nobody asks for a "request".
  if (has('callback')) return 'a Koa app';
  if (has('ready') && has('inject')) return 'a Fastify app';
  return has('emit') && has('listenerCount') ? null : describe(app);
}

/** Fastify has no routes before `ready()`, and fails without saying so. */
function explainFastify(error: unknown): unknown {
  const isFastify = error instanceof TypeError && /[\\/]node_modules[\\/]fastify[\\/]/.test(error.stack ?? '');
  if (!isFastify) return error;
  return new Error(
    'A Fastify app failed before any of its handlers: most likely it is not ready. Call `await fastify.ready()` before the ' +
      'first request.',
    { cause: error },
  );
}

const writtenSoon = (written?: () => void): void => {
  if (written) process.nextTick(written);
};

/** Emits on a server what Node would emit for this request. */
function emit(server: Server, request: HostedRequest, response: HostedResponse, environ: Environ | null): void {
  refuseUpgrade(server, environ);
  if (server.timeout > 0 || server.listenerCount('timeout') > 0) applyTimeout(server, request, response);
  const expect = environ?.HTTP_EXPECT;
  if (expect !== undefined) {
    const event = CONTINUE.test(expect) ? 'checkContinue' : 'checkExpectation';
    if (server.listenerCount(event) > 0) {
      // Node has sent the 100, or the gateway does when the body is read: a listener that sends one as well sends a second.
      response.writeContinue = writtenSoon;
      server.emit(event, request, response);
      return;
    }
  }
  if (answersExpectation(response, environ)) return;
  let isHeard: boolean;
  try {
    isHeard = server.emit('request', request, response);
  } catch (error) {
    throw explainFastify(error);
  }
  if (!isHeard) {
    throw new Error('The http.Server given to fromNode has no "request" listener, so that nobody would ever answer.');
  }
}

/**
 * The server's `timeout`, and its listeners for that of a connection. A connection in memory asks them itself. Any other belongs
 * to another server, which asks only its own: then the response asks them, and ends the connection where nobody listens.
 */
function applyTimeout(server: Server, request: HostedRequest, response: HostedResponse): void {
  const { timeout } = server;
  if (timeout > 0) response.setTimeout(timeout);
  const outer = (request.socket as { server?: Server } | null)?.server;
  if (outer === server) return;
  response.on('timeout', (socket: Socket) => {
    const isHeard = server.emit('timeout', socket);
    const isOwn = request.listenerCount('timeout') > 0 || response.listenerCount('timeout') > 1;
    if (!isHeard && !isOwn) socket.destroy();
  });
  // The other server has a timeout of its own for the requests that follow.
  response.once('finish', () => {
    const { socket } = request;
    if (outer !== undefined && timeout > 0 && socket.timeout === timeout) socket.setTimeout(outer.timeout ?? 0);
  });
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

const PLAIN = new PlainMessages();

/**
 * What makes a server's requests and responses: the classes that it was made with, or else its one listener, which nobody
 * sees them before.
 */
function messagesOf(server: Server): Messages {
  let Message: typeof IncomingMessage | undefined;
  let Response: typeof ServerResponse | undefined;
  for (const symbol of Object.getOwnPropertySymbols(server)) {
    const value = (server as unknown as Record<symbol, unknown>)[symbol];
    if (typeof value !== 'function') continue;
    if (value.prototype instanceof IncomingMessage) Message = value as typeof IncomingMessage;
    if (value.prototype instanceof ServerResponse) Response = value as typeof ServerResponse;
  }
  if (Message !== undefined || Response !== undefined) return new PlainMessages(Message, Response);
  const [listener, another] = server.listeners?.('request') ?? [];
  return (another === undefined ? expressMessages(listener) : null) ?? PLAIN;
}
