// The conformance suite inside a function: it gets its own requests through the platform's server again, each with a header
// that says which application is meant.

import type { Application, GatewayOptions } from '../../../core/types.ts';
import type { Capabilities, ServedApp } from '../../../testing/index.ts';
import { type Entry, runEntry, suiteEntries } from '../runtimes/suite.ts';

/** A function as the platform calls it: the request, and what comes with it. */
export type AnyFunction = (request: Request, ...rest: never[]) => Response | Promise<Response>;

const HEADER = 'x-suite-app';

/**
 * A function that answers `/run/{index}` with the outcome of that test, and serves the applications of the tests.
 *
 * @param serve the preset
 */
export function suiteFunction(
  capabilities: Partial<Capabilities>,
  serve: (app: Application, options?: GatewayOptions) => AnyFunction,
): (request: Request, ...rest: unknown[]) => Promise<Response> {
  const served = new Map<string, AnyFunction>();
  let origin = '';
  let count = 0;
  const entries = suiteEntries(capabilities, (app, options): ServedApp => {
    const id = String(count++);
    served.set(id, serve(app, options));
    return {
      fetch(path, init = {}) {
        const headers = new Headers(init.headers);
        headers.set(HEADER, id);
        return fetch(`${origin}${path}`, { ...init, headers, duplex: 'half' } as RequestInit);
      },
      close: () => void served.delete(id),
    };
  });
  return async (request, ...rest) => {
    const id = request.headers.get(HEADER);
    const found = id === null ? undefined : served.get(id);
    if (found !== undefined) return found(request, ...(rest as never[]));
    // A late request of a test that is over.
    if (id !== null) return new Response(null, { status: 503 });
    origin = `http://${request.headers.get('host')}`;
    return runEntry(entries, new URL(request.url).pathname);
  };
}

/**
 * The conformance suite for functions whose platform has no memory from one request to the next, or changes responses on
 * their way: it calls the function with requests of the runtime's own make, and with the platform's context.
 *
 * @param serve the preset
 * @param context what the platform passes besides the request
 */
export function calledEntries(
  capabilities: Partial<Capabilities>,
  serve: (app: Application, options?: GatewayOptions) => AnyFunction,
  context: () => unknown,
): Entry[] {
  return suiteEntries(capabilities, (app, options): ServedApp => {
    const called = serve(app, options);
    return {
      async fetch(path, init) {
        const request = new Request(`https://site.example${path}`, { ...init, duplex: 'half' } as RequestInit);
        const { signal } = init ?? {};
        // As a fetch does that is aborted before there is a response.
        const left = new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
        return Promise.race([called(request, ...([context()] as never[])), left]);
      },
    };
  });
}
