// Serves an application as a Vercel Function, on Node and on the edge runtime. Both call a handler with a `Request`.

import { prepareOptions } from '../../core/environ.ts';
import { addGeo } from '../../core/geo.ts';
import { decodeWsgi } from '../../core/strings.ts';
import type { Application, Environ, GatewayOptions } from '../../core/types.ts';
import { decodePath } from '../../core/url.ts';
import type { WaitContext } from '../../core/work.ts';
import { fetchPlatform } from '../fetch/environ.ts';
import { FetchGateway } from '../fetch/gateway.ts';
import type { FetchPlatform } from '../fetch/platform.ts';
import { presetCall } from '../fetch/preset.ts';

/** Options of {@link toVercel}. */
export type VercelOptions = GatewayOptions;

/** What Vercel tells a function besides the request. (Vercel docs, "Functions API Reference") */
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
 * `x-vercel-id`, `x-vercel-ip-*`)
 */
function addEdgeKeys(environ: Environ): void {
  const { HTTP_X_REAL_IP: address, HTTP_X_VERCEL_ID: id, HTTP_X_VERCEL_IP_CITY: city } = environ;
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
 * @throws {TypeError} for an application that is no function or an option of the wrong type
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
      return gateway.handle(presetCall('toVercel', EXPECTED, request, [context]), waiting as WaitContext | undefined);
    },
  };
}

const EXPECTED =
  'a Request, as Vercel calls it when api/index.ts has `export default toVercel(app)` (edge runtime: `.fetch` of it)';
