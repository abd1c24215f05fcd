// Serves the example on node:http. `curl -N localhost:8000/events`, `curl -T big.file -X POST localhost:8000/echo`.

import { serve } from 'waygate/node';
import app from './app.ts';

const { url } = await serve(app, { port: Number(process.env.PORT ?? 8000) });
console.log(`Waygate is serving examples/streaming on ${url}`);
