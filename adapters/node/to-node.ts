// Serves an application as a request listener of `node:http`, `node:https` or `node:http2`.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Application } from '../../core/types.ts';
import { NodeGateway } from './gateway.ts';
import type { MountOptions } from './options.ts';

/** A request listener, as `createServer` of `node:http`, `node:https` and `node:http2` takes it. */
export type NodeListener = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/**
 * Serves an application on Node: `http.createServer(toNode(app)).listen(8000)`. Works under `https`, `http2` (compatibility
 * API), and mounted in Express or connect, where the option `fallThrough` lets others answer what the application does not have:
 * `express().use(toNode(app, { fallThrough: true }), pages)`.
 *
 * To have `Expect: 100-continue` answered on the first read of the body, add the same listener for `checkContinue`, as
 * {@link serve} does. Without that, Node answers it at once.
 *
 * @throws {TypeError} for an application that is no function or an option of the wrong type
 * @example
 * import { createServer } from 'node:http';
 * createServer(toNode(app)).listen(8000);
 */
export function toNode(app: Application, options: MountOptions = {}): NodeListener {
  const gateway = new NodeGateway(app, options);
  // The compatibility classes of http2 have the members of those of http.
  return (options.fallThrough === true ? gateway.mounted : gateway.listener) as NodeListener;
}
