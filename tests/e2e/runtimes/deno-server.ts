// Runs in Deno: the conformance suite, each application on a `Deno.serve` of its own. Prints its own URL.

import { toFetch } from '../../../adapters/fetch/index.ts';
import type { Serve } from '../../../testing/index.ts';
import { deno } from './capabilities.ts';
import { runEntry, suiteEntries } from './suite.ts';

interface Server {
  readonly addr: { readonly port: number };
  shutdown(): Promise<void>;
}

/** What is used of the runtime: its types are no dependency of the project. */
declare const Deno: {
  serve(
    options: { port: number; hostname: string; signal?: AbortSignal; onListen(): void },
    fetch: (request: Request) => Promise<Response>,
  ): Server;
};

function start(fetch: (request: Request) => Promise<Response>, signal?: AbortSignal): Server {
  return Deno.serve({ port: 0, hostname: '127.0.0.1', signal, onListen() {} }, fetch);
}

const serve: Serve = (app, options) => {
  const stop = new AbortController();
  const handler = toFetch(app, options);
  const server = start((request) => handler(request), stop.signal);
  return {
    fetch: (path, init) => fetch(`http://127.0.0.1:${server.addr.port}${path}`, init),
    close: () => stop.abort(),
  };
};

const entries = suiteEntries(deno, serve);
const control = start((request) => runEntry(entries, new URL(request.url).pathname));
console.log(`http://127.0.0.1:${control.addr.port}`);
