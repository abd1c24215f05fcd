// The configurations of docs/proxies.md, as they stand there, in front of a server behind proxyFix: nothing that a client
// sends decides who it is.

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { proxyFix } from 'waygate/middleware';
import { serve } from 'waygate/node';
import { program, type RunningProxy, startHaproxyWith, startNginxWith } from './proxies/proxy.ts';

const page = readFileSync(new URL('../../docs/proxies.md', import.meta.url), 'utf8');

function block(language: string): string {
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1];
  if (found === undefined) throw new Error(`docs/proxies.md has no block of ${language}`);
  return found;
}

/** The text with each of these in place of what stands there, which must be there. */
function replaced(text: string, pairs: Record<string, string>): string {
  return Object.entries(pairs).reduce((made, [from, to]) => {
    if (!made.includes(from)) throw new Error(`the block has no "${from}"`);
    return made.replaceAll(from, to);
  }, text);
}

const running: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop();
});

const show: Application = proxyFix(
  (environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'application/json']]);
    const { REMOTE_ADDR, HTTP_HOST, SCRIPT_NAME } = environ;
    return [encode(JSON.stringify([REMOTE_ADDR, environ['wsgi.url_scheme'], HTTP_HOST, SCRIPT_NAME]))];
  },
  { for: true, proto: true, host: true, prefix: true },
);

const FORGED = [
  ['X-Forwarded-For', '6.6.6.6'],
  ['X-Forwarded-For', '"'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'evil.example'],
  ['X-Forwarded-Port', '666'],
  ['X-Forwarded-Prefix', '/evil'],
  ['Forwarded', 'for=6.6.6.6;proto=https;host=evil.example'],
] as [string, string][];

const PROXIES: Record<'nginx' | 'haproxy', (backend: string) => Promise<RunningProxy>> = {
  nginx: (backend) =>
    startNginxWith((port) =>
      replaced(block('nginx'), { '127.0.0.1:8000': backend, 'listen 8080': `listen 127.0.0.1:${port}` }),
    ),
  haproxy: (backend) =>
    startHaproxyWith((port) =>
      replaced(block('haproxy'), { '127.0.0.1:8000': backend, 'bind :8080': `bind 127.0.0.1:${port}` }),
    ),
};

describe.each(['nginx', 'haproxy'] as const)('%s, configured as docs/proxies.md says', (name) => {
  test.skipIf(program(name) === null)('lets no client choose its address, scheme, host or prefix', async () => {
    const served = await serve(show, { port: 0, host: '127.0.0.1', signals: false, shutdownTimeout: 100 });
    running.push({ stop: () => served.close() });
    const proxy = await PROXIES[name](`127.0.0.1:${served.port}`);
    running.push(proxy);
    for (const headers of [[], FORGED]) {
      const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { headers });
      expect(await response.json()).toEqual(['127.0.0.1', 'http', `127.0.0.1:${proxy.port}`, '']);
    }
  });
});
