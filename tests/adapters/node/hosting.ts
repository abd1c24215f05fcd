// The ways in which a node listener can be served, Node's own server first: what holds there has to hold in all.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Middleware } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { fromNode, type NodeApp, toNode } from 'waygate/node';

/** Calls a listener: a path, and what `fetch` takes. */
export type Call = (path: string, init?: RequestInit) => Promise<Response>;

/** Serves a listener while `work` runs. `port` is 0 where there is none. */
export type Way = (app: NodeApp, work: (call: Call, port: number) => unknown) => Promise<void>;

/** Passes a copy of environ on, so that no gateway can take the application for its own. */
export const copies: Middleware = (app) => (environ, startResponse) => app({ ...environ }, startResponse);

const silent = { errors: () => {} };

/** Serves on a free port of this machine until `work` is done. */
export async function listening(server: http.Server, work: (call: Call, port: number) => unknown): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await work((path, init) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init }), port);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

export const byNode: Way = (app, work) =>
  listening(typeof app === 'function' ? http.createServer(app) : (app as http.Server), work);

export const onNode: Way = (app, work) => listening(http.createServer(toNode(fromNode(app), silent)), work);

export const behindMiddleware: Way = (app, work) =>
  listening(http.createServer(toNode(copies(fromNode(app)), silent)), work);

export const onFetch: Way = async (app, work) => {
  const handler = toFetch(fromNode(app), silent);
  await work((path, init) => handler(path, init), 0);
};

export const WAYS: [name: string, way: Way][] = [
  ['by Node itself', byNode],
  ['on node', onNode],
  ['on node, behind a middleware', behindMiddleware],
  ['on a Fetch platform', onFetch],
];

/** The ways that have a real connection under them. */
export const ON_CONNECTIONS: [name: string, way: Way][] = WAYS.filter(([, way]) => way !== onFetch);

/** A response read from a connection by Node's client, with its header lines as they came. */
export interface RawResponse {
  status: number;
  message: string;
  /** Header lines that the listener chose: those of the connection and the date are left out. */
  lines: [name: string, value: string][];
  hints: http.IncomingHttpHeaders[];
  body: Buffer;
}

const OF_THE_CONNECTION = /^(?:date|connection|keep-alive|transfer-encoding)$/i;

/** Sends a request that `fetch` cannot send, or whose response it would not show as it is. */
export function request(port: number, options: http.RequestOptions, body?: string | Buffer): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const hints: http.IncomingHttpHeaders[] = [];
    const sent = http.request({ port, host: '127.0.0.1', agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const lines: [string, string][] = [];
        for (let at = 0; at < response.rawHeaders.length; at += 2) {
          const name = response.rawHeaders[at] as string;
          if (!OF_THE_CONNECTION.test(name)) lines.push([name, response.rawHeaders[at + 1] as string]);
        }
        resolve({
          status: response.statusCode ?? 0,
          message: response.statusMessage ?? '',
          lines,
          hints,
          body: Buffer.concat(chunks),
        });
      });
    });
    sent.on('information', (information) => hints.push(information.headers));
    sent.on('error', reject);
    sent.end(body);
  });
}
