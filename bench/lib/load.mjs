// Makes load on a server: with `wrk` where it is installed, which takes the least from the machine, else with autocannon.

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CONNECTIONS = 50;

/** @typedef {{ path: string, method?: string, headers?: Record<string, string>, body?: string }} Load */

/** What makes the load, with its version. */
export const generator = wrkVersion() ?? 'autocannon';

/**
 * Keeps 50 connections busy, one request at a time on each.
 *
 * @param {string} origin
 * @param {Load} load
 * @param {number} seconds
 * @returns {Promise<number>} how many requests were answered with a 2xx status
 * @throws when any was not
 */
export async function load(origin, load, seconds) {
  return generator === 'autocannon' ? withAutocannon(origin, load, seconds) : withWrk(origin, load, seconds);
}

function wrkVersion() {
  try {
    // It prints its version with its usage, and leaves with a status of 1.
    execFileSync('wrk', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    return /^wrk \S+/.exec(error.stdout ?? '')?.[0];
  }
}

async function withWrk(origin, { path, method = 'GET', headers = {}, body }, seconds) {
  const folder = mkdtempSync(join(tmpdir(), 'waygate-bench-'));
  try {
    const script = join(folder, 'load.lua');
    const lines = [
      `wrk.method = ${JSON.stringify(method)}`,
      ...Object.entries(headers).map(
        ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
      ),
      ...(body === undefined ? [] : [`wrk.body = ${JSON.stringify(body)}`]),
      // wrk takes whole seconds only; this one says how long it really took.
      'done = function(s) io.write(string.format("RESULT %d %d %d\\n", s.requests, s.errors.status, s.errors.read + s.errors.write + s.errors.connect)) end',
    ];
    writeFileSync(script, `${lines.join('\n')}\n`);
    const args = [
      '-t1',
      `-c${CONNECTIONS}`,
      `-d${Math.max(1, Math.round(seconds))}s`,
      '-s',
      script,
      `${origin}${path}`,
    ];
    const { stdout } = await run('wrk', args);
    const [, requests, badStatus, failed] = /RESULT (\d+) (\d+) (\d+)/.exec(stdout) ?? [];
    if (Number(badStatus) > 0 || Number(failed) > 0) throw new Error(`not every request was answered well:\n${stdout}`);
    return Number(requests);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withAutocannon(origin, { path, method = 'GET', headers, body }, seconds) {
  const { default: autocannon } = await import('autocannon');
  const result = await autocannon({
    url: `${origin}${path}`,
    method,
    headers,
    body,
    connections: CONNECTIONS,
    duration: Math.max(1, Math.round(seconds)),
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(
      `not every request was answered well: ${result.non2xx} with another status, ${result.errors} failed`,
    );
  }
  return result['2xx'];
}
