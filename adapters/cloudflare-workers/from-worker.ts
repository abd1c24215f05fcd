// Makes an application of a module Worker. A Worker's `fetch` is a Fetch handler: everything but what Cloudflare passes
// along with the request is done by adapters/fetch.

import { isThenable } from '../../core/thenable.ts';
import type { Application, Environ } from '../../core/types.ts';
import { fromFetch } from '../fetch/from-fetch.ts';
import { isEncodedByWorkerd, peek } from '../fetch/hosted/coded-body.ts';
import { environOf } from '../fetch/hosted/request.ts';

/** The `fetch` of a Worker. */
// biome-ignore lint/suspicious/noExplicitAny: Cloudflare's own types of the three differ with each version and setting.
type WorkerFetch = (request: any, env: any, ctx: any) => Response | Promise<Response>;

/** A module Worker: what its module exports as default. Fits Cloudflare's `ExportedHandler`. */
export interface ModuleWorker {
  /** Optional in Cloudflare's type; a Worker without it serves no HTTP. */
  fetch?: WorkerFetch;
}

/** A class that extends `WorkerEntrypoint`, or is made like one. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export type WorkerClass = new (ctx: any, env: any) => { fetch?(request: any): Response | Promise<Response> };

/** What a Worker gets besides the request. */
export interface HostedWorkerOptions {
  /**
   * The bindings.
   *
   * @default those of the platform on Workers, an empty object elsewhere
   */
  env?: unknown;
  /**
   * The execution context.
   *
   * @default the platform's on Workers; elsewhere one whose waitUntil is waygate.wait_until
   */
  ctx?: unknown;
}

/**
 * Makes an application of an existing Worker, to run it on any platform, or beside others in one Worker.
 *
 * Off Cloudflare the `CF-Connecting-IP` header is `REMOTE_ADDR`, never what the client sent: Workers trust it. There is no
 * `request.cf` there, and `passThroughOnException` does nothing. A body without coding that has `Content-Encoding: gzip`
 * or `br`, which Cloudflare would encode, goes out without that header.
 *
 * @param worker the module's default export: an object with a `fetch` method, or a `WorkerEntrypoint` class
 * @throws {TypeError} when it is neither
 * @example
 * import worker from './worker.ts';
 * await serve(fromWorker(worker, { env: { NOTES: new Map() } }));
 */
export function fromWorker(worker: ModuleWorker | WorkerClass, options: HostedWorkerOptions = {}): Application {
  const call = callOf(worker);
  const hosted = fromFetch((request: Request, _platform: unknown, context: unknown) => {
    const environ = environOf(request) as Environ;
    if ('cloudflare.cf' in environ && !('cf' in request && request.cf)) {
      Object.defineProperty(request, 'cf', { value: environ['cloudflare.cf'], configurable: true });
    }
    const answer = call(request, options.env ?? environ['cloudflare.env'] ?? {}, options.ctx ?? context);
    if (environ['waygate.gateway'] === 'cloudflare-workers') return answer;
    return isThenable(answer) ? Promise.resolve(answer).then(withTrueLabel) : withTrueLabel(answer);
  });
  return (environ, startResponse) => {
    if (environ['waygate.gateway'] !== 'cloudflare-workers') tellAddress(environ);
    return hosted(environ, startResponse);
  };
}

function callOf(worker: ModuleWorker | WorkerClass): WorkerFetch {
  if (typeof worker === 'function') {
    if (typeof worker.prototype?.fetch !== 'function') throw notWorker('a function');
    return (request, env, ctx) => (new worker(ctx, env) as { fetch: WorkerFetch }).fetch(request, env, ctx);
  }
  if (typeof worker?.fetch !== 'function') throw notWorker(worker === null ? 'null' : typeof worker);
  return (request, env, ctx) => (worker as { fetch: WorkerFetch }).fetch(request, env, ctx);
}

function notWorker(what: string): TypeError {
  return new TypeError(
    `fromWorker was given ${what} without a fetch method; expected the default export of a Worker that serves HTTP.`,
  );
}

/**
 * On Cloudflare a Worker may answer with plain text and `Content-Encoding: gzip`: workerd encodes it. Where nobody does, the
 * label goes, and the text is sent as it is.
 */
function withTrueLabel(response: Response): Response | Promise<Response> {
  if (!(response instanceof Response) || response.url || response.body === null || response.bodyUsed) return response;
  const coding = response.headers.get('content-encoding');
  if (coding === null || !isEncodedByWorkerd(coding) || response.body.locked) return response;
  return peek(response.body, coding).then(({ isCoded, body }) => {
    const labelled = new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>, response);
    if (!isCoded) labelled.headers.delete('content-encoding');
    return labelled;
  });
}

/** The edge writes this header over whatever a client sends; where there is no edge, this does. */
function tellAddress(environ: Environ): void {
  if (environ.REMOTE_ADDR !== undefined) environ.HTTP_CF_CONNECTING_IP = environ.REMOTE_ADDR;
  else if ('HTTP_CF_CONNECTING_IP' in environ) delete environ.HTTP_CF_CONNECTING_IP;
}
