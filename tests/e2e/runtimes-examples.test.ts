// examples/bun and examples/deno, in the real runtimes.

import { expect, test } from 'vitest';
import { type Running, startBun, startDeno } from './runtimes/process.ts';

async function page(running: Running, path: string): Promise<string> {
  try {
    const response = await fetch(`${running.url}${path}`);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    return await response.text();
  } finally {
    await running.stop();
  }
}

test('examples/bun serves with Bun.serve, and knows its client', async () => {
  const text = await page(await startBun('examples/bun/serve.ts', { PORT: '0' }), '/caf%C3%A9?a=b');
  expect(text).toContain('Hello from Waygate!');
  expect(text).toContain('REQUEST_URI: /caf%C3%A9?a=b\n');
  expect(text).toMatch(/^REMOTE_ADDR: (?:::ffff:127\.0\.0\.1|127\.0\.0\.1|::1)$/m);
  expect(text).toMatch(/^REMOTE_PORT: [0-9]+$/m);
});

test('examples/deno serves with Deno.serve, and knows its client', async () => {
  const running = await startDeno(['examples/deno/serve.ts'], { PORT: '0' });
  const text = await page(running, '/caf%C3%A9?a=b');
  expect(text).toContain('REQUEST_URI: /caf%C3%A9?a=b\n');
  expect(text).toMatch(/^REMOTE_ADDR: (?:::ffff:127\.0\.0\.1|127\.0\.0\.1|::1)$/m);
  expect(text).toMatch(/^REMOTE_PORT: [0-9]+$/m);
});
