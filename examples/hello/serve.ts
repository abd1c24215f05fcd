// Serves the example on node:http: `npm start`, or `PORT=3000 npm start`.

import { serve } from 'waygate/node';
import app from './app.ts';

const { url } = await serve(app, { port: Number(process.env.PORT ?? 8000) });
console.log(`Waygate is serving examples/hello on ${url}`);
