// Serves the example on node:http. Try `/`, `/fail`, `/late` and `/broken`.

import { serve } from 'waygate/node';
import app from './app.ts';

const { url } = await serve(app, { port: Number(process.env.PORT ?? 8000) });
console.log(`Waygate is serving examples/middleware on ${url}`);
