// The Hono app as a Worker: `npx wrangler dev --config examples/hono/wrangler.toml`.

import { toWorker } from 'waygate/cloudflare-workers';
import app from './app.ts';

export default toWorker(app);
