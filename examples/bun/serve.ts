// Serves the hello example with Bun's own server: `bun examples/bun/serve.ts`.

import { toFetch } from 'waygate/fetch';
import app from '../hello/app.ts';

/** A `Request` does not name its client; the server that Bun passes along with it does. */
const remoteAddr = (request: Request, server: Bun.Server<undefined>) => server.requestIP(request);

const server = Bun.serve({ port: Number(process.env.PORT ?? 8000), fetch: toFetch(app, { remoteAddr }) });
console.log(`Waygate is serving examples/hello on ${server.url}`);
