// `toWorker` in workerd, under Miniflare, against a bare Worker and a Hono app.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { generator, load } from '../lib/load.mjs';
import { inTurns } from '../lib/rounds.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const version = (name) => JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8')).version;

export const title = 'Cloudflare Workers: one workerd, 50 connections';

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
    `workerd ${version('workerd')}, miniflare ${version('miniflare')}, hono ${version('hono')}; ${generator}\n`,
  );
  return [
    await measure('GET, a page of 14 bytes', HELLO, 14, rounds, seconds),
    await measure(`GET, a stream of ${PIECES} pieces of 16 KiB`, STREAM, PIECES * 16_384, rounds, seconds),
  ];
}

async function measure(title, sources, length, rounds, seconds) {
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
    for (const { miniflare } of workers) await miniflare.dispose();
  }
}

/** Bundles a Worker as wrangler does, and serves it on a port of its own. */
async function start([name, contents]) {
  const stdin = { contents, resolveDir: root, sourcefile: `${name}.js` };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: 'esm', write: false });
  const script = outputFiles[0].text;
  const miniflare = new Miniflare({
    modules: true,
    script,
    compatibilityDate: '2026-04-01',
    host: '127.0.0.1',
    port: 0,
  });
  return { name, miniflare, url: (await miniflare.ready).origin };
}
