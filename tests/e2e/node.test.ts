// The Node adapter, and toFetch under Node, on the Node versions that the unit tests do not run on.

import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeRuntime, OTHER_NODE_VERSIONS } from '../../tools/node-runtimes.mjs';
import { httpCases } from '../adapters/node/http-cases-run.ts';
import { NODE_WAYS } from './runtimes/capabilities.ts';
import { type Running, start } from './runtimes/process.ts';
import { remoteConformance } from './runtimes/remote-conformance.ts';

const SERVER = 'tests/e2e/runtimes/node-server.ts';

for (const version of OTHER_NODE_VERSIONS) {
  const node = nodeRuntime(version);
  test(`node ${version} is what it says`, () => {
    expect(execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim()).toBe(version);
  });
  describe(`raw requests on node ${version}`, () => {
    let probe: Running;
    beforeAll(async () => {
      probe = await start(node, [SERVER, 'probe']);
    });
    afterAll(() => probe.stop());
    httpCases(() => Number(new URL(probe.url).port));
  });
  for (const way of Object.keys(NODE_WAYS) as (keyof typeof NODE_WAYS)[]) {
    remoteConformance(`${way} on node ${version}`, NODE_WAYS[way], () => start(node, [SERVER, way]));
  }
}
