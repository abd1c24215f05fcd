// Runs in workerd: the conformance suite, each application as a Worker that is reached over a socket. The suite's client is
// workerd's own `fetch`; a header tells for which of the applications a request is.

import { toWorker, type Worker } from '../../../adapters/cloudflare-workers/index.ts';
import type { Serve } from '../../../testing/index.ts';
import { workerd } from '../runtimes/capabilities.ts';
import { type Entry, runEntry, suiteEntries } from '../runtimes/suite.ts';
import { nativeResponse, textHeaders } from './native-fetch.ts';

const HEADER = 'Waygate-Site';
/** Numbers the requests: the `wrangler dev` of today sends a GET or HEAD again whose response fails, up to three times. */
const NUMBER = 'Waygate-Request';
const seen = new Set<string>();
let requests = 0;
const sites = new Map<string, Worker>();
let origin = '';
let count = 0;

const serve: Serve = (app, options) => {
  const id = String(count++);
  sites.set(id, toWorker(app, options));
  return {
    async fetch(path, init) {
      const headers = textHeaders(init);
      headers.set(HEADER, id);
      headers.set(NUMBER, String(requests++));
      return nativeResponse(await fetch(`${origin}${path}`, { ...init, headers, redirect: 'manual' }));
    },
    close: () => void sites.delete(id),
  };
};

/** Made by the first request: the tests of the suite hold what workerd lets no module make. */
let entries: Entry[] | undefined;

const suiteWorker: Worker = {
  fetch(request, env, ctx) {
    // Cloudflare's test pool cannot do without Node's globals; this run shows that Waygate can.
    if ('process' in globalThis || 'Buffer' in globalThis) return new Response('nodejs_compat is on', { status: 500 });
    const id = request.headers.get(HEADER);
    const number = request.headers.get(NUMBER);
    if (number !== null) {
      if (seen.has(number)) throw new Error('wrangler dev has sent this request again');
      seen.add(number);
    }
    if (id !== null) return sites.get(id)?.fetch(request, env, ctx) ?? new Response('no such site', { status: 404 });
    const url = new URL(request.url);
    origin = url.origin;
    entries ??= suiteEntries(workerd, serve);
    return runEntry(entries, url.pathname);
  },
};

export default suiteWorker;
