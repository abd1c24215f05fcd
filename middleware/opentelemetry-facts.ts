// What OpenTelemetry records of a request, under the names of its semantic conventions, and the part of its API that is
// used.

import type { Environ } from '../core/types.ts';
import { encodedPathInfo, quotePath } from '../core/url.ts';
import { PROXY_FIX_ORIGINAL, type ProxyFixOriginal } from './proxy-fix.ts';

/** A context of OpenTelemetry. It is only handed on. */
// biome-ignore lint/suspicious/noExplicitAny: the API's own type, which is not a dependency.
export type OtelContext = any;

/** The part of a `Span` that is used. */
export interface OtelSpan {
  /** Adds attributes. */
  setAttributes(attributes: Record<string, string | number>): unknown;
  /** Sets the status: 2 for an error. */
  setStatus(status: { code: number }): unknown;
  /** Gives the span another name, once the route is known. */
  updateName(name: string): unknown;
  /** Records what the application threw. */
  recordException(error: Error): void;
  /** Ends the span. */
  end(): void;
}

/** The part of a `Histogram` that is used. */
export interface OtelHistogram {
  /** Records a duration, in seconds. */
  record(value: number, attributes: Record<string, string | number>, context: OtelContext): void;
}

/** The part of `@opentelemetry/api` that is used: the module itself is one. */
export interface OpenTelemetryApi {
  /** Makes spans, and keeps them in contexts. */
  readonly trace: {
    getTracer(name: string): {
      startSpan(
        name: string,
        options: { kind: number; attributes: Record<string, string | number> },
        context: OtelContext,
      ): OtelSpan;
    };
    getSpan(context: OtelContext): unknown;
    // biome-ignore lint/suspicious/noExplicitAny: the API's own type of spans has more.
    setSpan(context: OtelContext, span: any): OtelContext;
  };
  /** The context that is active. */
  readonly context: {
    active(): OtelContext;
    with(context: OtelContext, step: () => unknown): unknown;
  };
  /** Reads the parent of a span from request headers. */
  readonly propagation: {
    // biome-ignore lint/suspicious/noExplicitAny: the API's own type of getters is generic.
    extract(context: OtelContext, carrier: any, getter: any): OtelContext;
  };
  /** Makes histograms. */
  readonly metrics: {
    getMeterProvider(): unknown;
    // biome-ignore lint/suspicious/noExplicitAny: the API's own type of options has more.
    getMeter(name: string): { createHistogram(name: string, options?: any): OtelHistogram };
  };
}

/** RFC 9110 §9 and RFC 5789: of any other method the name could be anything. */
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);

/** Parameters that hold a secret, by the semantic conventions of `url.query`. */
const SECRETS =
  /(^|&)(AWSAccessKeyId|Signature|sig|X-Goog-Signature|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token)=[^&]*/g;

/** A span's name: of few values. */
export function spanName(method: string, route?: string): string {
  const name = method === '_OTHER' ? 'HTTP' : method;
  return route === undefined ? name : `${name} ${route}`;
}

/** What is known of a request before the application runs: for its span, and, of few values, for its measurement. */
export function requestAttributes(environ: Environ): {
  method: string;
  span: Record<string, string | number>;
  metric: Record<string, string | number>;
} {
  const sent = environ.REQUEST_METHOD;
  const method = METHODS.has(sent) ? sent : '_OTHER';
  const metric: Record<string, string | number> = {
    'http.request.method': method,
    'url.scheme': environ['wsgi.url_scheme'],
  };
  const version = /^HTTP\/(\S+)$/.exec(environ.SERVER_PROTOCOL)?.[1];
  if (version !== undefined) metric['network.protocol.version'] = version.replace(/^([23])\.0$/, '$1');
  const span: Record<string, string | number> = {
    ...metric,
    'url.path': quotePath(environ.SCRIPT_NAME) + encodedPathInfo(environ),
  };
  const add = (name: string, value: string | number | undefined): void => {
    if (value !== undefined && value !== '') span[name] = value;
  };
  if (method !== sent) add('http.request.method_original', sent);
  add('url.query', environ.QUERY_STRING.replace(SECRETS, '$1$2=REDACTED'));
  const { address, port } = server(environ);
  add('server.address', address);
  add('server.port', port);
  add('client.address', environ.REMOTE_ADDR);
  const peer = (environ[PROXY_FIX_ORIGINAL] as ProxyFixOriginal | undefined) ?? environ;
  add('network.peer.address', peer.REMOTE_ADDR);
  if (peer.REMOTE_PORT !== undefined) add('network.peer.port', Number(peer.REMOTE_PORT));
  add('user_agent.original', environ.HTTP_USER_AGENT);
  return { method, span, metric };
}

/** What the client has asked for: host and port, the scheme's own port left out as it is in the header. */
function server({ HTTP_HOST: host, SERVER_NAME, SERVER_PORT }: Environ): { address: string; port: number | undefined } {
  if (!host) return { address: SERVER_NAME, port: Number(SERVER_PORT) };
  const [, address = host, port] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?$/.exec(host) ?? [];
  return { address, port: port === undefined ? undefined : Number(port) };
}
