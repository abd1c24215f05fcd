// Serves an application as a Cloudflare Pages Function: a Worker that gets all of its arguments in one object.

import { mistakenRequest } from '../../core/mistaken-request.ts';
import type { Application } from '../../core/types.ts';
import { toWorker, type WorkerContext, type WorkerOptions } from './to-worker.ts';

/** What is used of the context of a Pages Function. (Cloudflare docs, "Pages Functions: API reference") */
export interface PagesContext<Env = unknown> extends WorkerContext {
  /** The request. */
  readonly request: Request;
  /** The bindings, `ASSETS` among them. */
  readonly env: Env;
}

/** A Pages Function: an `onRequest`. */
export type PagesFunction<Env = unknown> = (context: PagesContext<Env>) => Response | Promise<Response>;

/**
 * Serves an application as a Cloudflare Pages Function. Everything is as under {@link toWorker}; `cloudflare.ctx` is the
 * context of the function, with its `params`, `data` and `next`. To send the site's own files first, put
 * `staticFiles(assets(), { fallback: app })` around the application.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * // functions/[[path]].ts
 * export const onRequest = toPagesFunction(app);
 */
export function toPagesFunction<Env = unknown>(app: Application, options: WorkerOptions = {}): PagesFunction<Env> {
  const worker = toWorker<Env>(app, options);
  return (context) => {
    if (typeof context?.request !== 'object') throw mistakenRequest('toPagesFunction', context, EXPECTED);
    return worker.fetch(context.request, context.env, context);
  };
}

const EXPECTED =
  'the context of a Pages Function, as Cloudflare calls `export const onRequest = toPagesFunction(app)` in functions/[[path]].ts';
