// What an adapter made, turned into an application again by its inverse and served once more, is held to the contract as
// if nothing stood between: hosted apps lose nothing but what a `Request` cannot say.

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'vitest';
import type { Application, GatewayOptions } from 'waygate';
import { fromFetch, toFetch } from 'waygate/fetch';
import { fromNode, toNode } from 'waygate/node';
import { type Capabilities, conformance, type ServedApp } from 'waygate/testing';
import { overSocket } from '../adapters/node/http-client.ts';

/** What the outer gateway tells, the inner one has told: its log is the one that the suite looks at. */
const QUIET: GatewayOptions = { errors: () => {} };
/** A Request has a URL, which is a normalized one, and Headers, which are sorted; HTTP/1.0 and `*` are not in it. */
const AS_REQUEST: Partial<Capabilities> = { raw: false, rawPath: false, rawQuery: false };
/** The head of the hosted response waits for its first byte, so that there the client gets a 500 and no broken response. */
const NOTHING_CAME = 'CL-02: GET, a declared length and no body at all: broken off';

const underNode = (app: Application, options?: GatewayOptions): Application => fromNode(toNode(app, options));
const underFetch = (app: Application, options?: GatewayOptions): Application => fromFetch(toFetch(app, options));
/** What may have changed environ takes the short cut away that a hosted app has on its own platform. */
const copied =
  (app: Application): Application =>
  (environ, startResponse) =>
    app({ ...environ }, startResponse);

const inMemory = (app: Application): ServedApp => ({ fetch: toFetch(app, QUIET) });

async function onSocket(app: Application): Promise<ServedApp> {
  const server = http.createServer(toNode(app, QUIET));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return overSocket((server.address() as AddressInfo).port, () => {
    server.closeAllConnections();
    server.close();
  });
}

async function onNode(app: Application): Promise<ServedApp> {
  const { fetch, close } = await onSocket(app);
  return { fetch, close };
}

interface Trip {
  serve(app: Application, options?: GatewayOptions): ServedApp | Promise<ServedApp>;
  capabilities?: Partial<Capabilities>;
  /** Whether the client gets the hosted response without a conversion. */
  direct?: true;
}

const TRIPS: Record<string, Trip> = {
  'toNode(fromNode(toNode(app)))': { serve: (app, options) => onSocket(underNode(app, options)), direct: true },
  'toNode(fromNode(toNode(app))), environ copied': {
    serve: (app, options) => onSocket(copied(underNode(app, options))),
  },
  'toFetch(fromNode(toNode(app)))': {
    serve: (app, options) => inMemory(underNode(app, options)),
    capabilities: { raw: false },
  },
  'toFetch(fromFetch(toFetch(app)))': {
    serve: (app, options) => inMemory(underFetch(app, options)),
    // The handler has the very Request, in which a length is only once it is sent.
    capabilities: { ...AS_REQUEST, requestLength: false },
    direct: true,
  },
  'toFetch(fromFetch(toFetch(app))), environ copied': {
    serve: (app, options) => inMemory(copied(underFetch(app, options))),
    capabilities: AS_REQUEST,
  },
  'toNode(fromFetch(toFetch(app)))': {
    serve: (app, options) => onNode(underFetch(app, options)),
    capabilities: {
      ...AS_REQUEST,
      // Node's parser knows the methods by name.
      anyMethod: false,
      // What a hosted Fetch app has ready is gathered ahead of its head (D23): its length is known, and it fails in time.
      unknownLength: false,
      brokenConnection: 'status-500',
    },
  },
};

for (const [name, { serve, capabilities, direct }] of Object.entries(TRIPS)) {
  conformance(name, serve, {
    describe,
    it: (title, body) =>
      title === NOTHING_CAME && !direct && capabilities?.brokenConnection === undefined
        ? it.fails(title, body)
        : it(title, body),
    otherRealm: runInNewContext,
    capabilities,
  });
}
