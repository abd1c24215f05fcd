// fromFetch on the Node versions that the unit tests do not run on: on 22 a light request can stand in for a real one, on
// 24 and 26, which keep a request's state in private fields, none can; the handler must not notice.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeRuntime, OTHER_NODE_VERSIONS } from '../../tools/node-runtimes.mjs';
import { type Running, start } from './runtimes/process.ts';

describe.each(OTHER_NODE_VERSIONS)('a hosted handler on node %s', (version) => {
  let server: Running;
  beforeAll(async () => {
    server = await start(nodeRuntime(version), ['tests/e2e/runtimes/hosted-server.ts']);
  });
  afterAll(() => server?.stop());

  const form = new FormData();
  form.set('a', 'é');
  test.each([
    ['/kind', 'x', [true, true, '[object Request]', 'follow', 'node']],
    ['/text', 'Grüße', 'Grüße'],
    ['/json', '{"a":[1]}', { a: [1] }],
    ['/bytes', 'Grüße', 7],
    ['/form', form, [['a', 'é']]],
    ['/stream', 'x'.repeat(100_000), 'x'.repeat(100_000)],
    ['/clone', 'body', ['body', 'body', true]],
    ['/copy', 'body', ['POST', 'yes', true, 'body', true]],
    ['/fetch', 'passed on', 'passed on'],
    ['/twice', 'body', 'TypeError'],
  ] as [string, BodyInit, unknown][])('%s', async (path, body, expected) => {
    const response = await fetch(`${server.url}${path}`, { method: 'POST', body });
    expect(await response.json()).toEqual(expected);
  });

  test('a GET, a text in memory, a failure', async () => {
    expect(await (await fetch(`${server.url}/kind`)).json()).toHaveLength(5);
    expect(await (await fetch(`${server.url}/string`)).text()).toBe('text in memory');
    const failed = await fetch(`${server.url}/throws`);
    expect([failed.status, await failed.text()]).toEqual([500, '500 Internal Server Error\n']);
  });
});
