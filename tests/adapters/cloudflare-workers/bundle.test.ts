// What a bundler takes along for `toWorker` and `toFetch`: nothing of hosted apps, which come with `fromFetch` alone.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The files of the adapters that leave something in the bundle of these statements. */
async function bundled(contents: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    metafile: true,
    minify: true,
    treeShaking: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return inputs
    .map(([path]) => /adapters\/(.+)/.exec(path)?.[1])
    .filter((path) => path !== undefined)
    .sort();
}

const FETCH = ['call', 'environ', 'foreign-body', 'gateway', 'passthrough', 'response'].map(
  (name) => `fetch/${name}.ts`,
);

test('toWorker', async () => {
  const files = await bundled(`
    import { toWorker } from './adapters/cloudflare-workers/index.ts';
    export default toWorker(() => []);`);
  expect(files).toEqual(['cloudflare-workers/environ.ts', 'cloudflare-workers/to-worker.ts', ...FETCH]);
});

test('toFetch', async () => {
  const files = await bundled(`
    import { toFetch } from './adapters/fetch/index.ts';
    export default toFetch(() => []);`);
  expect(files).toEqual([...FETCH, 'fetch/to-fetch.ts']);
});

test('fromFetch takes nothing of toFetch', async () => {
  const files = await bundled(`
    import { fromFetch } from './adapters/fetch/index.ts';
    export default fromFetch(() => new Response());`);
  expect(files).toContain('fetch/hosted/body.ts');
  expect(files).not.toContain('fetch/to-fetch.ts');
  expect(files).not.toContain('fetch/response.ts');
});
