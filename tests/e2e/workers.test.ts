// toWorker in `wrangler dev`, over a socket: in the wrangler for Node 20, and in that of today on Node 24.

import { workerd } from './runtimes/capabilities.ts';
import { OWN_WRANGLER, wranglerDevBy, wranglerOfToday } from './runtimes/process.ts';
import { remoteConformance } from './runtimes/remote-conformance.ts';

for (const wrangler of [OWN_WRANGLER, wranglerOfToday()]) {
  remoteConformance(`toWorker in ${wrangler.title} dev`, workerd, () =>
    wranglerDevBy(wrangler, 'tests/e2e/workers/suite.toml'),
  );
}
