// Runs in a Node that strips types by itself: the conformance suite through one way to serve, named by the argument.
// Prints its own URL; with `probe` it serves the probe of the raw requests instead.

import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { toFetch } from '../../../adapters/fetch/index.ts';
import { serve, toNode } from '../../../adapters/node/index.ts';
import type { Serve } from '../../../testing/index.ts';
import { probe } from '../../adapters/node/http-cases-probe.ts';
import { overSocket } from '../../adapters/node/http-client.ts';
import { overHttp2 } from '../../adapters/node/http2-client.ts';
import { NODE_WAYS } from './capabilities.ts';
import { runEntry, suiteEntries } from './suite.ts';

async function listen(listener: http.RequestListener): Promise<{ port: number; close(): void }> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

const WAYS: Record<keyof typeof NODE_WAYS, Serve> = {
  async toNode(app, options) {
    const { port, close } = await listen(toNode(app, options));
    return overSocket(port, close);
  },
  async http2(app, options) {
    const server = http2.createServer(toNode(app, options));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return overHttp2((server.address() as AddressInfo).port, () => void server.close());
  },
  async serve(app, options) {
    const given = { ...options, port: 0, host: '127.0.0.1', signals: false, shutdownTimeout: 100 };
    const { port, close } = await serve(app, given);
    return overSocket(port, close);
  },
  toFetch: (app, options) => ({ fetch: toFetch(app, options) }),
};

function suite(way: keyof typeof WAYS): http.RequestListener {
  const entries = suiteEntries(NODE_WAYS[way], WAYS[way]);
  return async (request, response) => {
    const answer = await runEntry(entries, request.url as string);
    response.end(await answer.text());
  };
}

const [, , role] = process.argv;
const { port } = await listen(role === 'probe' ? toNode(probe) : suite(role as keyof typeof WAYS));
console.log(`http://127.0.0.1:${port}`);
