// The ways in which a Fetch handler can be hosted, so that a test can hold each of them to the same.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Application, GatewayOptions, Middleware } from 'waygate';
import { fromLambda, type SourceName, toLambda } from 'waygate/aws-lambda';
import { type FetchApp, fromFetch, toFetch } from 'waygate/fetch';
import { toNode } from 'waygate/node';

/** Calls a hosted handler: a path, and what `fetch` takes. */
export type Call = (path: string, init?: RequestInit) => Promise<Response>;

/** Everything is made anew: a copy of environ, a startResponse and a body of the middleware's own. */
export const copies: Middleware = (app) => async (environ, startResponse) => {
  const body = await app({ ...environ }, (status, headers, error) => startResponse(status, headers, error));
  return { [Symbol.asyncIterator]: () => iterator(body), close: () => body.close?.() };
};

function iterator(body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncIterator<Uint8Array> {
  const inner = Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]();
  return {
    next: async () => inner.next(),
    return: async () => {
      await inner.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** The environ stays the same, and only the response is wrapped: the handler runs at the first step of its body. */
export const wraps: Middleware = (app) => (environ, startResponse) =>
  app(environ, (status, headers, error) => startResponse(status, headers, error));

/** A server on a free port; close it with `close()`. */
export async function listening(
  app: Application,
  options?: GatewayOptions,
): Promise<{ port: number; call: Call; close(): void }> {
  const server = http.createServer(toNode(app, options)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    call: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Runs `work` against the handler, hosted in one of the {@link WAYS}. */
export type Way = (handler: FetchApp, options: GatewayOptions, work: (call: Call) => Promise<void>) => Promise<void>;

const through = (middleware: Middleware): Way => {
  return (handler, options, work) => work(toFetch(middleware(fromFetch(handler)), options));
};

const onLambda = (source: SourceName): Way => {
  return (handler, options, work) =>
    work(toFetch(fromLambda(toLambda(fromFetch(handler), options), { source }), { errors: () => {} }));
};

/** Through the events and results of Lambda, which hold a body in one piece. */
export const LAMBDA_WAYS: [name: string, way: Way][] = [
  ['on Lambda, behind a function URL', onLambda('function-url')],
  ['on Lambda, behind a REST API', onLambda('rest-api')],
];

export const WAYS: [name: string, way: Way][] = [
  ['untouched, on a Fetch platform', through((app) => app)],
  ['with its response wrapped, on a Fetch platform', through(wraps)],
  ['with everything copied, on a Fetch platform', through(copies)],
  [
    'on node',
    async (handler, options, work) => {
      const server = await listening(fromFetch(handler), options);
      try {
        await work(server.call);
      } finally {
        server.close();
      }
    },
  ],
];
