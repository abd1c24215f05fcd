// The column of Workers in README's matrix, in workerd itself.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COOKIES, KINDS } from '../docs/kinds.ts';
import { type Running, wranglerDev } from './runtimes/process.ts';

describe('apps that people have, in workerd', () => {
  let dev: Running;
  beforeAll(async () => {
    dev = await wranglerDev('tests/e2e/workers/kinds.toml');
  });
  afterAll(() => dev?.stop());

  const post = (kind: string) =>
    fetch(`${dev.url}/some/path?q=1&r=%20`, {
      method: 'POST',
      body: 'grüße',
      headers: { 'Content-Type': 'text/plain', 'X-Kind': kind },
    });

  test.each(Object.keys(KINDS).filter((kind) => kind !== 'Fastify'))('%s', async (kind) => {
    // The second time the app has been made already.
    for (let round = 0; round < 2; round++) {
      const response = await post(kind);
      expect(response.status).toBe(201);
      expect(response.headers.getSetCookie()).toEqual(COOKIES);
      expect(await response.json()).toEqual({ path: '/some/path', query: 'q=1&r=%20', body: 'grüße' });
    }
  });

  test('not Fastify, which makes code of its routes', async () => {
    expect((await post('Fastify')).status).toBe(500);
    await expect.poll(() => dev.output()).toContain('Code generation from strings disallowed');
  });
});
