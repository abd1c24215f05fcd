// examples/bun and examples/deno, in the real runtimes.

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { type Running, runtime, startBun, startDeno } from './runtimes/process.ts';

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

// `npm run types` leaves these two examples out: each needs globals that the rest of the project must not see.

/** Runs a type checker. */
function check(command: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, output: stdout + stderr };
}

test('examples/bun is right by the types of Bun', () => {
  runtime('bun'); // with its types
  const tsc = ['node_modules/typescript/bin/tsc', '--project', 'tests/e2e/runtimes/tsconfig.bun.json'];
  expect(check(process.execPath, ...tsc)).toEqual({ status: 0, output: '' });
});

test('examples/deno is right by the types of Deno, and so is all of the library that it imports', () => {
  const args = ['check', '--no-lock', '--config', 'examples/deno/deno.json', 'examples/deno/serve.ts'];
  expect(check(runtime('deno'), ...args)).toMatchObject({ status: 0 });
});
