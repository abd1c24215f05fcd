// The Node adapter, and toFetch under Node, on the Node versions that the unit tests do not run on.

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { NODE_WAYS } from './runtimes/capabilities.ts';
import { nodeRuntime, start } from './runtimes/process.ts';
import { remoteConformance } from './runtimes/remote-conformance.ts';

const SERVER = 'tests/e2e/runtimes/node-server.ts';

for (const version of ['22.23.3', '24.21.0', '26.10.0']) {
  const node = nodeRuntime(version);
  test(`node ${version} is what it says`, () => {
    expect(execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()).toBe(version);
  });
  for (const way of Object.keys(NODE_WAYS) as (keyof typeof NODE_WAYS)[]) {
    remoteConformance(`${way} on node ${version}`, NODE_WAYS[way], () => start(node, [SERVER, way]));
  }
}
