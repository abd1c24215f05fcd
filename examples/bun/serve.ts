// Serves the hello example with Bun's own server: `bun examples/bun/serve.ts`.

import type { Middleware } from 'waygate';
import { toFetch } from 'waygate/fetch';
import app from '../hello/app.ts';

/** A `Request` does not name its client; the server that Bun passes along with it does. */
const withAddress: Middleware = (app) => (environ, startResponse) => {
  const [server] = environ['fetch.arguments'] as [Bun.Server<undefined>];
  const client = server.requestIP(environ['fetch.request'] as Request);
  if (client !== null) {
    environ.REMOTE_ADDR = client.address;
    environ.REMOTE_PORT = String(client.port);
  }
  return app(environ, startResponse);
};

const server = Bun.serve({ port: Number(process.env.PORT ?? 8000), fetch: toFetch(withAddress(app)) });
console.log(`Waygate is serving examples/hello on ${server.url}`);
