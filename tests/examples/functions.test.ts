// The examples of functions, called as their platforms call them.

import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { app as googleCloud } from '../../examples/functions/google-cloud.ts';
import netlify, { config as netlifyConfig } from '../../examples/functions/netlify.ts';
import { onRequest } from '../../examples/functions/pages.ts';
import vercel from '../../examples/functions/vercel.ts';
import vercelEdge, { config as edgeConfig } from '../../examples/functions/vercel-edge.ts';

const folder = fileURLToPath(new URL('../../examples/functions/', import.meta.url));
const request = (path = '/some/path?q=1') => new Request(`https://site.example${path}`);

it.each([
  ['vercel', () => vercel.fetch(request())],
  ['vercel-edge', () => vercelEdge(request(), { waitUntil() {} })],
  ['netlify', () => netlify(request(), { ip: '192.0.2.1' })],
])('%s answers', async (_name, ask) => {
  expect(await (await ask()).text()).toContain('/some/path');
});

it('netlify takes every path, and the edge function says its runtime', () => {
  expect(netlifyConfig).toEqual({ path: '/*', preferStatic: true });
  expect(edgeConfig).toEqual({ runtime: 'edge' });
});

it('google-cloud is an HTTP function', async () => {
  const server = http.createServer(googleCloud);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    expect(await (await fetch(`http://127.0.0.1:${port}/some/path`)).text()).toContain('/some/path');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it('pages sends files of the site first, and the application answers the rest', async () => {
  const ASSETS = {
    fetch: async ({ url }: Request) =>
      new URL(url).pathname === '/logo.txt' ? new Response('a file') : new Response(null, { status: 404 }),
  };
  const ask = (path: string) => onRequest({ request: request(path), env: { ASSETS }, waitUntil() {} });
  expect(await (await ask('/logo.txt')).text()).toBe('a file');
  expect(await (await ask('/some/path')).text()).toContain('/some/path');
});

it('every example bundles, with nothing but its platform outside', async () => {
  for (const name of readdirSync(folder)) {
    const { outputFiles } = await build({
      entryPoints: [folder + name],
      bundle: true,
      write: false,
      format: 'esm',
      platform: name === 'google-cloud.ts' ? 'node' : 'browser',
      external: ['@azure/functions', '@bunny.net/edgescript-sdk'],
      logLevel: 'silent',
    });
    expect(outputFiles[0]?.text.length, name).toBeGreaterThan(1000);
  }
});

it('docs/functions.md shows what the examples are made of', () => {
  const page = readFileSync(new URL('../../docs/functions.md', import.meta.url), 'utf8');
  for (const name of readdirSync(folder)) {
    const served = readFileSync(folder + name, 'utf8').match(/\bto[A-Z]\w+\(/)?.[0];
    expect(page, name).toContain(served);
  }
});
