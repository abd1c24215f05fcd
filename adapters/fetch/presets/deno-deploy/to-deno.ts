// Serves an application with `Deno.serve`: on Deno Deploy, on Supabase, and wherever Deno runs.

import { prepareOptions } from '../../../../core/environ.ts';
import { encodeWsgi } from '../../../../core/strings.ts';
import type { Application, GatewayOptions } from '../../../../core/types.ts';
import type { WaitContext } from '../../../../core/work.ts';
import { fetchPlatform } from '../../environ.ts';
import { FetchGateway } from '../../gateway.ts';
import type { FetchPlatform } from '../../platform.ts';
import { presetCall } from '../../preset.ts';

/** Options of {@link toDeno}. */
export type DenoOptions = GatewayOptions;

/** What is used of `Deno.ServeHandlerInfo`. (Deno docs, "Deno.serve") */
export interface DenoServeInfo {
  /** The other end of the connection: with `hostname` and `port`, or the path of a Unix socket. */
  readonly remoteAddr?: { readonly hostname?: string; readonly port?: number };
}

/** What `Deno.serve` calls for each request. */
export type DenoHandler = (request: Request, info?: DenoServeInfo) => Response | Promise<Response>;

/** What runs functions of Supabase: the only one of them that ends an instance while work goes on. */
interface Runtime {
  readonly EdgeRuntime?: WaitContext;
}

const facts: FetchPlatform = {
  ...fetchPlatform,
  gateway: 'deno-deploy',
  // Deno Deploy runs as many instances as it likes; and Deno serves with several threads where it is told to.
  multiprocess: true,
  addKeys(environ, { platform = [] }) {
    const info = platform[0] as DenoServeInfo | undefined;
    if (info === undefined) return;
    environ['deno.info'] = info;
    environ['fetch.arguments'] = platform;
    const { hostname, port } = info.remoteAddr ?? {};
    // A Unix socket has neither.
    if (!hostname) return;
    environ.REMOTE_ADDR = encodeWsgi(hostname);
    if (port !== undefined) environ.REMOTE_PORT = String(port);
  },
};

/**
 * Serves an application with `Deno.serve`, on Deno Deploy and elsewhere. `REMOTE_ADDR` and `REMOTE_PORT` are those of the
 * connection, and `environ['deno.info']` is what Deno passes about it. Where there is a global `EdgeRuntime`, as on
 * Supabase, its `waitUntil` is `waygate.wait_until`.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * Deno.serve(toDeno(app));
 */
export function toDeno(app: Application, options: DenoOptions = {}): DenoHandler {
  const gateway = new FetchGateway(app, prepareOptions(app, options), facts);
  return (request, info) => {
    const call = presetCall('toDeno', EXPECTED, request, info === undefined ? [] : [info]);
    return gateway.handle(call, (globalThis as Runtime).EdgeRuntime);
  };
}

const EXPECTED = 'a Request, as Deno calls it: `Deno.serve(toDeno(app))`';
