// When a Fetch app on a Fetch platform is called directly. While nothing between has changed the request, the handler gets
// the platform's own Request. While nothing has touched the response either, the platform gets the handler's own Response.

import { DeferredBody } from '../../core/deferred-body.ts';
import { headerKey } from '../../core/environ.ts';
import { SIGNAL } from '../../core/lifetime.ts';
import { stateOf } from '../../core/private-state.ts';
import type { Environ, StartResponse } from '../../core/types.ts';
import { hasDotSegments } from './hosted/url.ts';
import type { FetchPlatform, FetchRequest, FetchRequestLine, RequestRecord } from './platform.ts';

/** Calls a Fetch app; throws or rejects with what kept it from answering. */
export type DirectCall = () => Response | Promise<Response>;

/** A body behind which stands a Fetch app that has not answered yet. */
export abstract class PassthroughBody extends DeferredBody {
  /** The call of the app; null for one that answers a request which is not the platform's own. */
  abstract directCall(): DirectCall | null;
}

/** The call of the Fetch app behind a body; null where there is none, or something lies between. (EXT-02) */
export function callBehind(body: unknown, startResponse: StartResponse): DirectCall | null {
  return body instanceof PassthroughBody && body.isUntouched(startResponse) ? body.directCall() : null;
}

/** What a gateway has recorded of a request: it rides on the environ that was made of it. */
export interface ReceivedRequest {
  /** The request as it came. */
  readonly received: FetchRequest;
  /** What its environ was made with; null while none is made. */
  readonly record: RequestRecord | null;
  readonly platform: FetchPlatform;
  /** Where its body comes from; null for none. */
  readonly source: object | null;
  readonly maxBodyBytes: number;
  readonly signal: AbortSignal;
}

/**
 * The platform's own request where a handler may have it. A Fetch gateway made this very environ, and nothing that the
 * handler would see has changed since. A copy of an environ has none.
 */
export function originalRequest(environ: Environ): Request | null {
  const state = stateOf(environ) as Partial<ReceivedRequest> | undefined;
  // The gateways of other platforms carry something else.
  if (!state?.received || !state.record) return null;
  // A path that somebody gave as it is stays so in environ, but a Request has resolved its dot segments.
  if (state.received.target !== null && hasDotSegments(state.received.target)) return null;
  const recorded = state as ReceivedRequest;
  return showsLine(environ, state.record) && showsRest(environ, recorded) ? recorded.received.request : null;
}

function showsLine(environ: Environ, line: FetchRequestLine): boolean {
  return (
    // Under a mount prefix the handler sees another URL.
    environ.SCRIPT_NAME === '' &&
    environ.REQUEST_METHOD === line.method &&
    environ.PATH_INFO === line.pathInfo &&
    environ.QUERY_STRING === line.queryString &&
    environ.REQUEST_URI === line.requestUri &&
    environ.SERVER_NAME === line.serverName &&
    environ.SERVER_PORT === line.serverPort &&
    environ['wsgi.url_scheme'] === line.scheme
  );
}

function showsRest(environ: Environ, recorded: ReceivedRequest): boolean {
  const { request } = recorded.received;
  const { input, waitUntil } = recorded.record as RequestRecord;
  if (environ['wsgi.input'] !== input || environ['waygate.wait_until'] !== waitUntil) return false;
  if (environ['fetch.request'] !== request || !hasOwnSignal(environ, recorded) || !showsHeaders(environ, recorded)) {
    return false;
  }
  // What was read from wsgi.input is gone from the request; and only wsgi.input knows how much is allowed.
  const body = request.body as ReadableStream<Uint8Array> | null | undefined;
  return !body || (!request.bodyUsed && !body.locked && recorded.maxBodyBytes === Number.POSITIVE_INFINITY);
}

/** A signal that a middleware put there is not the request's. The lazy key is not read, for that would make one. */
function hasOwnSignal(environ: Environ, recorded: ReceivedRequest): boolean {
  const signal = Object.getOwnPropertyDescriptor(environ, 'waygate.signal');
  return signal?.get === SIGNAL.get || (signal?.value !== undefined && signal.value === recorded.signal);
}

function showsHeaders(environ: Environ, { received, record, platform, source }: ReceivedRequest): boolean {
  let unseen = 0;
  for (const key in environ) if (key.startsWith('HTTP_')) unseen++;
  let same = true;
  let [host, type, length] = [
    (record as RequestRecord).authority,
    undefined as string | undefined,
    sentLength(received),
  ];
  received.request.headers.forEach((value, name) => {
    const key = headerKey(name);
    const native = platform.headerValue(value);
    if (key === 'HTTP_HOST') host = native;
    else if (key === 'CONTENT_TYPE') type = native;
    // A length of what is not there is in no environ. (ENV-09)
    else if (key === 'CONTENT_LENGTH') length = source === null && Number(native) > 0 ? undefined : native;
    else if (key !== '') {
      unseen--;
      if (environ[key] !== native) same = false;
    }
  });
  // The host is there whether it was sent or not.
  if (environ.HTTP_HOST !== host || environ.CONTENT_TYPE !== type || environ.CONTENT_LENGTH !== length) return false;
  return same && unseen === 1;
}

function sentLength({ length }: FetchRequest): string | undefined {
  return length >= 0 ? String(length) : undefined;
}
