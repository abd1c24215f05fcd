// What a platform's own proxy, which nobody can go around, writes of the client: its address and its scheme.

import type { Environ } from './types.ts';

/** An address, and the port where it is known. */
export interface Peer {
  readonly address: string;
  readonly port?: string;
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. */
const PEER =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\](?::([0-9]{1,5}))?|([0-9.]{7,15})(?::([0-9]{1,5}))?|((?=[^:]*:[^:]*:)[0-9A-Fa-f:.]{2,45}))$/;

/**
 * The last entry of an `X-Forwarded-For` header: what the proxy nearest to the application has appended. All that stands
 * before it may be the client's own words.
 *
 * @returns undefined where the header is missing, or its last entry is not an address
 * @example
 * lastPeer('203.0.113.9, 192.0.2.1:4711'); // { address: '192.0.2.1', port: '4711' }
 */
export function lastPeer(header: string | undefined): Peer | undefined {
  if (header === undefined) return undefined;
  const found = PEER.exec(header.slice(header.lastIndexOf(',') + 1).trim());
  if (found === null) return undefined;
  const [, bracketed, bracketedPort, ip4, ip4Port, ip6] = found;
  const address = bracketed ?? ip4 ?? ip6;
  const port = bracketedPort ?? ip4Port;
  return address === undefined ? undefined : port === undefined ? { address } : { address, port };
}

/**
 * Makes the scheme that of `X-Forwarded-Proto`, where the proxy ends TLS and speaks plain HTTP from there on. (ENV-22)
 *
 * @example
 * addForwardedScheme(environ);
 */
export function addForwardedScheme(environ: Environ): void {
  if (environ.HTTP_X_FORWARDED_PROTO !== 'https' || environ['wsgi.url_scheme'] === 'https') return;
  environ['wsgi.url_scheme'] = 'https';
  environ.HTTPS = 'on';
  environ.SERVER_PORT = '443';
}
