// The Hono app as a Worker: `npx wrangler dev --config examples/hono/wrangler.toml`.

import { toWorker } from 'waygate/cloudflare-workers';
import { fromFetch } from 'waygate/fetch';
import app from './app.ts';

export default toWorker(fromFetch(app));
