// What `waygate build` makes for the presets' platforms, run by the platforms' own tools.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { AzureHost } from './presets/azure-host.ts';
import { packages } from './presets/tools.ts';
import { start, startDeno } from './runtimes/process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'waygate-preset-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const require = packages('.');
writeFileSync(join(folder, 'package.json'), '{ "name": "site", "type": "module" }');
writeFileSync(
  join(folder, 'app.ts'),
  `import { type Application, encode } from 'waygate';
const app: Application = async (environ, startResponse) => {
  const body = await environ['wsgi.input'].text();
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [encode([environ['waygate.gateway'], environ.SCRIPT_NAME, environ.PATH_INFO, body].join('|'))];
};
export default app;
`,
);

/** Builds the app with the command as it is published, and puts the platform's packages beside the result. */
function build(target: string): string {
  const args = [join(ROOT, 'cli/bin/waygate.js'), 'build', 'app.ts', '--target', target];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const out = join(folder, 'dist', target);
  symlinkSync(join(ROOT, 'tests/e2e/presets/node_modules'), join(out, 'node_modules'));
  return out;
}

/** A port that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Asks until there is somebody who answers. */
async function ask(url: string): Promise<string> {
  for (let turn = 0; turn < 150; turn++) {
    const response = await fetch(url, { method: 'POST', body: 'sent' }).catch(() => null);
    if (response !== null) return response.text();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Nobody answers at ${url}.`);
}

it('google-cloud: the command of the Functions Framework serves the folder', async () => {
  const out = build('google-cloud');
  const main = join(ROOT, 'tests/e2e/presets/node_modules/@google-cloud/functions-framework/build/src/main.js');
  const port = await freePort();
  // Says where it listens in words of its own.
  const code = `console.log('http://127.0.0.1:${port}'); process.argv.push('--target=app', '--source=${out}', '--port=${port}'); require(${JSON.stringify(main)});`;
  const framework = await start(process.execPath, ['-e', code]);
  try {
    expect(await ask(`${framework.url}/a/b`)).toBe('google-cloud||/a/b|sent');
  } finally {
    await framework.stop();
  }
});

it('azure-functions: the function registers with @azure/functions, and answers at the root', async () => {
  const out = build('azure-functions');
  const { main } = JSON.parse(readFileSync(join(out, 'package.json'), 'utf8')) as { main: string };
  const host = new AzureHost();
  await import(/* @vite-ignore */ pathToFileURL(join(out, main)).href);
  await host.start();
  const { extensions } = JSON.parse(readFileSync(join(out, 'host.json'), 'utf8'));
  const { port, close } = await host.listen('app', extensions.http.routePrefix);
  try {
    expect(await ask(`http://127.0.0.1:${port}/a/b`)).toBe('azure-functions||/a/b|sent');
  } finally {
    close();
  }
});

it('vercel-edge: the bundle runs in edge-runtime', async () => {
  const out = build('vercel-edge');
  const bundle = readFileSync(join(out, 'functions/index.func/index.mjs'), 'utf8');
  const [, served] = /export\s*\{\s*([\w$]+) as default\s*\}/.exec(bundle) ?? [];
  const { EdgeRuntime } = require('edge-runtime') as {
    EdgeRuntime: new (options: {
      initialCode: string;
    }) => {
      dispatchFetch(url: string, init: RequestInit): Promise<Response>;
    };
  };
  // The runtime takes scripts; what its wrapper does with the default export is done here.
  const script = `${bundle.replace(/export\s*\{[^}]*\};?/, '')}\naddEventListener('fetch', (event) => event.respondWith(${served}(event.request, event)));`;
  const edge = new EdgeRuntime({ initialCode: script });
  const response = await edge.dispatchFetch('https://site.example/a/b', { method: 'POST', body: 'sent' });
  expect(await response.text()).toBe('vercel||/a/b|sent');
});

it('deno-deploy: Deno runs the bundle', async () => {
  const out = build('deno-deploy');
  cpSync(join(out, 'index.mjs'), join(folder, 'deno.mjs'));
  // On a port of the system's choice, where Deno Deploy has one of its own.
  const first = "const { serve } = Deno; Deno.serve = (handler) => serve({ port: 0, hostname: '127.0.0.1' }, handler);";
  writeFileSync(join(folder, 'first.mjs'), first);
  writeFileSync(join(folder, 'both.mjs'), "import './first.mjs';\nimport './deno.mjs';\n");
  const deno = await startDeno(['--no-config', join(folder, 'both.mjs')]);
  try {
    expect(await ask(`${deno.url}/a/b`)).toBe('deno-deploy||/a/b|sent');
  } finally {
    await deno.stop();
  }
});
