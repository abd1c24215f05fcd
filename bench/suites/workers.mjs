// `toWorker` in workerd, under Miniflare and under `wrangler dev`, against a bare Worker and a Hono app.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { generator, load } from '../lib/load.mjs';
import { inTurns } from '../lib/rounds.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const version = (name) => JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8')).version;

export const title = 'Cloudflare Workers: one workerd, 50 connections';

const WRANGLER = `${root}node_modules/wrangler/bin/wrangler.js`;
const DATE = '2026-04-01';
const PIECES = 64;

const HELLO = {
  'a bare Worker': `
    export default { fetch: () => new Response('Hello, world!\\n', { headers: { 'Content-Type': 'text/plain' } }) };`,
  'waygate toWorker': `
    import { encode } from 'waygate';
    import { toWorker } from 'waygate/cloudflare-workers';
    export default toWorker((environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return [encode('Hello, world!\\n')];
    });`,
  Hono: `
    import { Hono } from 'hono';
    const app = new Hono();
    app.get('/', (c) => c.text('Hello, world!\\n'));
    export default app;`,
};

const STREAM = {
  'a bare Worker': `
    const piece = new Uint8Array(16384);
    export default {
      fetch() {
        let count = 0;
        return new Response(new ReadableStream({
          pull(controller) {
            if (count++ === ${PIECES}) controller.close();
            else controller.enqueue(piece.slice());
          },
        }, { highWaterMark: 0 }));
      },
    };`,
  'waygate toWorker': `
    import { toWorker } from 'waygate/cloudflare-workers';
    const piece = new Uint8Array(16384);
    export default toWorker(function* (environ, startResponse) {
      startResponse('200 OK', []);
      for (let count = 0; count < ${PIECES}; count++) yield piece;
    });`,
};

/** @param {{ rounds: number, seconds: number }} options */
export async function run({ rounds, seconds }) {
  console.log(
    `workerd ${version('workerd')}, miniflare ${version('miniflare')}, wrangler ${version('wrangler')}, hono ${version('hono')}; ${generator}\n`,
  );
  const page = 'GET, a page of 14 bytes';
  const stream = `GET, a stream of ${PIECES} pieces of 16 KiB`;
  return [
    await measure(page, HELLO, start, 14, rounds, seconds),
    await measure(stream, STREAM, start, PIECES * 16_384, rounds, seconds),
    await measure(`${page}, through wrangler dev`, HELLO, startWrangler, 14, rounds, seconds),
  ];
}

async function measure(title, sources, start, length, rounds, seconds) {
  const workers = await Promise.all(Object.entries(sources).map(start));
  try {
    for (const { name, url } of workers) {
      const body = await (await fetch(url)).arrayBuffer();
      if (body.byteLength !== length) throw new Error(`${name} answers with ${body.byteLength} bytes, not ${length}`);
      await load(url, { path: '/' }, seconds); // warms it up
    }
    const values = await inTurns(workers, rounds, async ({ url }) => {
      const start = performance.now();
      const requests = await load(url, { path: '/' }, seconds);
      return [requests / ((performance.now() - start) / 1000)];
    });
    const rows = workers.map(({ name }, index) => ({ name, values: values[index] }));
    return { title, baseline: 'a bare Worker', columns: [{ name: 'requests/s', digits: 0 }], rows };
  } finally {
    for (const { stop } of workers) await stop();
  }
}

/** Bundles a Worker as wrangler does. */
async function bundle(name, contents) {
  const stdin = { contents, resolveDir: root, sourcefile: `${name}.js` };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: 'esm', write: false });
  return outputFiles[0].text;
}

/** Serves a Worker on a port of its own. */
async function start([name, contents]) {
  const miniflare = new Miniflare({
    modules: true,
    script: await bundle(name, contents),
    compatibilityDate: DATE,
    host: '127.0.0.1',
    port: 0,
  });
  return { name, url: (await miniflare.ready).origin, stop: () => miniflare.dispose() };
}

/** The same by `wrangler dev`, whose own Workers stand before and around this one. */
async function startWrangler([name, contents]) {
  const folder = mkdtempSync(join(tmpdir(), 'waygate-bench-'));
  const main = join(folder, 'worker.mjs');
  writeFileSync(main, await bundle(name, contents));
  const address = ['--ip', '127.0.0.1', '--port', '0', '--inspector-port', '0'];
  const args = ['dev', main, '--name', 'bench', '--compatibility-date', DATE, '--no-bundle', ...address];
  const child = spawn(process.execPath, [WRANGLER, ...args, '--show-interactive-dev-session=false'], {
    cwd: folder,
    env: { ...process.env, CI: 'true', WRANGLER_SEND_METRICS: 'false' },
    // A group of its own: one signal ends what it has started.
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { name, url: await listening(child), stop };
}

/** The URL that a process prints. */
function listening(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (text) => {
      output += text;
      const url = /http:\/\/127\.0\.0\.1:[0-9]+/.exec(output)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`wrangler dev ended: ${output}`)));
  });
}
