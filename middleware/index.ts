// `waygate/middleware`: applications made of other applications.

import type { ProxyFixOriginal } from './proxy-fix.ts';

export { type AccessLogOptions, accessLog } from './access-log.ts';
export type { AccessLogEntry, AccessLogFormat } from './access-log-format.ts';
export { assets } from './assets.ts';
export { type BasicAuthOptions, basicAuth } from './basic-auth.ts';
export { type CascadeOptions, cascade } from './cascade.ts';
export { type CompressOptions, compress } from './compress.ts';
export { isCompressible } from './compressible.ts';
export { type ConditionalOptions, conditional } from './conditional.ts';
export { type CookieOptions, cookies, setCookie } from './cookies.ts';
export { type CorsOptions, cors, type OriginCheck } from './cors.ts';
export { type ErrorPageOptions, errorPage } from './error-page.ts';
export { type MemoryFile, memoryFiles } from './memory-files.ts';
export { METHOD_OVERRIDE_ORIGINAL, type MethodOverrideOptions, methodOverride } from './method-override.ts';
export { type Mounts, mount } from './mount.ts';
export {
  type OpenTelemetryApi,
  type OpenTelemetryOptions,
  type OtelContext,
  type OtelHistogram,
  type OtelSpan,
  opentelemetry,
} from './opentelemetry.ts';
export type { Validators } from './preconditions.ts';
export { PROXY_FIX_ORIGINAL, type ProxyFixOptions, type ProxyFixOriginal, proxyFix, type Trust } from './proxy-fix.ts';
export { type HstsOptions, type RedirectToHttpsOptions, redirectToHttps } from './redirect-to-https.ts';
export { REQUEST_ID, type RequestIdOptions, requestId } from './request-id.ts';
export {
  CSP_NONCE,
  type CspDirectives,
  type CspOptions,
  type SecureHeadersOptions,
  secureHeaders,
} from './secure-headers.ts';
export { type StaticFilesOptions, staticFiles } from './static-files.ts';
export { type TimeoutOptions, timeout } from './timeout.ts';
export { validator } from './validator/index.ts';
export { webEncoders } from './web-encoders.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** The id of the request, where {@link requestId} is around the application. */
    'waygate.request_id'?: string;
    /** The method that was sent, where {@link methodOverride} changed it. */
    'waygate.method_override.original'?: string;
    /** What the environ said before {@link proxyFix} changed it. */
    'waygate.proxy_fix.original'?: ProxyFixOriginal;
    /** The nonce of the request, where {@link secureHeaders} makes one. */
    'waygate.csp_nonce'?: string;
    /** The route that the request has taken, such as `/users/:id`, for {@link opentelemetry}: the application sets it. */
    'otel.route'?: string;
  }
}
