// The response headers by which a site makes browsers strict. (the defaults are those of helmet 8)

import { checkApplication, checkOptions, isHeaderValue, isToken } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import type { Application, HeaderList, ReadonlyHeaderList } from '../core/types.ts';
import { type HstsOptions, hstsValue } from './redirect-to-https.ts';
import { withoutHeaders } from './response-head.ts';

/**
 * The key under which {@link secureHeaders} keeps the nonce of a request.
 *
 * @example
 * const script = `<script nonce="${environ[CSP_NONCE]}">start()</script>`;
 */
export const CSP_NONCE = 'waygate.csp_nonce';

declare module 'waygate' {
  interface EnvironKeys {
    /** The nonce that the Content-Security-Policy of this response allows: `<script nonce="…">`. */
    'waygate.csp_nonce'?: string;
  }
}

/** A list of sources by directive, `{ 'script-src': ["'self'", "'nonce'"] }`; `[]` for a bare directive, false for none. */
export type CspDirectives = Readonly<Record<string, readonly string[] | string | false>>;

/** A Content-Security-Policy. (W3C CSP Level 3) */
export interface CspOptions {
  /**
   * The directives that differ from the defaults. The source `'nonce'`, in quotes, stands for the nonce of the request.
   *
   * @default {}
   */
  directives?: CspDirectives;
  /**
   * Whether the directives that are not named keep their defaults.
   *
   * @default true
   */
  defaults?: boolean;
  /**
   * Whether browsers only report what would be blocked.
   *
   * @default false
   */
  reportOnly?: boolean;
}

/** What {@link secureHeaders} sends. Every field takes its value, or false to leave it out. */
export interface SecureHeadersOptions {
  /** @default the directives of helmet */
  contentSecurityPolicy?: CspOptions | false;
  /** @default false */
  crossOriginEmbedderPolicy?: string | false;
  /** @default 'same-origin' */
  crossOriginOpenerPolicy?: string | false;
  /** @default 'same-origin' */
  crossOriginResourcePolicy?: string | false;
  /** @default '?1' */
  originAgentCluster?: string | false;
  /** @default 'no-referrer' */
  referrerPolicy?: string | false;
  /** Sent over https only (RFC 6797 §7.2). @default {} , which is a year with subdomains */
  strictTransportSecurity?: HstsOptions | false;
  /** @default 'nosniff' */
  xContentTypeOptions?: string | false;
  /** @default 'off' */
  xDnsPrefetchControl?: string | false;
  /** @default 'noopen' */
  xDownloadOptions?: string | false;
  /** @default 'SAMEORIGIN' */
  xFrameOptions?: string | false;
  /** @default 'none' */
  xPermittedCrossDomainPolicies?: string | false;
  /** @default '0' */
  xXssProtection?: string | false;
  /** Sent where you give it, for example `camera=()`. @default false */
  permissionsPolicy?: string | false;
}

type FieldOption = Exclude<keyof SecureHeadersOptions, 'contentSecurityPolicy' | 'strictTransportSecurity'>;

const FIELDS: readonly [option: FieldOption, name: string, value: string | false][] = [
  ['crossOriginEmbedderPolicy', 'Cross-Origin-Embedder-Policy', false],
  ['crossOriginOpenerPolicy', 'Cross-Origin-Opener-Policy', 'same-origin'],
  ['crossOriginResourcePolicy', 'Cross-Origin-Resource-Policy', 'same-origin'],
  ['originAgentCluster', 'Origin-Agent-Cluster', '?1'],
  ['referrerPolicy', 'Referrer-Policy', 'no-referrer'],
  ['xContentTypeOptions', 'X-Content-Type-Options', 'nosniff'],
  ['xDnsPrefetchControl', 'X-DNS-Prefetch-Control', 'off'],
  ['xDownloadOptions', 'X-Download-Options', 'noopen'],
  ['xFrameOptions', 'X-Frame-Options', 'SAMEORIGIN'],
  ['xPermittedCrossDomainPolicies', 'X-Permitted-Cross-Domain-Policies', 'none'],
  ['xXssProtection', 'X-XSS-Protection', '0'],
  ['permissionsPolicy', 'Permissions-Policy', false],
];

const DEFAULT_DIRECTIVES: CspDirectives = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'font-src': ["'self'", 'https:', 'data:'],
  'form-action': ["'self'"],
  'frame-ancestors': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'script-src': ["'self'"],
  'script-src-attr': ["'none'"],
  'style-src': ["'self'", 'https:', "'unsafe-inline'"],
  'upgrade-insecure-requests': [],
};

/** What names the software and serves nobody but attackers. */
const REMOVED = new Set(['x-powered-by']);
const NONCE = "'nonce'";

/**
 * Adds the security headers that helmet adds by default, and removes `X-Powered-By`. A header that the application sets itself
 * is left as it is. Where a directive has the source `'nonce'`, each request has a nonce of 128 random bits in
 * `environ['waygate.csp_nonce']`.
 *
 * It differs from helmet in one point: `Strict-Transport-Security` is sent over https alone, as RFC 6797 §7.2 demands.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), and for an option that cannot be a header or a directive
 * @example
 * serve(secureHeaders(app, { contentSecurityPolicy: { directives: { 'script-src': ["'self'", "'nonce'"] } } }));
 */
export function secureHeaders(app: Application, options: SecureHeadersOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const known = new Set(['contentSecurityPolicy', 'strictTransportSecurity', ...FIELDS.map(([option]) => option)]);
  for (const option of Object.keys(options))
    if (!known.has(option)) throw new TypeError(`secureHeaders has no option ${JSON.stringify(option)}.`);
  const fixed: [lower: string, name: string, value: string][] = [];
  for (const [option, name, value] of FIELDS) add(fixed, option, name, options[option] ?? value);
  const { contentSecurityPolicy: csp = {}, strictTransportSecurity: hsts = {} } = options;
  const policy = csp === false ? null : policyOf(csp);
  const policyName =
    csp !== false && csp.reportOnly === true ? 'Content-Security-Policy-Report-Only' : 'Content-Security-Policy';
  const usesNonce = policy?.includes(NONCE) ?? false;
  if (policy !== null && !usesNonce) add(fixed, 'contentSecurityPolicy', policyName, policy);
  const secure = [...fixed];
  if (hsts !== false) add(secure, 'strictTransportSecurity', 'Strict-Transport-Security', hstsValue(hsts));
  return (environ, startResponse) => {
    let fields = environ['wsgi.url_scheme'] === 'https' ? secure : fixed;
    if (usesNonce) {
      const nonce = makeNonce();
      environ[CSP_NONCE] = nonce;
      const value = (policy as string).replaceAll(NONCE, `'nonce-${nonce}'`);
      fields = [...fields, [policyName.toLowerCase(), policyName, value]];
    }
    return app(environ, (status, headers, error) => startResponse(status, merge(headers, fields), error));
  };
}

/** What the application sets itself stands. */
function merge(
  headers: ReadonlyHeaderList,
  fields: readonly [lower: string, name: string, value: string][],
): HeaderList {
  const list = withoutHeaders(headers, REMOVED);
  const set = new Set(list.map(([name]) => name.toLowerCase()));
  for (const [lower, name, value] of fields) if (!set.has(lower)) list.push([name, value]);
  return list;
}

function add(
  fields: [lower: string, name: string, value: string][],
  option: string,
  name: string,
  value: unknown,
): void {
  if (value === false) return;
  if (typeof value !== 'string' || value === '' || !isHeaderValue(value))
    throw new TypeError(
      `The option "${option}" of secureHeaders is ${describe(value)}; expected a header value, or false.`,
    );
  fields.push([name.toLowerCase(), name, value]);
}

/** The policy as one text: `default-src 'self'; upgrade-insecure-requests`. */
function policyOf(options: CspOptions): string {
  checkOptions(options);
  const { directives = {}, defaults = true } = options;
  checkOptions(directives);
  const parts: string[] = [];
  for (const [directive, sources] of Object.entries({ ...(defaults ? DEFAULT_DIRECTIVES : {}), ...directives })) {
    if (!/^[a-z][a-z0-9-]*$/.test(directive) || !isToken(directive))
      throw new TypeError(
        `The Content-Security-Policy has the directive ${JSON.stringify(directive)}; expected a name such as "img-src".`,
      );
    if (sources === false) continue;
    const list: readonly unknown[] = typeof sources === 'string' ? [sources] : sources;
    if (!Array.isArray(list))
      throw new TypeError(`The directive ${directive} is ${describe(sources)}; expected an array of sources.`);
    for (const source of list) {
      // A semicolon would begin the next directive, a comma the next policy.
      if (typeof source !== 'string' || source === '' || /[^\x20-\x7e]|[;,]/.test(source))
        throw new TypeError(
          `The directive ${directive} has the source ${describe(source)}; expected text without ";" and ",".`,
        );
    }
    parts.push([directive, ...(list as string[])].join(' '));
  }
  if (parts.length === 0) throw new TypeError('The Content-Security-Policy has no directive; give one, or false.');
  return parts.join('; ');
}

function makeNonce(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
}
