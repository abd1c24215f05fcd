// Responses of the gateway's own, where no application answers: a plain page, nothing else.

import { isA, RequestError, report } from './errors.ts';
import { flush, log } from './log.ts';
import type { GatewayResponse } from './response.ts';
import { OWN_REASONS } from './status.ts';
import { encode } from './strings.ts';
import type { ErrorStream, HeaderList } from './types.ts';

/**
 * The answer where the application has none: nothing of the application's head or of its error is in it. (ERR-03) Its
 * reason is the usual one for the codes that the library itself answers with, and `Error` for all others.
 *
 * @param statusCode the HTTP status code
 * @param method the request method; to HEAD the page has its length and no bytes
 * @param detail a sentence for the client, where the fault is the client's
 * @example
 * plainResponse(404, environ.REQUEST_METHOD, 'There is no such note.');
 */
export function plainResponse(statusCode: number, method: string | undefined, detail = ''): GatewayResponse {
  const reason = OWN_REASONS[statusCode] ?? 'Error';
  const page = encode(`${statusCode} ${reason}\n${detail === '' ? '' : `${detail}\n`}`);
  const headers: HeaderList = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(page.byteLength)],
  ];
  return { status: `${statusCode} ${reason}`, statusCode, reason, headers, body: method === 'HEAD' ? [] : [page] };
}

/**
 * The answer to a request from which no environ could be made: no application is called. A client reads what is wrong with
 * its request. Anything else is the adapter's own failure, which is logged.
 *
 * @param error what kept the environ from being made
 * @param errors `wsgi.errors` of the request
 * @param method the request method, as far as it is known
 * @example
 * const response = await answer().catch((error) => refuse(error, errors, method));
 */
export function refuse(error: unknown, errors: ErrorStream, method: string | undefined): GatewayResponse {
  if (isA(error, RequestError)) return plainResponse(error.status, method, error.message);
  log(errors, report(error));
  flush(errors);
  return plainResponse(500, method);
}
