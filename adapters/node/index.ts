// `waygate/node`: applications on `node:http`, `node:https` and `node:http2`.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

export { fromNode, type NodeApp, type NodeAppListener } from './from-node.ts';
export { type Served, serve } from './serve.ts';
export type { ServeOptions, ServerLimits } from './serve-options.ts';
export { type NodeListener, type NodeOptions, toNode } from './to-node.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** The request as Node has it. An application that reads its body takes it away from `wsgi.input`. */
    'node.request'?: IncomingMessage | Http2ServerRequest;
    /** The response as Node has it. An application that answers through it leaves nothing to the gateway. */
    'node.response'?: ServerResponse | Http2ServerResponse;
  }
}
