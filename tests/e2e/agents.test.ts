// Waygate beside tracing agents and inside Google's Functions Framework: real packages, installed when first asked for.
//
// WAYGATE_AGENTS: "all" runs every test of the node adapter under each agent, as each night does; default: a third of them

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HERE = `${ROOT}tests/e2e/agents/`;

beforeAll(() => {
  if (existsSync(`${HERE}node_modules/@sentry/node`)) return;
  const args = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', args, { cwd: HERE, stdio: ['ignore', 'ignore', 'inherit'] });
}, 300_000);

/** Runs a program; its status and all it printed. */
async function run(command: string[], env: Record<string, string>): Promise<{ status: number; output: string }> {
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [status] = await once(child, 'close');
  return { status, output };
}

const ALL = process.env.WAYGATE_AGENTS === 'all';

describe.each([
  ['opentelemetry', '1/3'],
  ['sentry', '2/3'],
])('under %s', (agent, part) => {
  it('the tests of the node adapter pass', async () => {
    const shard = ALL ? [] : [`--shard=${part}`];
    const tests = ['run', '--project', 'unit', ...shard, 'tests/adapters/node'];
    const seen = await run(['node_modules/vitest/vitest.mjs', ...tests], {
      NODE_OPTIONS: `--require=${HERE}${agent}.cjs`,
    });
    const failed = seen.output.split('\n').filter((line) => /^\s*(?:×|FAIL|Error:|AssertionError:)/.test(line));
    expect(failed).toEqual([]);
    expect(seen.output).toMatch(/Tests +\d{3,} passed/);
    expect(seen.status).toBe(0);
  }, 600_000);
});

describe("in Google's Functions Framework", () => {
  it('a function has its body, with a length and in chunks', async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [`${HERE}node_modules/@google-cloud/functions-framework/build/src/main.js`], {
      cwd: HERE,
      env: { ...process.env, FUNCTION_TARGET: 'echo', FUNCTION_SOURCE: 'function.mjs', PORT: String(port) },
      stdio: 'inherit',
    });
    try {
      await expect
        .poll(
          () =>
            fetch(`http://127.0.0.1:${port}/`).then(
              () => true,
              () => false,
            ),
          { timeout: 20_000 },
        )
        .toBe(true);
      for (const [type, body] of [
        ['application/json', '{"a": "ü"}'],
        ['text/plain', 'plain'],
        ['application/octet-stream', Uint8Array.from({ length: 256 }, (_, at) => at)],
        ['application/x-www-form-urlencoded', 'a=1&b=%C3%BC'],
      ] as const) {
        for (const streamed of [false, true]) {
          const response = await fetch(`http://127.0.0.1:${port}/`, {
            method: 'POST',
            headers: { 'Content-Type': type },
            body: streamed ? new Response(body).body : body,
            duplex: 'half',
          } as RequestInit);
          expect([response.status, response.headers.getSetCookie()]).toEqual([201, ['a=1', 'b=2']]);
          expect(new Uint8Array(await response.arrayBuffer())).toEqual(
            new Uint8Array(await new Response(body).arrayBuffer()),
          );
        }
      }
    } finally {
      child.kill();
    }
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
