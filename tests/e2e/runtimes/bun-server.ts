// Runs in Bun: the conformance suite, each application on a `Bun.serve` of its own. Prints its own URL.

import { toFetch } from '../../../adapters/fetch/index.ts';
import type { Serve } from '../../../testing/index.ts';
import { bun } from './capabilities.ts';
import { runEntry, suiteEntries } from './suite.ts';

interface Server {
  readonly port: number;
  stop(force: boolean): void;
}

/** What is used of the runtime: its types are no dependency of the project. */
declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    idleTimeout: number;
    fetch: (request: Request) => Promise<Response>;
  }): Server;
};

function start(fetch: (request: Request) => Promise<Response>): Server {
  return Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch });
}

const serve: Serve = (app, options) => {
  const server = start(toFetch(app, options));
  return {
    fetch: (path, init) => fetch(`http://127.0.0.1:${server.port}${path}`, init),
    close: () => server.stop(true),
  };
};

const entries = suiteEntries(bun, serve);
const control = start((request) => runEntry(entries, new URL(request.url).pathname));
console.log(`http://127.0.0.1:${control.port}`);
