// The targets that stand on a preset: the module that serves the app there, and the files that the platform's own tool wants.

import type { BuildOptions } from 'esbuild';

/** What `--target` takes for the platforms whose adapters are presets. */
export const PRESET_TARGETS = [
  'vercel',
  'vercel-edge',
  'netlify',
  'google-cloud',
  'azure-functions',
  'deno-deploy',
  'fastly',
  'bunny',
] as const;
export type PresetTarget = (typeof PRESET_TARGETS)[number];

/** Those that run Node, and so a Node listener, files and packages beside the bundle. */
export const ON_NODE: readonly PresetTarget[] = ['vercel', 'google-cloud', 'azure-functions'];

/** One of these targets. */
export interface Preset {
  /** For the help. */
  readonly title: string;
  /** The imports of the entry, and its last lines, which serve `application`. */
  readonly entry: readonly [imports: string, serving: string];
  readonly bundler: BuildOptions;
  /** Whether Node's own modules are there. */
  readonly hasNode: boolean;
  /** The folder of the result that holds the bundle. */
  readonly codeFolder?: string;
  /** The files beside the bundle, from the folder of the result. */
  files(name: string): Record<string, string>;
}

/** Where functions run on Node: the newest that all of them have. */
const NODE_RUNTIME = 'nodejs24.x';

const NODE: BuildOptions = { platform: 'node', target: 'node20', conditions: [] };
/** A runtime with the interfaces of a browser's worker, and no Node. */
const EDGE: BuildOptions = { platform: 'browser', target: 'es2022', conditions: ['worker', 'browser'] };

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** https://vercel.com/docs/build-output-api: `vercel deploy --prebuilt` takes it from `.vercel/output`. */
function vercelOutput(config: object): Record<string, string> {
  const routes = [{ handle: 'filesystem' }, { src: '/(.*)', dest: '/index' }];
  return { 'config.json': json({ version: 3, routes }), 'functions/index.func/.vc-config.json': json(config) };
}

/** A function as a package of its own, which the platform installs. */
function manifest(name: string, dependencies: Record<string, string>): string {
  return json({ name, private: true, type: 'module', main: 'index.mjs', dependencies });
}

export const PRESETS: Record<PresetTarget, Preset> = {
  vercel: {
    title: 'Vercel Functions on Node',
    entry: ["import { toVercel } from 'waygate/vercel';", 'export default toVercel(application);'],
    bundler: NODE,
    hasNode: true,
    codeFolder: 'functions/index.func',
    files: () =>
      vercelOutput({
        runtime: NODE_RUNTIME,
        handler: 'index.mjs',
        launcherType: 'Nodejs',
        shouldAddHelpers: false,
        supportsResponseStreaming: true,
      }),
  },
  'vercel-edge': {
    title: 'Vercel Edge Functions',
    entry: ["import { toVercel } from 'waygate/vercel';", 'export default toVercel(application).fetch;'],
    bundler: { ...EDGE, conditions: ['edge-light', 'worker', 'browser'] },
    hasNode: false,
    codeFolder: 'functions/index.func',
    files: () => vercelOutput({ runtime: 'edge', entrypoint: 'index.mjs' }),
  },
  netlify: {
    title: 'Netlify Functions',
    entry: [
      "import { toNetlify } from 'waygate/netlify';",
      "export default toNetlify(application);\nexport const config = { path: '/*', preferStatic: true };",
    ],
    bundler: NODE,
    hasNode: true,
    codeFolder: 'functions',
    // The site's own files go into `public`.
    files: () => ({
      'netlify.toml': '[build]\npublish = "public"\n\n[functions]\ndirectory = "functions"\n',
      'public/.gitkeep': '',
    }),
  },
  'google-cloud': {
    title: 'Google Cloud Run functions',
    entry: [
      "import { toGoogleCloud } from 'waygate/google-cloud';",
      'const served = toGoogleCloud(application);\nexport { served as app };',
    ],
    bundler: NODE,
    hasNode: true,
    files: (name) => ({ 'package.json': manifest(name, { '@google-cloud/functions-framework': '^5.0.0' }) }),
  },
  'azure-functions': {
    title: 'Azure Functions',
    entry: [
      "import { app as functions } from '@azure/functions';\nimport { toAzureFunctions } from 'waygate/azure-functions';",
      [
        "const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];",
        "const options = { methods, authLevel: 'anonymous', route: '{*path}' };",
        "functions.http('app', { ...options, handler: toAzureFunctions(application) });",
      ].join('\n'),
    ],
    bundler: { ...NODE, external: ['@azure/functions'] },
    hasNode: true,
    files: (name) => ({
      // Without a prefix the app answers at the root.
      'host.json': json({ version: '2.0', extensions: { http: { routePrefix: '' } } }),
      'package.json': manifest(name, { '@azure/functions': '^4.16.0' }),
    }),
  },
  'deno-deploy': {
    title: 'Deno Deploy',
    entry: ["import { toDeno } from 'waygate/deno-deploy';", 'globalThis.Deno.serve(toDeno(application));'],
    bundler: { ...NODE, target: 'es2022', conditions: ['deno', 'node'], external: ['npm:*', 'jsr:*'] },
    hasNode: true,
    files: () => ({}),
  },
  fastly: {
    title: 'Fastly Compute',
    entry: ["import { toFastly } from 'waygate/fastly';", "addEventListener('fetch', toFastly(application));"],
    bundler: { ...EDGE, conditions: ['fastly', 'worker', 'browser'], external: ['fastly:*'] },
    hasNode: false,
    files: (name) => ({
      'fastly.toml': [
        'manifest_version = 3',
        `name = ${JSON.stringify(name)}`,
        'language = "javascript"',
        '',
        '[scripts]',
        'build = "npx js-compute-runtime index.mjs bin/main.wasm"',
        '',
      ].join('\n'),
      'package.json': json({
        name,
        private: true,
        type: 'module',
        devDependencies: { '@fastly/js-compute': '^3.46.0' },
      }),
    }),
  },
  bunny: {
    title: 'bunny.net Edge Scripting',
    entry: [
      "import * as BunnySDK from '@bunny.net/edgescript-sdk';\nimport { toBunny } from 'waygate/bunny';",
      'BunnySDK.net.http.serve(toBunny(application));',
    ],
    bundler: { ...EDGE, external: ['@bunny.net/edgescript-sdk'] },
    hasNode: false,
    files: () => ({}),
  },
};
