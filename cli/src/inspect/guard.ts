// Who may use the inspector: pages of its own origin, and programs of this machine that name it by its own address. It
// refuses other names, which a hostile name server could lead here (DNS rebinding), and requests of other sites' pages.

import type { Environ, Middleware } from 'waygate';
import { encode } from 'waygate';

/** The names of this machine. */
const HOSTS = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Refuses what does not come from the inspector's own page.
 *
 * @param port the port that it listens on, once it does
 */
export function ownOriginOnly(port: () => number): Middleware {
  return (app) => (environ, startResponse) => {
    const refused = reason(environ, port());
    if (refused === undefined) return app(environ, startResponse);
    startResponse('403 Forbidden', [['Content-Type', 'text/plain; charset=utf-8']]);
    return [encode(`${refused}\n`)];
  };
}

function reason(environ: Environ, port: number): string | undefined {
  const host = String(environ.HTTP_HOST ?? '');
  const own = HOSTS.map((name) => `${name}:${port}`);
  if (!own.includes(host.toLowerCase())) {
    return `The Host of this request is ${JSON.stringify(host)}; expected ${own[0]}. Open http://${own[0]}/__waygate.`;
  }
  const origin = environ.HTTP_ORIGIN;
  if (origin !== undefined && origin !== `http://${host}`) {
    return `This request comes from a page of ${JSON.stringify(origin)}; the inspector answers its own page only.`;
  }
  // https://www.w3.org/TR/fetch-metadata/ A link elsewhere may open the page, which nobody but its reader sees then.
  const site = environ.HTTP_SEC_FETCH_SITE;
  const isNavigation = environ.HTTP_SEC_FETCH_MODE === 'navigate' && environ.REQUEST_METHOD === 'GET';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isNavigation) {
    return `This request comes from another site (Sec-Fetch-Site: ${site}); the inspector answers its own page only.`;
  }
  // A form of another site sends no JSON without asking first, and nobody answers that.
  const changes = environ.REQUEST_METHOD !== 'GET' && environ.REQUEST_METHOD !== 'HEAD';
  if (changes && !/^application\/json\b/i.test(String(environ.CONTENT_TYPE ?? ''))) {
    return `The type of this request is ${JSON.stringify(environ.CONTENT_TYPE ?? '')}; expected application/json.`;
  }
  return undefined;
}
