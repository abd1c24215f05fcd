// proxyFix inside workerd: what an address is, its own URL parser says there as well.

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { encode } from 'waygate';
import { toWorker } from 'waygate/cloudflare-workers';
import { proxyFix } from 'waygate/middleware';

const worker = toWorker(
  proxyFix(
    (environ, startResponse) => {
      startResponse('200 OK', []);
      return [encode(`${environ.REMOTE_ADDR ?? 'nobody'} ${environ.HTTP_HOST} ${environ.SCRIPT_NAME}`)];
    },
    { for: true, host: true, prefix: true },
  ),
);

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['[2001:db8::1]:4711', '2001:db8::1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['01.02.03.04', 'nobody'],
  ['256.1.1.1', 'nobody'],
  ['1.2.3', 'nobody'],
  [':::::', 'nobody'],
  ['1::2::3', 'nobody'],
  ['::1%eth0', 'nobody'],
  ['unknown', 'nobody'],
])('X-Forwarded-For: %s gives %s', async (value, address) => {
  const headers = {
    'CF-Connecting-IP': '10.0.0.1',
    'X-Forwarded-For': `6.6.6.6, ${value}`,
    'X-Forwarded-Host': '[:::::]',
    'X-Forwarded-Prefix': '/%2fevil.example',
  };
  const ctx = createExecutionContext();
  const response = await worker.fetch(new Request('https://example.com/', { headers }), {}, ctx);
  expect(await response.text()).toBe(`${address} example.com `);
  await waitOnExecutionContext(ctx);
});
