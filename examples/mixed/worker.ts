// The three applications as a Worker: `npx wrangler dev --config examples/mixed/wrangler.toml`.

import { toWorker } from 'waygate/cloudflare-workers';
import app from './app.ts';

export default toWorker(app);
