// workerd's own `fetch` as a client of the conformance suite. The suite speaks native strings, one byte per character, as
// the Fetch standard does; workerd's headers hold text, so values go through UTF-8 both ways.

import { encodeWsgi, textFromNative } from '../../../core/strings.ts';

/** Request headers as workerd takes them. */
export function textHeaders(init: RequestInit | undefined): Headers {
  const headers = new Headers();
  for (const [name, value] of pairs(init?.headers)) headers.append(name, textFromNative(value));
  return headers;
}

function pairs(headers: HeadersInit | undefined): [string, string][] {
  if (headers === undefined) return [];
  if (headers instanceof Headers) return [...headers];
  return Array.isArray(headers) ? (headers as [string, string][]) : Object.entries(headers);
}

/** A response as the Fetch standard shows it. */
export function nativeResponse(response: Response): Response {
  const headers = new Headers();
  for (const [name, value] of response.headers) headers.append(name, encodeWsgi(value));
  const { status, body } = response;
  return new Response(body, { status, statusText: encodeWsgi(response.statusText), headers });
}

/** What `fetch` does with a signal: it rejects when that aborts before there is a response. */
export function abortable(response: Promise<Response>, signal: AbortSignal | null | undefined): Promise<Response> {
  if (!signal) return response;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    response.then(resolve, reject);
  });
}
