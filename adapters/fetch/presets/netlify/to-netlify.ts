// Serves an application as a Netlify Function, or as an Edge Function: both are called with a `Request` and a context.

import { prepareOptions } from '../../../../core/environ.ts';
import { addGeo } from '../../../../core/geo.ts';
import { encodeWsgi } from '../../../../core/strings.ts';
import type { Application, GatewayOptions } from '../../../../core/types.ts';
import type { WaitContext } from '../../../../core/work.ts';
import { fetchPlatform } from '../../environ.ts';
import { FetchGateway } from '../../gateway.ts';
import type { FetchPlatform } from '../../platform.ts';
import { presetCall } from '../../preset.ts';

/** Options of {@link toNetlify}. */
export type NetlifyOptions = GatewayOptions;

/** What is used of Netlify's `Context`; it has more. (Netlify docs, "Functions API: Context object") */
export interface NetlifyContext {
  /** The client's address. */
  readonly ip?: string;
  /** The id of the request in Netlify's logs. */
  readonly requestId?: string;
  /** Where the client seems to be. */
  readonly geo?: NetlifyGeo;
  /** Keeps the function running until the promise has settled. */
  waitUntil?(promise: Promise<unknown>): void;
}

/** `context.geo`. */
export interface NetlifyGeo {
  /** The city's name. */
  readonly city?: string;
  /** The country: ISO 3166-1 code and name. */
  readonly country?: { readonly code?: string; readonly name?: string };
  /** The state or province: ISO 3166-2 code and name. */
  readonly subdivision?: { readonly code?: string; readonly name?: string };
  /** In degrees. */
  readonly latitude?: number;
  /** In degrees. */
  readonly longitude?: number;
  /** The postal code. */
  readonly postalCode?: string;
  /** The time zone's name. */
  readonly timezone?: string;
}

/** A Netlify Function; fits their `Handler` type of functions with `Request` and `Context`. */
export type NetlifyFunction = (request: Request, context: NetlifyContext) => Response | Promise<Response>;

const facts: FetchPlatform = {
  ...fetchPlatform,
  gateway: 'netlify',
  // Netlify starts as many instances as it likes.
  multiprocess: true,
  addKeys(environ, { platform = [] }) {
    const context = platform[0] as NetlifyContext | undefined;
    if (context === undefined) return;
    environ['netlify.context'] = context;
    // As Hono's own adapter for Netlify hands it to an app: `c.env.context`.
    environ['fetch.arguments'] = [{ context }];
    const { ip, requestId, geo } = context;
    if (ip) environ.REMOTE_ADDR = encodeWsgi(ip);
    if (requestId) environ['waygate.request_id'] = requestId;
    if (geo) {
      const { country, subdivision } = geo;
      addGeo(environ, { ...geo, country: country?.code, region: subdivision?.code });
    }
  },
};

/**
 * Serves an application as a Netlify Function: export the result as default, and a `config` with its path.
 *
 * `environ['netlify.context']` is Netlify's context. Its address is `REMOTE_ADDR`, its id `waygate.request_id`, its place
 * `waygate.geo`, and its `waitUntil` is `waygate.wait_until`.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * // netlify/functions/app.ts
 * export default toNetlify(app);
 * export const config = { path: '/*' };
 */
export function toNetlify(app: Application, options: NetlifyOptions = {}): NetlifyFunction {
  const gateway = new FetchGateway(app, prepareOptions(app, options), facts);
  return (request, context) => {
    const call = presetCall('toNetlify', EXPECTED, request, context ? [context] : []);
    return gateway.handle(call, typeof context?.waitUntil === 'function' ? (context as WaitContext) : undefined);
  };
}

const EXPECTED =
  'a Request, as Netlify calls the default export of netlify/functions/app.ts: `export default toNetlify(app)`, not `handler`';
