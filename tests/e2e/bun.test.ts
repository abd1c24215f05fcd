// toFetch on a real Bun server, over a socket.

import { bun } from './runtimes/capabilities.ts';
import { startBun } from './runtimes/process.ts';
import { remoteConformance } from './runtimes/remote-conformance.ts';

remoteConformance('toFetch on Bun.serve', bun, () => startBun('tests/e2e/runtimes/bun-server.ts'));
