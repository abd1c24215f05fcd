// B17: a hosted listener's request, response and socket in workerd have what Node's own have, and can be called alike.

import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missing } from '../adapters/node/members.ts';
import { ask, askMembers, askOutcomes, realServer } from '../adapters/node/members-ask.ts';
import { type Running, wranglerDev } from './runtimes/process.ts';

describe('what a hosted listener has in workerd', () => {
  const server = realServer();
  let dev: Running;
  let real: string;
  beforeAll(async () => {
    dev = await wranglerDev('tests/e2e/workers/members.toml');
    real = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await dev?.stop();
  });

  test('is all that a listener of Node has', async () => {
    expect(missing(await askMembers(real), await askMembers(dev.url))).toEqual([]);
  });

  test('can be called as on Node', async () => {
    const members = await askMembers(real);
    const expected = await askOutcomes(real, members);
    expect(expected).toMatchObject({ 'response.addTrailers': 'undefined', 'response.setTimeout': 'itself' });
    expect(await askOutcomes(dev.url, members)).toEqual(expected);
  });

  test('hears of a timeout', async () => {
    expect(await ask(`${dev.url}/timeout`)).toBe('late');
  });
});
