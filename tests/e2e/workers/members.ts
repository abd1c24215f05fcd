// The listener of tests/adapters/node/members.ts as a Worker, for `wrangler dev` in tests/e2e/members-workers.test.ts.

import { toWorker } from 'waygate/cloudflare-workers';
import { fromNode } from 'waygate/node';
import { lookAtMembers } from '../../adapters/node/members.ts';

export default toWorker(fromNode(lookAtMembers));
