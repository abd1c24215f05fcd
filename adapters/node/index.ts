// `waygate/node`: applications on `node:http`, `node:https` and `node:http2`.

export { fromNode, type NodeApp, type NodeAppListener } from './from-node.ts';
export { type Served, type ServeOptions, serve } from './serve.ts';
export { type NodeListener, type NodeOptions, toNode } from './to-node.ts';
