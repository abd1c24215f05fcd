// The platforms on which a bridge has to do the same: on Node on the connection's own objects and in memory, on Fetch, on Lambda.

import http from 'node:http';
import type { Application, GatewayOptions } from 'waygate';
import { fromLambda, toLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { toNode } from 'waygate/node';
import { type Call, copies, listening } from './hosting.ts';

/** Serves an application while `work` runs. */
export type AppWay = (app: Application, work: (call: Call) => unknown, options?: GatewayOptions) => Promise<void>;

const silent: GatewayOptions = { errors: () => {} };

export const APP_WAYS: [name: string, way: AppWay][] = [
  ['on node', (app, work, options = silent) => listening(http.createServer(toNode(app, options)), work)],
  [
    'on node, behind a middleware',
    (app, work, options = silent) => listening(http.createServer(toNode(copies(app), options)), work),
  ],
  [
    'on a Fetch platform',
    async (app, work, options = silent) => {
      const handler = toFetch(app, options);
      await work((path, init) => handler(`http://localhost${path}`, init));
    },
  ],
  [
    'on Lambda',
    async (app, work, options = silent) => {
      const handler = toFetch(fromLambda(toLambda(app, options), { source: 'function-url' }), silent);
      await work((path, init) => handler(`http://localhost${path}`, init));
    },
  ],
];
