// What a bundle costs: only what is imported. Each middleware and each adapter has a size that it stays below.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packages that leave something in the bundle of these statements, and its size in bytes. */
async function bundled(
  contents: string,
  platform: 'browser' | 'node' = 'browser',
): Promise<{ packages: string[]; files: string[]; inputs: string[]; bytes: number }> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    metafile: true,
    platform,
    minify: true,
    treeShaking: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const names = inputs.flatMap(([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  const files = inputs.map(([path]) => path).filter((path) => path.startsWith('middleware/'));
  return {
    packages: [...new Set(names)].sort(),
    files,
    inputs: inputs.map(([path]) => path),
    bytes: output?.bytes ?? 0,
  };
}

test('the core and a Worker hold no package and no middleware', async () => {
  const { packages, files } = await bundled(`
    import { encode, ResponseHeaders, run } from './core/index.ts';
    import { toWorker } from './adapters/cloudflare-workers/index.ts';
    export default toWorker(() => []);
    export { encode, ResponseHeaders, run };`);
  expect({ packages, files }).toEqual({ packages: [], files: [] });
});

test('an application that reads no form holds no parser of forms', async () => {
  const { inputs } = await bundled(`export { encode, query, run } from './core/index.ts';`);
  expect(inputs).toContain('core/query.ts');
  expect(inputs.filter((path) => /form|multipart/.test(path))).toEqual([]);
});

test('mount alone holds no package, and no other middleware', async () => {
  const { packages, files } = await bundled(`
    import { mount } from './middleware/index.ts';
    export default mount({});`);
  expect({ packages, files }).toEqual({ packages: [], files: ['middleware/mount.ts'] });
});

test.each([
  ['accessLog', [], 16_000],
  ['requestId', [], 16_000],
  ['cors', [], 16_000],
  ['secureHeaders', [], 16_000],
  ['basicAuth', [], 16_000],
  ['methodOverride', [], 16_000],
  ['redirectToHttps', [], 16_000],
  ['timeout', [], 16_000],
  ['cascade', [], 20_000],
  ['errorPage', ['content-type', 'negotiator'], 24_000],
  ['cookies', ['cookie'], 12_000],
  ['compress', ['content-type', 'negotiator'], 30_000],
  ['conditional', [], 22_000],
  ['staticFiles', ['content-type', 'mrmime', 'negotiator'], 45_000],
])('%s holds the packages that it names, and stays small', async (name, expected, most) => {
  const { packages, bytes } = await bundled(`
    import { ${name} } from './middleware/index.ts';
    export default ${name};`);
  expect(packages).toEqual(expected);
  expect(bytes).toBeLessThan(most);
});

test.each([
  ['toLambda', 'adapters/aws-lambda', 60_000],
  ['toWorker', 'adapters/cloudflare-workers', 45_000],
  ['toFetch', 'adapters/fetch', 45_000],
  ['toNode', 'adapters/node', 64_000],
])('%s holds no package, and stays small', async (name, folder, most) => {
  const { packages, bytes } = await bundled(`export { ${name} } from './${folder}/index.ts';`, 'node');
  expect(packages).toEqual([]);
  expect(bytes).toBeLessThan(most);
});
