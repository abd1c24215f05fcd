// Who sent a request, and to where, as AWS reports it: server, client, user and certificate in environ.

import { encodeWsgi } from '../../../core/strings.ts';
import type { Environ } from '../../../core/types.ts';
import { nativeOf } from './request-headers.ts';

/**
 * Adds scheme, server name and port: from the headers that AWS adds, the Host header, and what the event says.
 *
 * @param proto the scheme as AWS reports it
 * @param port the port as AWS reports it
 * @param domainName the name by which AWS knows the event source
 * @param usual the scheme where nothing names one
 */
export function addServer(
  environ: Environ,
  proto: string | undefined,
  port: string | undefined,
  domainName: unknown,
  usual: 'http' | 'https' = 'https',
): void {
  const scheme = schemeOf(proto, usual);
  if (scheme === 'https') environ.HTTPS = 'on';
  else environ['wsgi.url_scheme'] = 'http';
  const host = environ.HTTP_HOST ?? '';
  const colon = host.lastIndexOf(':');
  const hasPort = colon !== -1 && colon > host.lastIndexOf(']');
  const name =
    (hasPort ? host.slice(0, colon) : host) || (typeof domainName === 'string' ? encodeWsgi(domainName) : '');
  if (name !== '') environ.SERVER_NAME = name;
  environ.SERVER_PORT =
    (port === '443' ? port : digits(lastOf(port))) ||
    digits(hasPort ? host.slice(colon + 1) : '') ||
    (scheme === 'https' ? '443' : '80');
}

function schemeOf(proto: string | undefined, usual: 'http' | 'https'): 'http' | 'https' {
  if (proto === 'https') return proto;
  const told = lastOf(proto).toLowerCase();
  return told === 'https' || told === 'http' ? told : usual;
}

/** Adds scheme, name and port where `X-Forwarded-Proto` and `X-Forwarded-Port` are AWS's own. */
export function addForwardedServer(environ: Environ, domainName: unknown, usual: 'http' | 'https' = 'https'): void {
  addServer(environ, environ.HTTP_X_FORWARDED_PROTO, environ.HTTP_X_FORWARDED_PORT, domainName, usual);
}

function digits(text: string): string {
  return /^[0-9]+$/.test(text) ? text : '';
}

/** The last entry of a comma-separated list: the one that AWS added, after what the client claims. */
function lastOf(list: string | undefined): string {
  return list === undefined ? '' : list.slice(list.lastIndexOf(',') + 1).trim();
}

/** Adds the client's address as the gateway itself reports it. */
export function addClient(environ: Environ, address: unknown): void {
  if (typeof address === 'string' && address !== '') environ.REMOTE_ADDR = nativeOf(address);
}

/**
 * Adds the client's address where only `X-Forwarded-For` has it: the last entry. A load balancer that preserves client
 * ports writes `203.0.113.7:4711` or `[2001:db8::7]:4711`.
 */
export function addForwardedClient(environ: Environ): void {
  const last = lastOf(environ.HTTP_X_FORWARDED_FOR);
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]+))?$/.exec(last);
  const address = parts === null ? last : (parts[1] ?? parts[2]);
  // It comes from environ, and so it is a native string already.
  if (address) environ.REMOTE_ADDR = address;
  if (parts?.[3] !== undefined) environ.REMOTE_PORT = parts[3];
}

/**
 * Adds who the gateway found the client to be, and by what scheme if the header that says so is still there. (ENV-16)
 *
 * @param candidates the first one that is a text or number counts
 */
export function addUser(environ: Environ, ...candidates: unknown[]): void {
  const user = candidates.find((each) => (typeof each === 'string' && each !== '') || typeof each === 'number');
  if (user === undefined) return;
  environ.REMOTE_USER = encodeWsgi(String(user));
  const scheme = /^([^\s,=]+) /.exec(environ.HTTP_AUTHORIZATION ?? '')?.[1];
  if (scheme !== undefined) environ.AUTH_TYPE = scheme;
}

/** A client certificate as API Gateway reports it, once it has verified it. */
export interface ClientCertificate {
  clientCertPem?: string;
  subjectDN?: string;
  issuerDN?: string;
  serialNumber?: string;
  validity?: { notBefore?: string; notAfter?: string } | null;
}

/**
 * Adds the client's certificate under the names of Apache's mod_ssl. (ENV-15) Empty members mean that there was none: a
 * typed language that passes an event on adds all members, and nothing was verified.
 */
export function addClientCertificate(environ: Environ, certificate: ClientCertificate | null | undefined): void {
  if (!certificate) return;
  const { validity } = certificate;
  addCertificateKey(environ, 'SSL_CLIENT_M_SERIAL', certificate.serialNumber);
  addCertificateKey(environ, 'SSL_CLIENT_V_START', validity?.notBefore);
  addCertificateKey(environ, 'SSL_CLIENT_V_END', validity?.notAfter);
  addCertificateKey(environ, 'SSL_CLIENT_S_DN', certificate.subjectDN);
  addCertificateKey(environ, 'SSL_CLIENT_I_DN', certificate.issuerDN);
  addCertificateKey(environ, 'SSL_CLIENT_CERT', certificate.clientCertPem);
}

function addCertificateKey(environ: Environ, key: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') return;
  environ.SSL_CLIENT_VERIFY = 'SUCCESS';
  environ[key] = nativeOf(value);
}
