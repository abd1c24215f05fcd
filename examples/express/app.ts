// The Express app as an application: what serve.ts, worker.ts and lambda.ts carry to their platforms.

import type { Application } from 'waygate';
import { fromNode } from 'waygate/node';
import express from './express.ts';

const app: Application = fromNode(express);

export default app;
