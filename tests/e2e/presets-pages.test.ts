// toPagesFunction in workerd, under `wrangler pages dev`, with the files of a site.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './presets/bundle.ts';
import { type Running, start, WRANGLER, WRANGLER_ENV } from './runtimes/process.ts';

describe('a Pages site', () => {
  const site = mkdtempSync(join(tmpdir(), 'waygate-pages-'));
  let pages: Running;
  beforeAll(async () => {
    mkdirSync(join(site, 'public'));
    writeFileSync(join(site, 'public/logo.txt'), 'a file of the site\n');
    await bundle('./pages-function.ts', join(site, 'functions/[[path]].js'));
    // In the folder of the site: wrangler takes the configuration above the current folder as well.
    const args = ['pages', 'dev', 'public', '--ip', '127.0.0.1', '--port', '0', '--inspector-port', '0'];
    const more = ['--compatibility-date', '2026-04-01', '--show-interactive-dev-session=false'];
    const spawned = `require('node:child_process').spawn(process.execPath, ${JSON.stringify([WRANGLER, ...args, ...more])}, { cwd: ${JSON.stringify(site)}, stdio: 'inherit' })`;
    pages = await start(process.execPath, ['-e', spawned], WRANGLER_ENV);
  });
  afterAll(async () => {
    await pages?.stop();
    rmSync(site, { recursive: true, force: true });
  });

  it('sends its files, and the application answers the rest', async () => {
    const file = await fetch(`${pages.url}/logo.txt`);
    expect(await file.text(), pages.output()).toBe('a file of the site\n');
    const response = await fetch(`${pages.url}/a%2Fb?c`, { method: 'POST', body: 'text' });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const environ = (await response.json()) as { objects: string[] };
    expect(environ).toMatchObject({
      'waygate.gateway': 'cloudflare-workers',
      REQUEST_URI: '/a%2Fb?c',
      PATH_INFO: '/a/b',
      body: 'text',
    });
    expect(environ.objects).toEqual(expect.arrayContaining(['cloudflare.env', 'cloudflare.ctx']));
  });
});
