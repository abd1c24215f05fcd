// Serves an application as a Vercel Function, on Node and on the edge runtime. Both call a handler with a `Request`.

import { prepareOptions } from '../../../../core/environ.ts';
import { addForwardedScheme } from '../../../../core/forwarded-for.ts';
import { addGeo } from '../../../../core/geo.ts';
import { decodeWsgi } from '../../../../core/strings.ts';
import { isThenable } from '../../../../core/thenable.ts';
import type { Application, Environ, GatewayOptions } from '../../../../core/types.ts';
import { decodePath } from '../../../../core/url.ts';
import type { WaitContext } from '../../../../core/work.ts';
import { fetchPlatform } from '../../environ.ts';
import { FetchGateway } from '../../gateway.ts';
import type { FetchPlatform } from '../../platform.ts';
import { presetCall } from '../../preset.ts';

/** Options of {@link toVercel}. */
export type VercelOptions = GatewayOptions;

/** What Vercel gives a function besides the request. (Vercel docs, "Functions API Reference") */
export interface VercelContext {
  /** Keeps the function running until the promise has settled, within the function's time limit. */
  waitUntil?(promise: Promise<unknown>): void;
  /** What the platform adds. */
  readonly [property: string]: unknown;
}

/** A Vercel Function. */
export interface VercelFunction {
  /** Answers one request; also the edge runtime's function. It needs no `this`. */
  fetch(request: Request, context?: VercelContext): Response | Promise<Response>;
}

/** Where the runtime keeps the context of the request under way. `@vercel/functions` reads it there as well. */
const REQUEST_CONTEXT: symbol = /* @__PURE__ */ Symbol.for('@vercel/request-context');

interface Runtime {
  readonly [key: symbol]: { get?(): VercelContext | undefined } | undefined;
  /** There on the edge runtime alone. (Vercel docs, "Edge Runtime: check if you're running on the Edge Runtime") */
  readonly EdgeRuntime?: unknown;
}

const facts: FetchPlatform = {
  ...fetchPlatform,
  gateway: 'vercel',
  // Vercel starts as many instances as it likes.
  multiprocess: true,
  addKeys(environ, { platform = [] }) {
    if (platform[0] !== undefined) environ['vercel.context'] = platform[0] as VercelContext;
    addEdgeKeys(environ);
  },
};

/**
 * Adds what the edge writes over whatever a client sends in these headers. (Vercel docs, "Request headers": `x-real-ip`,
 * `x-vercel-id`, `x-vercel-ip-*`, `x-forwarded-proto`)
 */
function addEdgeKeys(environ: Environ): void {
  const { HTTP_X_REAL_IP: address, HTTP_X_VERCEL_ID: id, HTTP_X_VERCEL_IP_CITY: city } = environ;
  addForwardedScheme(environ);
  if (address) environ.REMOTE_ADDR = address;
  if (id) environ['waygate.request_id'] = id;
  addGeo(environ, {
    country: environ.HTTP_X_VERCEL_IP_COUNTRY,
    region: environ.HTTP_X_VERCEL_IP_COUNTRY_REGION,
    // Percent-encoded, since header values are bytes.
    city: city && decodeWsgi(decodePath(city)),
    postalCode: environ.HTTP_X_VERCEL_IP_POSTAL_CODE,
    latitude: environ.HTTP_X_VERCEL_IP_LATITUDE,
    longitude: environ.HTTP_X_VERCEL_IP_LONGITUDE,
    timezone: environ.HTTP_X_VERCEL_IP_TIMEZONE,
  });
}

/**
 * Serves an application as a Vercel Function. On Node export the result as default; on the edge runtime export its `fetch`.
 *
 * `environ['vercel.context']` is the platform's context of the request, where there is one. `REMOTE_ADDR`,
 * `waygate.request_id` and `waygate.geo` are those that Vercel's edge found; under `vercel dev` there is no edge, and a client
 * can send these headers itself.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * // api/index.ts
 * export default toVercel(app);
 * @example
 * // api/index.ts, on the edge runtime
 * export const config = { runtime: 'edge' };
 * export default toVercel(app).fetch;
 */
export function toVercel(app: Application, options: VercelOptions = {}): VercelFunction {
  const gateway = new FetchGateway(app, prepareOptions(app, options), facts);
  return {
    fetch(request, given) {
      const context = (globalThis as Runtime)[REQUEST_CONTEXT]?.get?.() ?? given;
      const waiting = [given, context].find((each) => typeof each?.waitUntil === 'function');
      const call = presetCall('toVercel', EXPECTED, request, [context]);
      const response = gateway.handle(call, waiting as WaitContext | undefined);
      if ((globalThis as Runtime).EdgeRuntime !== undefined) return response;
      return isThenable(response) ? response.then(endingEarly) : endingEarly(response);
    },
  };
}

/**
 * On Node, Vercel copies a response body to its server without listening for an error. A body that fails would end the
 * process, and with it every other request. It ends early instead; the gateway has reported the failure, and a declared
 * `Content-Length` still shows it. (`@vercel/node`, "helpers-web")
 */
function endingEarly(response: Response): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
        } catch {
          // Ends below.
        }
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}

const EXPECTED =
  'a Request, as Vercel calls it when api/index.ts has `export default toVercel(app)` (edge runtime: `.fetch` of it)';
