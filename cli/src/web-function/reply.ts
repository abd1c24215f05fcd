// What the endpoint of a Web Function answers by itself.

import type { ServerResponse } from 'node:http';
import { type EndpointAnswer, returnedHeaders } from './rules.ts';

/** Answers, unless there is an answer already. */
export function reply(response: ServerResponse, { status, errorType, text }: EndpointAnswer, requestId: string): void {
  if (response.destroyed || response.headersSent) return;
  const added = { 'lambda-web-request-id': requestId, ...(errorType && { 'lambda-web-error-type': errorType }) };
  const body = Buffer.from(`${text}\n`);
  const own: [string, string][] = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(body.byteLength)],
  ];
  response.writeHead(status, returnedHeaders(own, added).flat()).end(body);
  // Were the rest of the body left unread, the client might lose the response to the end of its connection.
  response.req.unpipe().resume();
}
