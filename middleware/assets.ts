// Static assets of Cloudflare Workers, through their binding. (Cloudflare docs, "Static Assets: binding")

import { describe } from '../core/errors.ts';
import type { AnsweringSource } from '../core/file-source.ts';

/** The request headers that change which asset is sent, or whether one is. */
const PASSED_ON: readonly [key: string, name: string][] = [
  ['HTTP_IF_NONE_MATCH', 'If-None-Match'],
  ['HTTP_IF_MODIFIED_SINCE', 'If-Modified-Since'],
  ['HTTP_RANGE', 'Range'],
  ['HTTP_IF_RANGE', 'If-Range'],
];

/**
 * The assets of a Worker for `staticFiles`. Types, tags, index pages and redirects are those of the platform, by the
 * section `assets` of its configuration.
 *
 * @param binding the name of the binding
 * @example export default toWorker(staticFiles(assets(), { fallback: app }));
 */
export function assets(binding = 'ASSETS'): AnsweringSource {
  return {
    async respond(path, environ) {
      const bindings = environ['cloudflare.env'] as Record<string, { fetch?(request: Request): Promise<Response> }>;
      const fetcher = bindings?.[binding];
      if (typeof fetcher?.fetch !== 'function') {
        throw new TypeError(
          `The binding ${binding} is ${describe(fetcher)}; expected that of static assets: add "binding": "${binding}" to "assets" in the configuration of the Worker.`,
        );
      }
      const headers = new Headers({ 'Accept-Encoding': 'identity' });
      for (const [key, name] of PASSED_ON) {
        const value = environ[key];
        if (typeof value === 'string') headers.set(name, value);
      }
      const method = String(environ.REQUEST_METHOD);
      const response = await fetcher.fetch(
        new Request(`http://assets.local${path}`, { method, headers, redirect: 'manual' }),
      );
      if (response.status !== 404) return response;
      await response.body?.cancel();
      return null;
    },
  };
}
