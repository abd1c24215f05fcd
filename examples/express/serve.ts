// Serves the Express app on node:http.

import { serve } from 'waygate/node';
import app from './app.ts';

const { url } = await serve(app, { port: Number(process.env.PORT ?? 8000) });
console.log(`Waygate is serving examples/express on ${url}`);
