// `waygate/deno-deploy`: applications on Deno Deploy, and on any `Deno.serve`.

import type { DenoServeInfo } from './to-deno.ts';

export { type DenoHandler, type DenoOptions, type DenoServeInfo, toDeno } from './to-deno.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** What Deno says about the connection. Cast it to `Deno.ServeHandlerInfo` for all of its members. */
    'deno.info'?: DenoServeInfo;
  }
}
