// Runs in Vercel's edge runtime: the conformance suite, with requests of the runtime's own make. Its wrapper around fetch
// events drops Content-Length from every response, so the suite calls the function itself; other tests go through the wrapper.

import { toVercel, type VercelContext } from '../../../adapters/fetch/presets/vercel/index.ts';
import { runEntry } from '../runtimes/suite.ts';
import { vercelEdge } from './capabilities.ts';
import { calledEntries } from './suite-function.ts';

interface EdgeEvent extends VercelContext {
  readonly request: Request;
  respondWith(response: Response | Promise<Response>): void;
  waitUntil(promise: Promise<unknown>): void;
}

declare const addEventListener: (type: 'fetch', listener: (event: EdgeEvent) => void) => void;

const entries = calledEntries(
  vercelEdge,
  (app, options) => toVercel(app, options).fetch,
  () => ({ waitUntil: (work: Promise<unknown>) => void work }),
);

const seen: Record<string, unknown> = {};
const { fetch: shown } = toVercel((environ, startResponse) => {
  for (const key of Object.keys(environ)) if (typeof environ[key] === 'string') seen[key] = environ[key];
  seen.geo = environ['waygate.geo'];
  seen.context = typeof environ['vercel.context']?.waitUntil;
  environ['waygate.wait_until'](Promise.resolve().then(() => Reflect.set(globalThis, 'isDone', true)));
  startResponse('200 OK', [
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  return [new TextEncoder().encode(JSON.stringify(seen))];
});

// What Vercel's own wrapper does around the default export of a function.
addEventListener('fetch', (event) => {
  const { pathname } = new URL(event.request.url);
  const context = { waitUntil: event.waitUntil.bind(event) };
  event.respondWith(pathname.startsWith('/run/') ? runEntry(entries, pathname) : shown(event.request, context));
});
