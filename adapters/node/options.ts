// The options of `toNode`.

import type { GatewayOptions } from '../../core/types.ts';

/** Options of {@link toNode}. */
export interface NodeOptions extends GatewayOptions {
  /**
   * `wsgi.multiprocess`: whether other processes run the same application.
   *
   * @default whether this process is a worker of node:cluster
   */
  multiprocess?: boolean;
  /**
   * How many requests that a client has pipelined on one HTTP/1.1 connection may run at once. More wait for their turn, and
   * the connection is not read on meanwhile.
   *
   * @default 16
   */
  maxPipelined?: number;
}

/** Options of {@link toNode} where connect, Express or the like calls the listener. */
export interface MountOptions extends NodeOptions {
  /**
   * Whether a request that the application answers with 404 goes on to what is mounted behind it. The listener then calls
   * `next()`, the third argument that connect, Express and the like give it. Nothing of the application's response is sent.
   * Its body is closed. A 404 is sent as it is where there is no `next`, where the request body was read, and where the
   * head is out already.
   *
   * A failure of the application is a 500, and a request that is refused a 400, as everywhere: `next` is never called with an
   * error, since the error handlers of others may show it to the client. (ERR-03)
   *
   * @default false
   */
  fallThrough?: boolean;
}
