// Serves an application as a request listener of `node:http`, `node:https` or `node:http2`.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Application } from '../../core/types.ts';
import { NodeCall } from './call.ts';
import { NodeGateway } from './gateway.ts';
import type { MountOptions } from './options.ts';
import { admit } from './pipelining.ts';

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
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * import { createServer } from 'node:http';
 * createServer(toNode(app)).listen(8000);
 */
export function toNode(app: Application, options: MountOptions = {}): NodeListener {
  const gateway = new NodeGateway(app, options);
  return options.fallThrough === true ? mountedListener(gateway) : nodeListener(gateway);
}

/** The listener that gives each request of a server to a gateway. */
export function nodeListener(gateway: NodeGateway): NodeListener {
  const start = (request: IncomingMessage, response: ServerResponse): void =>
    new NodeCall(gateway, request, response, null).run();
  // The compatibility classes of http2 have the members of those of http.
  return ((request: IncomingMessage, response: ServerResponse): void => {
    // Without a socket it waits behind another one of its connection.
    if (request?.httpVersionMajor === 1 && response?.socket === null) {
      if (!admit(request, response, gateway.maxPipelined, start)) return;
    }
    start(request, response);
  }) as NodeListener;
}

/** The listener of a mount that can fall through. */
function mountedListener(gateway: NodeGateway): NodeListener {
  const listener = nodeListener(gateway) as (request: IncomingMessage, response: ServerResponse) => void;
  // A rest parameter: a router looks at the length of what it calls.
  return ((request: IncomingMessage, response: ServerResponse, ...[next]: [next?: unknown]): void => {
    if (typeof next !== 'function') listener(request, response);
    else new NodeCall(gateway, request, response, next as () => void).run();
  }) as NodeListener;
}
