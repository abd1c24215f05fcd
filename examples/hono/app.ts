// The Hono app as an application: what serve.ts, worker.ts and lambda.ts carry to their platforms.

import type { Application } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import hono from './hono.ts';

const app: Application = fromFetch(hono);

export default app;
