// Runs in Deno: the conformance suite with toDeno, each application on a `Deno.serve` of its own, and at /shown an
// application that answers with its environ. Prints its own URL.

import { toDeno } from '../../../adapters/fetch/presets/deno-deploy/index.ts';
import type { Serve } from '../../../testing/index.ts';
import { deno } from '../runtimes/capabilities.ts';
import { runEntry, suiteEntries } from '../runtimes/suite.ts';
import { shown } from './shown.ts';

/** What is used of the runtime: its types are no dependency of the project. */
declare const Deno: {
  serve(
    options: { port: number; hostname: string; signal?: AbortSignal; onListen(): void },
    fetch: (request: Request, info: object) => Response | Promise<Response>,
  ): { readonly addr: { readonly port: number } };
};

const listening = { port: 0, hostname: '127.0.0.1', onListen() {} };

const serve: Serve = (app, options) => {
  const stop = new AbortController();
  const server = Deno.serve({ ...listening, signal: stop.signal }, toDeno(app, options));
  return {
    fetch: (path, init) => fetch(`http://127.0.0.1:${server.addr.port}${path}`, init),
    close: () => stop.abort(),
  };
};

// As on Supabase, for the requests at /shown.
const waited: unknown[] = [];
Object.assign(globalThis, { EdgeRuntime: { waitUntil: (work: unknown) => waited.push(work) } });

const entries = suiteEntries(deno, serve);
const show = toDeno(shown);
const control = Deno.serve(listening, (request, info) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/waited') return Response.json(waited.length);
  return pathname.startsWith('/shown') ? show(request, info) : runEntry(entries, pathname);
});
console.log(`http://127.0.0.1:${control.addr.port}`);
