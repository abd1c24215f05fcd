// toFetch on a real Deno server, over a socket.

import { deno } from './runtimes/capabilities.ts';
import { startDeno } from './runtimes/process.ts';
import { remoteConformance } from './runtimes/remote-conformance.ts';

remoteConformance('toFetch on Deno.serve', deno, () => startDeno(['--no-config', 'tests/e2e/runtimes/deno-server.ts']));
