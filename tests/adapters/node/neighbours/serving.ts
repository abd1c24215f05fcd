// A chain of middleware in front of a listener, served on a real socket as connect serves it.

import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import connect from 'connect';
import type { Application } from 'waygate';
import { type NodeOptions, toNode } from 'waygate/node';

/**
 * A tracing agent is loaded (tests/e2e/agents.test.ts): it listens to every request and response, so that nothing goes a short
 * way, and headers are set one by one.
 */
export const hasAgent: boolean = /--require/.test(process.env.NODE_OPTIONS ?? '');

export type Next = (error?: unknown) => void;
export type NodeMiddleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/** What came back, header lines as they were sent and the body decoded by nobody. */
export interface Received {
  status: number;
  message: string;
  headers: http.IncomingHttpHeaders;
  raw: string[];
  body: Buffer;
}

export interface Site {
  port: number;
  ask(options?: http.RequestOptions, body?: string | Buffer): Promise<Received>;
}

/** Serves `app` behind these middlewares while `work` runs. */
export async function behind(
  middlewares: NodeMiddleware[],
  app: Application,
  work: (site: Site) => unknown,
  options: NodeOptions = {},
): Promise<void> {
  const chain = connect();
  for (const each of middlewares) chain.use(each as connect.NextHandleFunction);
  chain.use(toNode(app, options) as connect.SimpleHandleFunction);
  await serving(chain, work);
}

/** Serves a listener while `work` runs. */
export async function serving(listener: http.RequestListener, work: (site: Site) => unknown): Promise<void> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await work({ port, ask: (asked, body) => ask(port, asked, body) });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function ask(port: number, options: http.RequestOptions = {}, body?: string | Buffer): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = http.request({ port, host: '127.0.0.1', agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          message: response.statusMessage ?? '',
          headers: response.headers,
          raw: response.rawHeaders,
          body: Buffer.concat(chunks),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
