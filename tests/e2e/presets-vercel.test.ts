// toVercel under `@vercel/node`, the development server of Vercel's Node functions. Nightly: it is large.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bundle } from './presets/bundle.ts';
import { vercelNode } from './presets/capabilities.ts';
import { packages, runsLarge } from './presets/tools.ts';
import { remoteConformance } from './runtimes/remote-conformance.ts';

interface VercelNode {
  startDevServer(options: object): Promise<{ port: number; pid: number; shutdown(): Promise<void> }>;
}

describe.runIf(runsLarge)('Vercel on Node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waygate-vercel-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Serves a program of these tests as api/index.js of a project. */
  async function start(program: string) {
    const { startDevServer } = packages('large')('@vercel/node') as VercelNode;
    mkdirSync(join(folder, 'api'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    await bundle(`./${program}.ts`, join(folder, 'api/index.js'));
    const server = await startDevServer({
      entrypoint: 'api/index.js',
      workPath: folder,
      repoRootPath: folder,
      config: {},
      files: {},
      meta: {},
    });
    return {
      url: `http://127.0.0.1:${server.port}`,
      pid: server.pid,
      hasEnded: () => false,
      output: () => '',
      stop: () => server.shutdown(),
    };
  }

  remoteConformance('toVercel under @vercel/node', vercelNode, () => start('vercel-suite'), {
    'lacks anyMethod': 'the server ends with a TypeError at a method that it does not know',
  });

  it('has the edge’s address, id, scheme and place, and the context of the request', async () => {
    const { url, stop } = await start('vercel-suite');
    try {
      const headers = {
        'x-forwarded-host': 'site.example',
        'x-forwarded-proto': 'https',
        'x-real-ip': '192.0.2.1',
        'x-vercel-id': 'fra1::abcde-1',
        'x-vercel-ip-country': 'DE',
        'x-vercel-ip-city': 'M%C3%BCnchen',
      };
      const ask = (): Promise<Response> => fetch(`${url}/shown/a%2Fb?c`, { method: 'POST', body: 'text', headers });
      const response = await ask();
      expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
      const environ = (await response.json()) as Record<string, unknown>;
      expect(environ).toMatchObject({
        'waygate.gateway': 'vercel',
        'wsgi.url_scheme': 'https',
        HTTPS: 'on',
        SERVER_PORT: '443',
        HTTP_HOST: 'site.example',
        REQUEST_URI: '/shown/a%2Fb?c',
        REMOTE_ADDR: '192.0.2.1',
        'waygate.request_id': 'fra1::abcde-1',
        geo: { country: 'DE', city: 'München' },
        body: 'text',
      });
      expect(environ.objects).toContain('vercel.context');
      await expect.poll(async () => ((await (await ask()).json()) as { done: number }).done).toBeGreaterThan(0);
    } finally {
      await stop();
    }
  });
});
