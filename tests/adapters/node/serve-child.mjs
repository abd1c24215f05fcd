// A server in a process of its own, for signals: `node serve-child.mjs MODE [SHUTDOWN_TIMEOUT]`. Prints its port.
//   slow, endless   how long the response takes
//   timer           an open timer keeps the process; the response is slow
//   work            work goes on after the response
//   abort           the response ends when waygate.signal aborts
//   two             a second server beside it
//   cleanup         another listener for SIGTERM takes its time
//   fd              listens on descriptor 3

import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

// The sources are TypeScript; Vite, which comes with vitest, runs them without a build.
const { module } = await runnerImport(fileURLToPath(new URL('../../../adapters/node/index.ts', import.meta.url)));
const encoder = new TextEncoder();
const [mode, shutdownTimeout] = process.argv.slice(2);
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @type {import('waygate').Application} */
async function* app(environ, startResponse) {
  startResponse('200 OK', []);
  yield encoder.encode('begun,');
  if (mode === 'work') environ['waygate.wait_until'](wait(600).then(() => console.error('work done')));
  else if (mode === 'abort')
    await new Promise((resolve) => environ['waygate.signal'].addEventListener('abort', resolve));
  else await wait(mode === 'endless' ? 60_000 : 100);
  yield encoder.encode('finished');
}

const timeout = shutdownTimeout === undefined ? {} : { shutdownTimeout: Number(shutdownTimeout) };
const place = mode === 'fd' ? { fd: 3 } : { port: 0, host: '127.0.0.1' };
const { port } = await module.serve(app, { ...place, ...timeout });
if (mode === 'two') await module.serve(app, { port: 0, host: '127.0.0.1', ...timeout });
if (mode === 'timer' || mode === 'two') setInterval(() => {}, 1000);
if (mode === 'cleanup') process.on('SIGTERM', () => setTimeout(() => console.error('cleaned up'), 1200));
console.log(port);
