// Serves the hello example with Deno's own server: `deno run -A examples/deno/serve.ts`. The import map beside this file
// stands in for `deno add npm:waygate`.

import type { Middleware } from 'waygate';
import { toFetch } from 'waygate/fetch';
import app from '../hello/app.ts';

/** A `Request` does not name its client; what Deno passes along with it does. */
const withAddress: Middleware = (app) => (environ, startResponse) => {
  const [info] = environ['fetch.arguments'] as [Deno.ServeHandlerInfo<Deno.NetAddr>];
  environ.REMOTE_ADDR = info.remoteAddr.hostname;
  environ.REMOTE_PORT = String(info.remoteAddr.port);
  return app(environ, startResponse);
};

Deno.serve({ port: Number(Deno.env.get('PORT') ?? 8000) }, toFetch(withAddress(app)));
