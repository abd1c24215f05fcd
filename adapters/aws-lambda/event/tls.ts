// What event sources say about TLS in headers, under the names of Apache's mod_ssl. (ENV-15)

import { encodeWsgi } from '../../../core/strings.ts';
import type { Environ } from '../../../core/types.ts';
import { decodePath } from '../../../core/url.ts';
import type { LambdaOptions } from '../options.ts';

/**
 * Adds `SSL_PROTOCOL` and `SSL_CIPHER` from the headers `X-Amzn-Tls-*`. Only for an event source that always sets them.
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 */
export function addTls(environ: Environ): void {
  put(environ, 'SSL_PROTOCOL', environ.HTTP_X_AMZN_TLS_VERSION);
  put(environ, 'SSL_CIPHER', environ.HTTP_X_AMZN_TLS_CIPHER_SUITE);
}

/**
 * Adds the client's certificate as a load balancer passes it on.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
 *
 * @param mode the listener's mode: only then are the headers the load balancer's own words
 */
export function addMutualTls(environ: Environ, mode: NonNullable<LambdaOptions['mutualTls']>): void {
  addTls(environ);
  if (mode === 'passthrough') {
    const [own, ...chain] = certificates(environ.HTTP_X_AMZN_MTLS_CLIENTCERT);
    if (own === undefined) return;
    // mod_ssl's word for a certificate that was taken without a look at who signed it.
    environ.SSL_CLIENT_VERIFY = 'GENEROUS';
    environ.SSL_CLIENT_CERT = own;
    for (const [index, each] of chain.entries()) environ[`SSL_CLIENT_CERT_CHAIN_${index}`] = each;
    return;
  }
  const validity = environ.HTTP_X_AMZN_MTLS_CLIENTCERT_VALIDITY;
  put(environ, 'SSL_CLIENT_M_SERIAL', environ.HTTP_X_AMZN_MTLS_CLIENTCERT_SERIAL_NUMBER);
  put(environ, 'SSL_CLIENT_I_DN', environ.HTTP_X_AMZN_MTLS_CLIENTCERT_ISSUER);
  put(environ, 'SSL_CLIENT_S_DN', environ.HTTP_X_AMZN_MTLS_CLIENTCERT_SUBJECT);
  put(environ, 'SSL_CLIENT_V_START', dateOf(validity, 'NotBefore'));
  put(environ, 'SSL_CLIENT_V_END', dateOf(validity, 'NotAfter'));
  put(environ, 'SSL_CLIENT_CERT', certificates(environ.HTTP_X_AMZN_MTLS_CLIENTCERT_LEAF)[0]);
  const known = environ.SSL_CLIENT_S_DN ?? environ.SSL_CLIENT_M_SERIAL ?? environ.SSL_CLIENT_CERT;
  if (known !== undefined) environ.SSL_CLIENT_VERIFY = 'SUCCESS';
}

function put(environ: Environ, key: string, value: string | undefined): void {
  if (value !== undefined && value !== '') environ[key] = value;
}

/** The PEM blocks of a URL-encoded text. */
function certificates(encoded: string | undefined): string[] {
  if (encoded === undefined || encoded === '' || encoded.includes('%00')) return [];
  return decodePath(encoded).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** `NotBefore=2023-09-21T01:50:17Z;NotAfter=…` in the words of mod_ssl: `Sep 21 01:50:17 2023 GMT`. */
function dateOf(validity: string | undefined, name: string): string | undefined {
  const text = new RegExp(`(?:^|;)\\s*${name}=([^;]+)`, 'i').exec(validity ?? '')?.[1]?.trim();
  const date = new Date(text ?? '');
  if (text === undefined) return undefined;
  if (Number.isNaN(date.getTime())) return encodeWsgi(text);
  const [, , month, , time] = date.toUTCString().split(' ') as string[];
  return `${month} ${String(date.getUTCDate()).padStart(2)} ${time} ${date.getUTCFullYear()} GMT`;
}
