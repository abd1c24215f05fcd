// Serves an application as an HTTP function of Google Cloud (Cloud Run functions) or Firebase. Both call a handler with the
// request and the response of a Node server whose body has been read already; adapters/node takes it from `rawBody`.

import type { IncomingMessage } from 'node:http';
import { checkApplication } from '../../../../core/check.ts';
import { addForwardedScheme, lastPeer } from '../../../../core/forwarded-for.ts';
import { holdForWork } from '../../../../core/held-work.ts';
import { mistakenRequest } from '../../../../core/mistaken-request.ts';
import type { Application, Environ } from '../../../../core/types.ts';
import type { NodeOptions } from '../../options.ts';
import { type NodeListener, toNode } from '../../to-node.ts';

/** Options of {@link toGoogleCloud}. */
export type GoogleCloudOptions = Omit<NodeOptions, 'multiprocess' | 'maxPipelined'>;

/** What the Functions Framework adds to a request. */
type FrameworkRequest = IncomingMessage & { readonly executionId?: unknown };

/**
 * Serves an application as an HTTP function of Google Cloud or Firebase.
 *
 * Google's front end ends TLS and appends the client's address to `X-Forwarded-For`: the scheme is that of
 * `X-Forwarded-Proto`, and `REMOTE_ADDR` the last address. `waygate.request_id` is the framework's execution id. An instance
 * may get no processor time after its response, so the response ends when the work in `waygate.wait_until` has.
 *
 * @param app the application
 * @returns an HTTP function; as a background function it throws, because it serves requests only
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * import * as functions from '@google-cloud/functions-framework';
 * functions.http('app', toGoogleCloud(app));
 * @example
 * import { onRequest } from 'firebase-functions/https';
 * export const site = onRequest(toGoogleCloud(app));
 */
export function toGoogleCloud(app: Application, options: GoogleCloudOptions = {}): NodeListener {
  checkApplication(app);
  const held = holdForWork(app);
  const served: Application = (environ, startResponse) => {
    addFrontEndKeys(environ);
    return held(environ, startResponse);
  };
  // Google starts as many instances as it likes.
  const listener = toNode(served, { ...options, multiprocess: true });
  return (request, response) => {
    if (typeof request?.httpVersion !== 'string' || typeof response?.setHeader !== 'function') {
      throw mistakenRequest('toGoogleCloud', request, EXPECTED);
    }
    listener(request, response);
  };
}

const EXPECTED =
  "a request and a response, as an HTTP function gets them: `functions.http('app', toGoogleCloud(app))`, not `cloudEvent`";

/** What Google's front end and the framework say of a request. */
function addFrontEndKeys(environ: Environ): void {
  environ['waygate.gateway'] = 'google-cloud';
  const peer = lastPeer(environ.HTTP_X_FORWARDED_FOR);
  if (peer !== undefined) {
    environ.REMOTE_ADDR = peer.address;
    // That of the connection to the front end.
    delete environ.REMOTE_PORT;
    if (peer.port !== undefined) environ.REMOTE_PORT = peer.port;
  }
  addForwardedScheme(environ);
  const { executionId } = environ['node.request'] as FrameworkRequest;
  if (typeof executionId === 'string' && executionId !== '') environ['waygate.request_id'] = executionId;
}
