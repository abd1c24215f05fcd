// toNode under node:http and serve(), held to the whole contract on a real socket.

import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'vitest';
import { serve, toNode } from 'waygate/node';
import { conformance } from 'waygate/testing';
import { overSocket } from './http-client.ts';
import { overHttp2 } from './http2-client.ts';

conformance(
  'toNode',
  async (app, options) => {
    const server = http.createServer(toNode(app, options));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return overSocket((server.address() as AddressInfo).port, () => {
      server.closeAllConnections();
      server.close();
    });
  },
  { describe, it, otherRealm: runInNewContext },
);

conformance(
  'serve',
  async (app, options) => {
    const { port, close } = await serve(app, {
      ...options,
      port: 0,
      host: '127.0.0.1',
      signals: false,
      shutdownTimeout: 100,
    });
    return overSocket(port, close);
  },
  { describe, it, otherRealm: runInNewContext },
);

conformance(
  'toNode under http2',
  async (app, options) => {
    const server = http2.createServer(toNode(app, options));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return overHttp2((server.address() as AddressInfo).port, () => void server.close());
  },
  { describe, it, otherRealm: runInNewContext, capabilities: { raw: false, reason: false } },
);
