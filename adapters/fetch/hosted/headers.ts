// The headers that a Fetch handler sees, made from environ.

import { headerName } from '../../../core/environ.ts';
import type { Environ } from '../../../core/types.ts';

/** The request headers in environ: `HTTP_*`, `CONTENT_TYPE` and `CONTENT_LENGTH`, by their names in lower case. */
export function hostedHeaders(environ: Environ): [string, string][] {
  const headers: [string, string][] = [];
  for (const key in environ) {
    if (!key.startsWith('HTTP_')) continue;
    const value = environ[key];
    if (typeof value === 'string') headers.push([headerName(key), value]);
  }
  if (environ.CONTENT_TYPE !== undefined) headers.push(['content-type', environ.CONTENT_TYPE]);
  if (environ.CONTENT_LENGTH !== undefined) headers.push(['content-length', environ.CONTENT_LENGTH]);
  return headers;
}
