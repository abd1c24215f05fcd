// `waygate/cloudflare-workers`: applications on Cloudflare Workers, and Workers as applications.

import type { WorkerContext } from './to-worker.ts';

export { fromWorker, type HostedWorkerOptions, type ModuleWorker, type WorkerClass } from './from-worker.ts';
export { type PagesContext, type PagesFunction, toPagesFunction } from './to-pages.ts';
export { toWorker, type Worker, type WorkerContext, type WorkerOptions } from './to-worker.ts';

/**
 * The bindings of your Worker, as `environ['cloudflare.env']` has them. Where `wrangler types` has written your
 * `Cloudflare.Env`, they are those already; else declare them here.
 *
 * @example
 * declare module 'waygate/cloudflare-workers' {
 *   interface Bindings {
 *     NOTES: KVNamespace;
 *   }
 * }
 */
export interface Bindings extends Cloudflare.Env {}

declare global {
  namespace Cloudflare {
    interface Env {}
  }
}

declare module 'waygate' {
  interface EnvironKeys {
    /** The bindings of the Worker. See {@link Bindings}. */
    'cloudflare.env'?: Bindings;
    /** The execution context. */
    'cloudflare.ctx'?: WorkerContext;
    /** What the edge knows of the request, such as `country`. */
    'cloudflare.cf'?: { readonly [property: string]: unknown };
  }
}
