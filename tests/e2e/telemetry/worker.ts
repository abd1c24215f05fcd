import { toWorker } from 'waygate/cloudflare-workers';
import { app } from './app.ts';

export default toWorker(app);
