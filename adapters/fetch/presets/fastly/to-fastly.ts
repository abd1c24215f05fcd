// Serves an application on Fastly Compute, as a listener of `fetch` events.

import { prepareOptions } from '../../../../core/environ.ts';
import { addGeo } from '../../../../core/geo.ts';
import { mistakenRequest } from '../../../../core/mistaken-request.ts';
import { encodeWsgi } from '../../../../core/strings.ts';
import type { Application, Environ, GatewayOptions } from '../../../../core/types.ts';
import { fetchPlatform } from '../../environ.ts';
import { FetchGateway } from '../../gateway.ts';
import type { FetchPlatform } from '../../platform.ts';
import { presetCall } from '../../preset.ts';

/** Options of {@link toFastly}. */
export type FastlyOptions = GatewayOptions;

/** What is used of Fastly's `FetchEvent`. (Fastly docs, "js-compute: FetchEvent") */
export interface FastlyEvent {
  /** The request. */
  readonly request: Request;
  /** What the edge knows of the client. */
  readonly client?: FastlyClient;
  /** Answers the request. */
  respondWith(response: Response | Promise<Response>): void;
  /** Keeps the instance running until the promise has settled. */
  waitUntil(promise: Promise<unknown>): void;
}

/** `event.client`. */
export interface FastlyClient {
  /** The client's address. */
  readonly address?: string;
  /** The id of the request. */
  readonly requestId?: string;
  /** Where the client seems to be; Fastly looks it up when this is read. */
  readonly geo?: FastlyGeo | null;
  /** The version of TLS, for example `TLSv1.3`; empty without TLS. */
  readonly tlsProtocol?: string | null;
  /** The cipher, as OpenSSL names it. */
  readonly tlsCipherOpensslName?: string | null;
}

/** What is used of `event.client.geo`. */
export interface FastlyGeo {
  /** The city's name, in lower case. */
  readonly city?: string | null;
  /** ISO 3166-1 code of the country. */
  readonly country_code?: string | null;
  /** ISO 3166-2 code of the region, without the country. */
  readonly region?: string | null;
  /** The postal code. */
  readonly postal_code?: string | null;
  /** In degrees. */
  readonly latitude?: number | null;
  /** In degrees. */
  readonly longitude?: number | null;
}

/** A listener of `fetch` events. */
export type FastlyListener = (event: FastlyEvent) => void;

const facts: FetchPlatform = {
  ...fetchPlatform,
  gateway: 'fastly',
  // Each request has an instance of its own.
  multiprocess: true,
  addKeys(environ, { platform = [] }) {
    const event = platform[0] as FastlyEvent;
    environ['fastly.event'] = event;
    environ['wsgi.run_once'] = true;
    if (event.client) addClient(environ, event.client);
  },
};

function addClient(environ: Environ, client: FastlyClient): void {
  const { address, requestId, tlsProtocol, tlsCipherOpensslName } = client;
  if (address) environ.REMOTE_ADDR = encodeWsgi(address);
  if (requestId) environ['waygate.request_id'] = requestId;
  if (environ['wsgi.url_scheme'] === 'https') {
    if (tlsProtocol) environ.SSL_PROTOCOL = encodeWsgi(tlsProtocol);
    if (tlsCipherOpensslName) environ.SSL_CIPHER = encodeWsgi(tlsCipherOpensslName);
  }
  const { geo } = client;
  if (!geo) return;
  const { country_code: country, region, city, postal_code: postalCode, latitude, longitude } = geo;
  addGeo(environ, { country, region, city, postalCode, latitude, longitude });
}

/**
 * Serves an application on Fastly Compute: give the result to `addEventListener`.
 *
 * `environ['fastly.event']` is the event. Its client's address is `REMOTE_ADDR`, the id of the request
 * `waygate.request_id`, the place `waygate.geo`, and its `waitUntil` is `waygate.wait_until`.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * addEventListener('fetch', toFastly(app));
 */
export function toFastly(app: Application, options: FastlyOptions = {}): FastlyListener {
  const gateway = new FetchGateway(app, prepareOptions(app, options), facts);
  return (event) => {
    if (typeof event?.respondWith !== 'function') throw mistakenRequest('toFastly', event, EXPECTED);
    event.respondWith(gateway.handle(presetCall('toFastly', EXPECTED, event.request, [event]), event));
  };
}

const EXPECTED = "a FetchEvent, as Fastly Compute calls it: `addEventListener('fetch', toFastly(app))`";
