// What is known of a TLS connection, under the names of Apache's mod_ssl. (ENV-15)

import type { Socket } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { encodeWsgi } from '../../core/strings.ts';

const KNOWN = new WeakMap<Socket, Record<string, string>>();

/** `HTTPS`, `SSL_PROTOCOL`, `SSL_CIPHER` and, where the client showed a certificate, the `SSL_CLIENT_*` keys. */
export function tlsKeys(socket: Socket): Readonly<Record<string, string>> {
  let keys = KNOWN.get(socket);
  if (keys === undefined) {
    keys = readTlsKeys(socket as TLSSocket);
    KNOWN.set(socket, keys);
  }
  return keys;
}

function readTlsKeys(socket: TLSSocket): Record<string, string> {
  const keys: Record<string, string> = { HTTPS: 'on' };
  const protocol = socket.getProtocol?.();
  if (protocol) keys.SSL_PROTOCOL = protocol;
  const cipher = socket.getCipher?.()?.name;
  if (cipher) keys.SSL_CIPHER = cipher;
  const certificate = socket.getPeerCertificate?.(true);
  if (certificate?.raw === undefined) return keys;
  return Object.assign(keys, certificateKeys(certificate, socket.authorized));
}

function certificateKeys(certificate: DetailedPeerCertificate, verified: boolean): Record<string, string> {
  return {
    SSL_CLIENT_VERIFY: verified ? 'SUCCESS' : 'FAILED',
    SSL_CLIENT_M_SERIAL: certificate.serialNumber,
    SSL_CLIENT_V_START: certificate.valid_from,
    SSL_CLIENT_V_END: certificate.valid_to,
    SSL_CLIENT_S_DN: distinguishedName(certificate.subject),
    SSL_CLIENT_I_DN: distinguishedName(certificate.issuer),
    SSL_CLIENT_CERT: pem(certificate.raw),
  };
}

/** A subject as RFC 4514 writes it, in UTF-8: the most specific part first. */
function distinguishedName(name: object): string {
  const parts = Object.entries(name).flatMap(([key, value]) => [value].flat().map((each) => `${key}=${escaped(each)}`));
  return encodeWsgi(parts.reverse().join(','));
}

/** A value with what has a meaning in a name escaped, and control characters with it: a log or a header may get it next. */
function escaped(value: unknown): string {
  return String(value)
    .replace(/[,+"\\<>;]|^[ #]| $/g, '\\$&')
    .replace(/[\x00-\x1f\x7f]/g, (unit) => `\\${unit.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function pem(raw: Buffer): string {
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
