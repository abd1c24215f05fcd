// The Express app as a Worker: `npx wrangler dev --config examples/express/wrangler.toml`.

import { toWorker } from 'waygate/cloudflare-workers';
import app from './app.ts';

export default toWorker(app);
