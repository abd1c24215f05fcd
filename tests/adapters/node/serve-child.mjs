// A server in a process of its own, for signals: `node serve-child.mjs slow|endless`. Prints its port.

import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

// The sources are TypeScript; Vite, which comes with vitest, runs them without a build.
const { module } = await runnerImport(fileURLToPath(new URL('../../../adapters/node/index.ts', import.meta.url)));
const encoder = new TextEncoder();

/** @type {import('waygate').Application} */
async function* app(_environ, startResponse) {
  startResponse('200 OK', []);
  yield encoder.encode('begun,');
  await new Promise((resolve) => setTimeout(resolve, process.argv[2] === 'slow' ? 100 : 60_000));
  yield encoder.encode('finished');
}

const { port } = await module.serve(app, { port: 0, host: '127.0.0.1', shutdownTimeout: 10_000 });
console.log(port);
