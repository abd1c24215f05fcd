// Lambda@Edge in reverse: what stands behind a request that the function lets pass on.

import { MemoryInput } from '../../../core/memory-input.ts';
import type { Environ } from '../../../core/types.ts';
import { decodePath, quotePath } from '../../../core/url.ts';
import { addHeaders } from '../event/request-headers.ts';
import { sentPath, sentQuery } from '../event/target.ts';
import type { ClientRequest } from './emulator.ts';
import { bytesOf, type JsonObject } from './response.ts';

/** Whether a result is a request, for CloudFront to go on with, and no response. */
export function isPassedOn(result: unknown): result is JsonObject {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return false;
  return (result as JsonObject).status === undefined && typeof (result as JsonObject).uri === 'string';
}

/**
 * The environ that the origin gets: the client's, with the path, query, headers and body as the function left them.
 *
 * @param passed the request out of the function's result
 * @param sent the request as the client sent it
 */
export function originEnviron(environ: Environ, passed: JsonObject, sent: ClientRequest): Environ {
  const origin: Environ = { ...environ };
  for (const key of Object.keys(origin)) if (key.startsWith('HTTP_') || key.startsWith('CONTENT_')) delete origin[key];
  for (const [name, records] of Object.entries((passed.headers ?? {}) as JsonObject)) {
    const values = [records].flat().map((record) => (record as { value?: unknown } | null)?.value);
    // CloudFront sends this to functions, not to the origin.
    if (name.toLowerCase() !== 'cloudfront-forwarded-proto') addHeaders(origin, { [name]: values });
  }
  const path = sentPath(passed.uri);
  const query = sentQuery(passed.querystring);
  const body = passed.body as { action?: string; data?: string; encoding?: string } | null | undefined;
  const bytes = body?.action === 'replace' ? bytesOf(body.data, body.encoding !== 'text') : sent.body;
  if (origin.CONTENT_LENGTH !== undefined || bytes.byteLength > 0) origin.CONTENT_LENGTH = String(bytes.byteLength);
  origin.PATH_INFO = decodePath(path);
  origin.QUERY_STRING = query;
  origin.REQUEST_URI = `${quotePath(origin.SCRIPT_NAME)}${path}${query === '' ? '' : `?${query}`}`;
  origin['wsgi.input'] = new MemoryInput(bytes);
  return origin;
}
