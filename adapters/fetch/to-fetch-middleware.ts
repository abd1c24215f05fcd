// Makes a Fetch middleware of a middleware of applications, for Hono's `app.use` and for `(request, next) => Response`. The
// application inside is whatever stands behind it there.

import { prepareOptions } from '../../core/environ.ts';
import { describe } from '../../core/errors.ts';
import type { GatewayOptions, Middleware } from '../../core/types.ts';
import type { WaitContext } from '../../core/work.ts';
import { fetchPlatform } from './environ.ts';
import { fromFetch } from './from-fetch.ts';
import { FetchGateway } from './gateway.ts';

/** The part of Hono's context that is used. */
export interface HonoContextLike {
  /** The request: `raw` is the platform's, and is replaced where the middleware changed it. */
  readonly req: { raw: Request };
  /** The response, once the handlers have run. */
  // biome-ignore lint/suspicious/noExplicitAny: Hono has a setter here that takes undefined too.
  res: any;
}

/** A middleware for Hono's `app.use`, and for whatever calls `(request, next)`. */
export interface WaygateFetchMiddleware {
  /** As Hono calls it: `next()` leaves the response in the context. */
  (context: HonoContextLike, next: () => Promise<void>): Promise<void>;
  /** As others call it: `next(request)` gives the response. */
  (request: Request, next: (request: Request) => Response | Promise<Response>): Promise<Response>;
}

/** Calls what stands behind the middleware, for one request. */
class Behind {
  readonly next: (request: Request) => Response | Promise<Response>;

  constructor(next: (request: Request) => Response | Promise<Response>) {
    this.next = next;
  }
}

/**
 * Makes a Fetch middleware of a middleware of applications. The application inside is what stands behind it, for example
 * Hono's routes. It gets the request as the middleware changed it. Its response passes back through the middleware.
 *
 * While a middleware only looks, request and response pass as they are. In Hono the changed request is `c.req.raw`; the route
 * was chosen before, so a changed path chooses no other.
 *
 * @param middleware the middleware, such as `(app) => compress(app)`
 * @param options those of the gateway around it, see `toFetch`
 * @returns a function for `app.use(…)` of Hono and for `(request, next) => Response`; where the middleware fails, it answers
 *   with a 500 and reports, as every gateway does
 * @throws {TypeError} for anything but a middleware, and for options of the wrong type
 * @example
 * const hono = new Hono();
 * hono.use(toFetchMiddleware((app) => secureHeaders(app)));
 */
export function toFetchMiddleware(middleware: Middleware, options: GatewayOptions = {}): WaygateFetchMiddleware {
  if (typeof middleware !== 'function') {
    throw new TypeError(
      `toFetchMiddleware was given ${describe(middleware)}; expected a middleware, a function that takes an application and returns one: (app) => compress(app).`,
    );
  }
  const app = middleware(fromFetch((request: Request, behind: Behind) => behind.next(request)));
  if (typeof app !== 'function') {
    throw new TypeError(
      `The middleware given to toFetchMiddleware returned ${describe(app)}; expected an application, a function of environ and startResponse.`,
    );
  }
  const gateway = new FetchGateway(app, prepareOptions(app, options), fetchPlatform);
  const handle = (
    request: Request,
    next: (request: Request) => Response | Promise<Response>,
    context: WaitContext | undefined,
  ): Response | Promise<Response> =>
    gateway.handle({ request, target: null, length: -1, platform: [new Behind(next)] }, context);

  const onHono = async (context: HonoContextLike, next: () => Promise<void>): Promise<void> => {
    const behind = async (request: Request): Promise<Response> => {
      if (request !== context.req.raw) context.req.raw = request;
      await next();
      return context.res as Response;
    };
    const response = await handle(context.req.raw, behind, waitContext(context));
    if (response === context.res) return;
    // Hono would put the headers of the response that was there into the one that takes its place.
    context.res = undefined;
    context.res = response;
  };
  const either = (first: Request | HonoContextLike, next: () => Promise<void>): unknown =>
    'req' in first
      ? onHono(first, next)
      : Promise.resolve(handle(first, next as unknown as (request: Request) => Promise<Response>, undefined));
  return either as WaygateFetchMiddleware;
}

/** Hono's context throws where the platform has no execution context. */
function waitContext(context: HonoContextLike): WaitContext | undefined {
  try {
    return (context as { executionCtx?: WaitContext }).executionCtx;
  } catch {
    return undefined;
  }
}
