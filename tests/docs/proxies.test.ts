// docs/proxies.md keeps its word: its program runs, its table of what proxyFix makes of headers is so, its links lead
// somewhere. Its configurations are run by tests/e2e/proxies-docs.test.ts.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/proxies.md'), 'utf8');

test('the program of the page sees the client behind one proxy, and keeps connections longer than it', async () => {
  const code = /^```ts proxied\.ts\n([\s\S]*?)^```$/m.exec(page)?.[1] as string;
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build', 'proxies-'));
  const listen = vi.spyOn(http.Server.prototype, 'listen');
  try {
    writeFileSync(join(folder, 'proxied.ts'), code.replace('port: 8000', 'port: 0, signals: false'));
    await import(/* @vite-ignore */ pathToFileURL(join(folder, 'proxied.ts')).href);
    const server = listen.mock.instances[0] as unknown as http.Server;
    expect(server.keepAliveTimeout).toBe(75_000);
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a?b`, { headers })).text();
    const forwarded = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'example.com' };
    expect(await ask({ ...forwarded, 'X-Forwarded-For': '6.6.6.6, 203.0.113.7' })).toBe(
      '203.0.113.7 asked for https://example.com/a?b\n',
    );
    expect(await ask({ ...forwarded, 'X-Forwarded-For': '203.0.113.7, :::::' })).toMatch(/^somebody asked for /);
    server.closeAllConnections();
    server.close();
  } finally {
    listen.mockRestore();
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each(['docs/proxies.md', 'SECURITY.md'])('the links of %s lead somewhere', (name) => {
  const text = readFileSync(join(root, name), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target as string);
  expect(targets.length).toBeGreaterThan(0);
  for (const target of targets) expect(existsSync(join(root, dirname(name), target)), target).toBe(true);
});

test('README.md leads to both', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const name of ['docs/proxies.md', 'SECURITY.md']) expect(readme).toContain(`](${name})`);
});
