// toWorker in `wrangler dev`, over a socket.

import { workerd } from './runtimes/capabilities.ts';
import { wranglerDev } from './runtimes/process.ts';
import { remoteConformance } from './runtimes/remote-conformance.ts';

remoteConformance('toWorker in wrangler dev', workerd, () => wranglerDev('tests/e2e/workers/suite.toml'));
