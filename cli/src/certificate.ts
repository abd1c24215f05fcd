// The certificate of `waygate serve --tls`: the user's own, or one that is made for this run.

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { CommandError, oneLine, usageError } from './errors.ts';
import type { Io } from './output.ts';
import { readInput } from './request.ts';

/** A certificate with its key, both PEM: plain data, since it goes to other processes. */
export interface Certificate {
  cert: string;
  key: string;
}

/** The options about TLS. */
export interface TlsOptions {
  tls?: boolean;
  /** Files, PEM. */
  cert?: string;
  key?: string;
}

/** How long a certificate that was made here is valid, in milliseconds: a day more than anybody serves for. */
const VALID = 30 * 24 * 60 * 60 * 1000;

/**
 * @param host the address to listen on, which a certificate made here is valid for, beside localhost
 * @returns undefined where TLS was not asked for
 * @throws {CommandError} for a file that cannot be read, and for a certificate and a key that do not belong together
 */
export async function certificateOf(options: TlsOptions, host: string, io: Io): Promise<Certificate | undefined> {
  const { tls = false, cert, key } = options;
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['--key', '--cert'] : ['--cert', '--key'];
    throw usageError(`${given} was given without ${missing}; a certificate and its key go together.`);
  }
  if (cert !== undefined && key !== undefined) return readCertificate(cert, key, io);
  return tls ? makeCertificate(host) : undefined;
}

async function readCertificate(certFile: string, keyFile: string, io: Io): Promise<Certificate> {
  const [cert, key] = await Promise.all([readInput(certFile, io), readInput(keyFile, io)]);
  const { createPrivateKey } = await import('node:crypto');
  let belongs: boolean;
  try {
    belongs = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw new CommandError(`${certFile} and ${keyFile} are not a certificate and a key in PEM: ${oneLine(error)}.`, {
      cause: error,
    });
  }
  if (!belongs) throw new CommandError(`The key in ${keyFile} is not that of the certificate in ${certFile}.`);
  return { cert: cert.toString(), key: key.toString() };
}

/** A certificate for this machine that nobody has signed: browsers warn, curl wants `--insecure`. */
async function makeCertificate(host: string): Promise<Certificate> {
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    notBeforeDate: new Date(),
    notAfterDate: new Date(Date.now() + VALID),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [...new Set(['localhost', '127.0.0.1', '::1', host])].map((name) =>
          isIP(name) > 0 ? { type: 7, ip: name } : { type: 2, value: name },
        ),
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}
