// Serves the hello example with Deno's own server: `deno run -A examples/deno/serve.ts`. The import map beside this file
// stands in for `deno add npm:waygate`.

import { toFetch } from 'waygate/fetch';
import app from '../hello/app.ts';

/** A `Request` does not name its client; what Deno passes along with it does. */
const remoteAddr = (_request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => ({
  address: info.remoteAddr.hostname,
  port: info.remoteAddr.port,
});

Deno.serve({ port: Number(Deno.env.get('PORT') ?? 8000) }, toFetch(app, { remoteAddr }));
