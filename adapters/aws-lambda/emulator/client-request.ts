// The request that stands behind an environ, as an event source would receive it.

import { isHopByHop } from '../../../core/check.ts';
import { decodeWsgi, textFromNative } from '../../../core/strings.ts';
import type { Environ } from '../../../core/types.ts';
import { asciiTarget, encodedPathInfo } from '../../../core/url.ts';
import type { ClientRequest } from './emulator.ts';

/**
 * Reads a request out of environ, its body included. The path is `PATH_INFO` in the encoding that was sent: a mount prefix
 * is not in the URL that the event source sees.
 */
export async function clientRequest(environ: Environ): Promise<ClientRequest> {
  const body = await environ['wsgi.input'].bytes();
  const path = asciiTarget(encodedPathInfo(environ));
  const scheme = environ['wsgi.url_scheme'];
  return {
    method: environ.REQUEST_METHOD,
    path: path.charCodeAt(0) === 0x2f ? path : `/${path === '*' ? '' : path}`,
    query: asciiTarget(environ.QUERY_STRING),
    headers: headersOf(environ, body),
    body,
    scheme,
    host: hostOf(environ),
    port: environ.SERVER_PORT,
    protocol: environ.SERVER_PROTOCOL,
    clientAddress: decodeWsgi(environ.REMOTE_ADDR ?? '127.0.0.1'),
    time: Date.now(),
    id: crypto.randomUUID(),
  };
}

function headersOf(environ: Environ, body: Uint8Array): [string, string][] {
  const headers: [string, string][] = [['host', hostOf(environ)]];
  for (const [key, value] of Object.entries(environ)) {
    if (!key.startsWith('HTTP_') || key === 'HTTP_HOST' || typeof value !== 'string') continue;
    const name = key.slice(5).toLowerCase().replaceAll('_', '-');
    if (!isHopByHop(name)) headers.push([name, textFromNative(value)]);
  }
  if (environ.CONTENT_TYPE !== undefined) headers.push(['content-type', textFromNative(environ.CONTENT_TYPE)]);
  // A body that came without a length has one by now.
  if (environ.CONTENT_LENGTH !== undefined || body.byteLength > 0) {
    headers.push(['content-length', String(body.byteLength)]);
  }
  return headers;
}

function hostOf(environ: Environ): string {
  if (environ.HTTP_HOST) return textFromNative(environ.HTTP_HOST);
  const { SERVER_NAME: name, SERVER_PORT: port } = environ;
  return port === (environ['wsgi.url_scheme'] === 'https' ? '443' : '80') ? name : `${name}:${port}`;
}
