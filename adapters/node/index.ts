// `waygate/node`: applications on `node:http`, `node:https` and `node:http2`.

import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

export type { ConnectErrorHandler, ConnectHandler, ConnectMiddleware, ConnectNext } from './connect/chain.ts';
export { fromConnect } from './connect/from-connect.ts';
export { type ConnectOptions, toConnect } from './connect/to-connect.ts';
export { directory } from './directory.ts';
export { nodeEncoders } from './encoders.ts';
export { fromNode } from './from-node.ts';
export type { NodeApp, NodeAppListener } from './hosted/host.ts';
export type { MountOptions, NodeOptions } from './options.ts';
export { type MessageClasses, serverOptions } from './serve/message-classes.ts';
export type { ServeOptions, ServerLimits } from './serve/options.ts';
export { type RunningServer, serve } from './serve/serve.ts';
export { type NodeListener, toNode } from './to-node.ts';

/** A request with what middleware has put on it. */
// biome-ignore lint/suspicious/noExplicitAny: each middleware has its own types for these.
export type ConnectRequest = IncomingMessage & { [property: string]: any };

declare module 'waygate' {
  interface WrappedFiles {
    /** On Node `wsgi.file_wrapper` takes an open file, and closes it with the response. */
    node: FileHandle;
  }
  interface EnvironKeys {
    /** The request as Node has it. An application that reads its body takes it away from `wsgi.input`. */
    'node.request'?: IncomingMessage | Http2ServerRequest;
    /** The response as Node has it. An application that answers through it leaves nothing to the gateway. */
    'node.response'?: ServerResponse | Http2ServerResponse;
    /** The request as the functions of {@link fromConnect} have seen it, with what they have put on it: `session`, `user`. */
    'connect.request'?: ConnectRequest;
    /** The response that those functions have seen and wrapped. The application answers as usual, not through it. */
    'connect.response'?: ServerResponse;
  }
}
