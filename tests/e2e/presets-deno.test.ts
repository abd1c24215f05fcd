// The presets of platforms that are built on Deno: toDeno on Deno.serve, and toBunny under bunny.net's SDK, over a socket. The
// conformance suite runs each night.

import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bunny } from './presets/capabilities.ts';
import { packages, runsLarge } from './presets/tools.ts';
import { deno } from './runtimes/capabilities.ts';
import { type Running, startDeno } from './runtimes/process.ts';
import { remoteConformance } from './runtimes/remote-conformance.ts';

const startSuite = (): Promise<Running> => startDeno(['--no-config', 'tests/e2e/presets/deno-suite.ts']);

async function startBunny(): Promise<Running> {
  packages('.');
  const args = ['--no-config', '--node-modules-dir=manual', 'tests/e2e/presets/bunny-suite.ts'];
  const running = await startDeno(args, { PORT: String(await freePort()) });
  // The SDK says nothing when it listens.
  for (let turn = 0; turn < 200; turn++) {
    if (await fetch(running.url).catch(() => null)) return running;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The script does not answer.\n${running.output()}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

if (runsLarge) {
  remoteConformance('toDeno on Deno.serve', deno, startSuite);
  remoteConformance('toBunny under the SDK of bunny.net', bunny, startBunny);
}

describe('what the platform says of a request', () => {
  let suite: Running;
  let script: Running;
  beforeAll(async () => {
    [suite, script] = await Promise.all([startSuite(), startBunny()]);
  });
  afterAll(() => Promise.all([suite?.stop(), script?.stop()]));

  it('Deno: the connection’s other end, and EdgeRuntime where there is one', async () => {
    const response = await fetch(`${suite.url}/shown/a%2Fb?c`, { method: 'POST', body: 'text' });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const environ = await response.json();
    expect(environ).toMatchObject({
      'waygate.gateway': 'deno-deploy',
      REQUEST_URI: '/shown/a%2Fb?c',
      REMOTE_ADDR: '127.0.0.1',
      body: 'text',
      objects: expect.arrayContaining(['deno.info', 'fetch.request']),
    });
    expect(environ.REMOTE_PORT).toMatch(/^[0-9]+$/);
    expect(await (await fetch(`${suite.url}/waited`)).json()).toBe(1);
  });

  it('bunny.net: the headers of its edge', async () => {
    const headers = {
      'X-Real-IP': '192.0.2.1',
      'X-Forwarded-Proto': 'https',
      'CDN-RequestId': '9b2f61d0c4e84a1f',
      'CDN-RequestCountryCode': 'DE',
      'CDN-RequestStateCode': 'BY',
    };
    const environ = await (await fetch(`${script.url}/shown`, { headers })).json();
    expect(environ).toMatchObject({
      'waygate.gateway': 'bunny',
      'wsgi.url_scheme': 'https',
      REMOTE_ADDR: '192.0.2.1',
      'waygate.request_id': '9b2f61d0c4e84a1f',
      geo: { country: 'DE', region: 'BY' },
    });
  });
});
