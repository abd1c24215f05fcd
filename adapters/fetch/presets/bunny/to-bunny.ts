// Serves an application as a standalone script of bunny.net's Edge Scripting.

import { prepareOptions } from '../../../../core/environ.ts';
import { addForwardedScheme } from '../../../../core/forwarded-for.ts';
import { addGeo } from '../../../../core/geo.ts';
import type { Application, GatewayOptions } from '../../../../core/types.ts';
import { fetchPlatform } from '../../environ.ts';
import { FetchGateway } from '../../gateway.ts';
import type { FetchPlatform } from '../../platform.ts';
import { presetCall } from '../../preset.ts';

/** Options of {@link toBunny}. */
export type BunnyOptions = GatewayOptions;

/** What `BunnySDK.net.http.serve` calls for each request. */
export type BunnyHandler = (request: Request) => Response | Promise<Response>;

const facts: FetchPlatform = {
  ...fetchPlatform,
  gateway: 'bunny',
  // A script runs at many points of presence.
  multiprocess: true,
  addKeys(environ) {
    // bunny.net writes these, whatever a client sends. (bunny.net docs, "Request headers sent to your origin")
    const { HTTP_X_REAL_IP: address, HTTP_CDN_REQUESTID: id } = environ;
    addForwardedScheme(environ);
    if (address) environ.REMOTE_ADDR = address;
    if (id) environ['waygate.request_id'] = id;
    addGeo(environ, { country: environ.HTTP_CDN_REQUESTCOUNTRYCODE, region: environ.HTTP_CDN_REQUESTSTATECODE });
  },
};

/**
 * Serves an application as a standalone script of bunny.net's Edge Scripting. `REMOTE_ADDR`, `waygate.request_id` and
 * `waygate.geo` (country and state) come from the headers that bunny.net writes; outside of its network a client can send
 * them itself. The platform has no way to keep a script running: `waygate.wait_until` work goes on as long as it lets it.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * import * as BunnySDK from '@bunny.net/edgescript-sdk';
 * BunnySDK.net.http.serve(toBunny(app));
 */
export function toBunny(app: Application, options: BunnyOptions = {}): BunnyHandler {
  const gateway = new FetchGateway(app, prepareOptions(app, options), facts);
  return (request) => gateway.handle(presetCall('toBunny', EXPECTED, request, []), undefined);
}

const EXPECTED = 'a Request, as bunny.net calls it: `BunnySDK.net.http.serve(toBunny(app))`';
