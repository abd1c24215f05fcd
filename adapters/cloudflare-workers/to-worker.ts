// Serves an application as a module Worker. A Worker is a Fetch platform: everything but the environ's Cloudflare keys is
// done by adapters/fetch.

import { prepareOptions } from '../../core/environ.ts';
import type { Application, GatewayOptions } from '../../core/types.ts';
import { FetchGateway } from '../fetch/gateway.ts';
import { workerPlatform } from './environ.ts';

/** Options of {@link toWorker}. */
export type WorkerOptions = GatewayOptions;

/** What a handler needs of Cloudflare's `ExecutionContext` (or a Durable Object's `DurableObjectState`). */
export interface WorkerContext {
  /** Keeps the invocation running until the promise has settled: up to 30 seconds after the response. */
  waitUntil(promise: Promise<unknown>): void;
}

/** A module Worker that serves HTTP; fits Cloudflare's `ExportedHandler<Env>`. */
export interface Worker<Env = unknown> {
  /** Answers one request; a promise only if the application or the first step of its body is asynchronous. */
  fetch(request: Request, env: Env, ctx: WorkerContext): Response | Promise<Response>;
}

/**
 * Serves an application on Cloudflare Workers: `export default toWorker(app)`. Needs no compatibility flag;
 * `enable_request_signal` makes `waygate.signal` abort at once when the client leaves instead of at the next chunk.
 *
 * The application finds its bindings in `environ['cloudflare.env']`, the execution context in `cloudflare.ctx` and what
 * the edge knows of the request in `cloudflare.cf`. `wsgi.errors` goes to the Worker's log unless `errors` says otherwise.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * export default toWorker(app, { maxBodyBytes: 1024 ** 2 });
 */
export function toWorker<Env = unknown>(app: Application, options: WorkerOptions = {}): Worker<Env> {
  const gateway = new FetchGateway(app, prepareOptions(app, options), workerPlatform);
  return {
    fetch: (request, env, ctx) => gateway.handle({ request, target: null, length: -1, platform: [env, ctx] }, ctx),
  };
}
