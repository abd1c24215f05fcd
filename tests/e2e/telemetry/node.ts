import { serve } from 'waygate/node';
import { app } from './app.ts';

const { url } = await serve(app, { port: 0 });
console.log(url);
