// What Cloudflare says about a request beyond the Fetch `Request`, as environ. Facts of workerd that differ from the Fetch
// standard stand here too; docs/platforms.md lists them and tests/e2e/workers/ shows each in workerd itself.

import { encodeWsgi, textFromNative } from '../../core/strings.ts';
import type { Environ } from '../../core/types.ts';
import type { BodyPipe, FetchPlatform } from '../fetch/platform.ts';

/** The part of `request.cf` that becomes CGI variables. (Cloudflare docs, "Request: IncomingRequestCfProperties") */
export interface RequestCf {
  readonly httpProtocol?: string;
  readonly tlsVersion?: string;
  readonly tlsCipher?: string;
  readonly tlsClientAuth?: ClientCertificate | null;
}

/** `request.cf.tlsClientAuth`: the client certificate that Cloudflare's edge was shown. */
export interface ClientCertificate {
  /** `"1"` when there was one. */
  readonly certPresented: string;
  /** As mod_ssl writes it: `SUCCESS`, `FAILED:reason`, `NONE`. */
  readonly certVerified: string;
  /** `"1"` for a certificate that is valid but revoked. */
  readonly certRevoked?: string;
  readonly certSubjectDNRFC2253?: string;
  readonly certIssuerDNRFC2253?: string;
  readonly certSerial?: string;
  readonly certNotBefore?: string;
  readonly certNotAfter?: string;
}

/** A request as workerd hands it over. */
type WorkerRequest = Request & { readonly cf?: RequestCf };

/** The pipes that only workerd has. */
interface Runtime {
  readonly FixedLengthStream?: new (length: number) => BodyPipe;
  readonly IdentityTransformStream?: new () => BodyPipe;
}

/** How workerd differs from the Fetch standard. */
export const workerPlatform: FetchPlatform = {
  gateway: 'cloudflare-workers',
  // Cloudflare runs a Worker in as many isolates as it likes.
  multiprocess: true,
  protocol: (request) => (request as WorkerRequest).cf?.httpProtocol ?? 'HTTP/1.1',
  // workerd decodes header bytes as UTF-8, and encodes them so; the Fetch standard has one code unit per byte.
  headerValue: encodeWsgi,
  headerText: textFromNative,
  // A stream made of callbacks is not cancelled when its client leaves, unless each chunk takes a turn of the event loop.
  // It also goes out in chunks, whatever Content-Length says. A pipe fails at the next write, and carries a length.
  pipe(length) {
    const { FixedLengthStream, IdentityTransformStream } = globalThis as Runtime;
    if (FixedLengthStream === undefined || IdentityTransformStream === undefined) return undefined;
    return length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  },
  cancelsOnDisconnect: true,
  // `wrangler dev` does: its middleware reads what is left of a request once it has the response.
  discardsUnreadBody: true,
  addKeys(environ, { request, platform = [] }) {
    const { cf } = request as WorkerRequest;
    addEdgeKeys(environ, cf);
    environ['cloudflare.env'] = platform[0] as Environ['cloudflare.env'];
    environ['cloudflare.ctx'] = platform[1] as Environ['cloudflare.ctx'];
    if (cf) environ['cloudflare.cf'] = cf as Environ['cloudflare.cf'];
  },
};

/**
 * Adds what the edge knows of the client: its address, and what TLS told. None of it can come from the client: the edge
 * writes `CF-Connecting-IP` itself, whatever was sent. (Cloudflare docs, "Cloudflare HTTP headers")
 *
 * @param environ the environ of this very request, complete with its headers
 */
function addEdgeKeys(environ: Environ, cf: RequestCf | undefined): void {
  const address = environ.HTTP_CF_CONNECTING_IP;
  if (address !== undefined && address !== '') environ.REMOTE_ADDR = address;
  if (!cf || environ['wsgi.url_scheme'] !== 'https') return;
  if (cf.tlsVersion) environ.SSL_PROTOCOL = cf.tlsVersion;
  if (cf.tlsCipher) environ.SSL_CIPHER = cf.tlsCipher;
  // "0" where the client showed no certificate; the object may be missing altogether.
  if (cf.tlsClientAuth?.certPresented === '1') addCertificate(environ, cf.tlsClientAuth);
}

/** The certificate under the names of Apache's mod_ssl. (ENV-15) */
function addCertificate(environ: Environ, certificate: ClientCertificate): void {
  // For a revoked certificate certVerified still says SUCCESS: an application that looks at one variable must not be fooled.
  const isRevoked = certificate.certRevoked === '1';
  environ.SSL_CLIENT_VERIFY = isRevoked ? 'FAILED:certificate revoked' : certificate.certVerified;
  const keys = {
    SSL_CLIENT_S_DN: certificate.certSubjectDNRFC2253,
    SSL_CLIENT_I_DN: certificate.certIssuerDNRFC2253,
    SSL_CLIENT_M_SERIAL: certificate.certSerial,
    SSL_CLIENT_V_START: certificate.certNotBefore,
    SSL_CLIENT_V_END: certificate.certNotAfter,
  };
  for (const [key, value] of Object.entries(keys)) if (value) environ[key] = encodeWsgi(value);
}
