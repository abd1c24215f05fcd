// Makes an application of a node listener: Express, Koa, Fastify, or any `(request, response)` function. Nothing listens
// and no port is opened. The file hosted/call.ts runs one request, on a request, a response and a socket in memory. The
// file passthrough.ts says when the listener gets the platform's own objects instead.

import type { Application } from '../../core/types.ts';
import { applicationOf } from './hosted/application.ts';
import { type NodeApp, toHost } from './hosted/host.ts';
import { type DirectCall, markHosted } from './hosted/registry.ts';
import type { HostedRequest } from './hosted/request.ts';
import type { HostedResponse } from './hosted/response.ts';

/**
 * Makes an application of a node listener.
 *
 * The listener gets Node's own `IncomingMessage` and `ServerResponse`. It routes on `PATH_INFO`: where it is mounted shows
 * in `req.baseUrl` and `req.originalUrl`, as Express has it, and is not in `req.url`. `req.environ` is the environ.
 *
 * @param app a listener, or an `http.Server`, whose `request`, `checkContinue` and `checkExpectation` listeners are called;
 *   it need not listen
 * @returns an application. It fails when the listener throws or rejects, or destroys the request, the response or their
 *   socket. The gateway then answers with a 500, or breaks a response that has begun
 * @throws {TypeError} when `app` is neither
 * @example
 * import express from 'express';
 * const app = express().get('/', (_request, response) => response.send('hello'));
 * export const handler = toLambda(fromNode(app));
 */
export function fromNode(app: NodeApp): Application {
  const host = toHost(app);
  const listener: DirectCall = (request, response) =>
    host.call(request as HostedRequest, response as HostedResponse, null);
  return markHosted(applicationOf(host), { listener, server: host.server, messages: host.messages });
}
