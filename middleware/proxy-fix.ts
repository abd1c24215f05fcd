// Behind a reverse proxy: puts what the proxy says of the client in place of what the connection to the proxy says. It
// trusts nothing but what it is told to, since a client can send any of these headers itself. (RFC 7239)

import { checkApplication, checkOptions } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { trimBlanks } from '../core/strings.ts';
import type { Application, Environ } from '../core/types.ts';
import { decodePath, quotePath } from '../core/url.ts';
import { isHost, isIPv4, isIPv6 } from './address.ts';
import { lastElements } from './forwarded.ts';

/** How many proxies are known to set a header: `true` for `hops`, a number for another count, `false` or 0 for none. */
export type Trust = boolean | number;

/** What {@link proxyFix} may believe. Everything is off unless it is asked for. */
export interface ProxyFixOptions {
  /**
   * The proxies in front of the application that append to these headers.
   *
   * @default 1
   */
  hops?: number;
  /**
   * `X-Forwarded-For`: `REMOTE_ADDR`, and `REMOTE_PORT` where the proxy gives it.
   *
   * @default false
   */
  for?: Trust;
  /**
   * `X-Forwarded-Proto`: `wsgi.url_scheme` and `HTTPS`.
   *
   * @default false
   */
  proto?: Trust;
  /**
   * `X-Forwarded-Host`: `HTTP_HOST`, `SERVER_NAME` and `SERVER_PORT`.
   *
   * @default false
   */
  host?: Trust;
  /**
   * `X-Forwarded-Port`: `SERVER_PORT`, and the port in `HTTP_HOST`.
   *
   * @default false
   */
  port?: Trust;
  /**
   * `X-Forwarded-Prefix`: a path that the proxy has removed. It is put in front of `SCRIPT_NAME` and of `REQUEST_URI`.
   *
   * @default false
   */
  prefix?: Trust;
  /**
   * Reads the client, scheme and host that are asked for from `Forwarded` (RFC 7239) instead of `X-Forwarded-*`.
   *
   * @default false
   */
  forwarded?: boolean;
}

/**
 * The key under which {@link proxyFix} keeps what the environ said before.
 *
 * @example
 * const proxy = environ[PROXY_FIX_ORIGINAL]?.REMOTE_ADDR;
 */
export const PROXY_FIX_ORIGINAL = 'waygate.proxy_fix.original';

/** The keys that it may change, as they were: absent where they were absent. */
export type ProxyFixOriginal = Partial<Record<(typeof CHANGED)[number], string>>;

const CHANGED = [
  'REMOTE_ADDR',
  'REMOTE_PORT',
  'wsgi.url_scheme',
  'HTTPS',
  'HTTP_HOST',
  'SERVER_NAME',
  'SERVER_PORT',
  'SCRIPT_NAME',
  'REQUEST_URI',
] as const;

type Field = 'for' | 'proto' | 'host' | 'port' | 'prefix';

/**
 * Makes an application that sees the client behind one or more reverse proxies. It takes the value `n` places from the end
 * of each header that is trusted: the outermost of `n` proxies has put it there. What stands before comes from the client,
 * and cannot change how the rest is read.
 *
 * Without the header nothing changes: the request did not come through the proxies, as a health check does. With fewer
 * values than proxies, and with a value that is not of its kind, it fails closed: `REMOTE_ADDR` and `REMOTE_PORT` are
 * absent, since the proxy's own address is not the client's. The scheme is `http`. Host, port and prefix stay as they were.
 *
 * The environ is changed in place; what it said before is kept in `waygate.proxy_fix.original`. docs/proxies.md says what
 * the proxy has to do.
 *
 * @param app the application
 * @param options which headers to believe, and how many proxies set each
 * @throws {TypeError} for an application that is not a function (L-21), and for an option that is neither a boolean nor a count
 * @example
 * serve(proxyFix(app, { for: true, proto: true, host: true }));
 */
export function proxyFix(app: Application, options: ProxyFixOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { hops = 1, forwarded = false } = options;
  if (!isCount(hops) || hops === 0)
    throw new TypeError(`The option "hops" of proxyFix is ${describe(hops)}; expected a number of proxies, 1 or more.`);
  if (typeof forwarded !== 'boolean')
    throw new TypeError(`The option "forwarded" of proxyFix is ${describe(forwarded)}; expected true or false.`);
  const count = (field: Field): number => {
    const trust = options[field] ?? false;
    if (typeof trust === 'boolean') return trust ? hops : 0;
    if (isCount(trust)) return trust;
    throw new TypeError(
      `The option "${field}" of proxyFix is ${describe(trust)}; expected a number of proxies, true or false.`,
    );
  };
  const trust = {
    for: count('for'),
    proto: count('proto'),
    host: count('host'),
    port: count('port'),
    prefix: count('prefix'),
  };
  return (environ, startResponse) => {
    const original: ProxyFixOriginal = {};
    for (const key of CHANGED) if (environ[key] !== undefined) original[key] = environ[key];
    environ[PROXY_FIX_ORIGINAL] = original;
    const said = forwarded ? fromForwarded(environ, trust) : fromHeaders(environ, trust);
    // The scheme comes first: it decides which port needs no mention.
    if (said.proto !== undefined) setScheme(environ, said.proto);
    if (said.for !== undefined) setClient(environ, said.for);
    if (said.host !== undefined) setHost(environ, said.host);
    const port = nth(environ.HTTP_X_FORWARDED_PORT, trust.port);
    if (port !== undefined) setPort(environ, port);
    const prefix = nth(environ.HTTP_X_FORWARDED_PREFIX, trust.prefix);
    if (prefix !== undefined) setPrefix(environ, prefix);
    return app(environ, startResponse);
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What the proxies said: undefined where they were not asked or said nothing, empty where it is unknown. */
interface Said {
  for: string | undefined;
  proto: string | undefined;
  host: string | undefined;
}

function fromHeaders(environ: Environ, trust: Record<Field, number>): Said {
  return {
    for: nth(environ.HTTP_X_FORWARDED_FOR, trust.for),
    proto: nth(environ.HTTP_X_FORWARDED_PROTO, trust.proto),
    host: nth(environ.HTTP_X_FORWARDED_HOST, trust.host),
  };
}

/** The value that the `hops`-th proxy from the application has put into a list; empty where the list is too short. */
function nth(header: string | undefined, hops: number): string | undefined {
  if (header === undefined || hops === 0) return undefined;
  // An empty value counts: were it passed over, one that the client wrote would take its place.
  return trimBlanks(header.split(',').at(-hops) ?? '');
}

function fromForwarded(environ: Environ, trust: Record<Field, number>): Said {
  const header = environ.HTTP_FORWARDED;
  if (header === undefined) return { for: undefined, proto: undefined, host: undefined };
  const elements = lastElements(header, Math.max(trust.for, trust.proto, trust.host));
  const pick = (field: 'for' | 'proto' | 'host', unsaid: string | undefined): string | undefined => {
    if (trust[field] === 0) return undefined;
    const element = elements[trust[field] - 1];
    return element === undefined ? '' : (element.get(field) ?? unsaid);
  };
  // A proxy that forwards without naming the client leaves it unknown. A scheme or host that it leaves out has not changed.
  return { for: pick('for', ''), proto: pick('proto', undefined), host: pick('host', undefined) };
}

// Each value is checked before anything is changed.

function setScheme(environ: Environ, value: string): void {
  // Some proxies name what a WebSocket begins with by its own scheme.
  const isSecure = /^(?:https|wss)$/i.test(value);
  environ['wsgi.url_scheme'] = isSecure ? 'https' : 'http';
  if (isSecure) environ.HTTPS = 'on';
  else delete environ.HTTPS;
}

/** An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`. */
function setClient(environ: Environ, value: string): void {
  // What is known is the proxy's own.
  delete environ.REMOTE_ADDR;
  delete environ.REMOTE_PORT;
  if (isIPv6(value)) {
    environ.REMOTE_ADDR = value;
    return;
  }
  const { name, port } = splitAuthority(value);
  const address = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  if (address === name ? !isIPv4(address) : !isIPv6(address)) return;
  if (port !== undefined && !CLIENT_PORT.test(port)) return;
  environ.REMOTE_ADDR = address;
  if (port !== undefined && isPort(port)) environ.REMOTE_PORT = port;
}

/** Digits, or a name that the proxy has made up for them. (RFC 7239 §6) */
const CLIENT_PORT = /^(?:[0-9]{1,5}|_[A-Za-z0-9._-]+)$/;

function setHost(environ: Environ, value: string): void {
  const { name, port } = splitAuthority(value);
  if (!isHost(name) || (port !== undefined && !isPort(port))) return;
  environ.HTTP_HOST = value;
  environ.SERVER_NAME = name;
  environ.SERVER_PORT = port ?? defaultPort(environ);
}

function setPort(environ: Environ, port: string): void {
  if (!isPort(port)) return;
  environ.SERVER_PORT = port;
  if (environ.HTTP_HOST === undefined) return;
  const { name } = splitAuthority(environ.HTTP_HOST);
  environ.HTTP_HOST = port === defaultPort(environ) ? name : `${name}:${port}`;
}

function setPrefix(environ: Environ, value: string): void {
  if (/[^\x21-\x7e\x80-\xff]|[?#]|%00/.test(value)) return;
  // All that follows looks at what the application will see, not at how it was spelled.
  const prefix = withoutSlashesAtEnd(decodePath(value));
  if (!isPrefix(prefix)) return;
  environ.SCRIPT_NAME = prefix + environ.SCRIPT_NAME;
  if (environ.REQUEST_URI?.startsWith('/')) environ.REQUEST_URI = quotePath(prefix) + environ.REQUEST_URI;
}

/**
 * Whether a decoded path can stand in front of every link of a page. With `//` or `/\` at its start it would be the address
 * of another server. With dot segments it would be another path, and a control character could end a header.
 */
function isPrefix(path: string): boolean {
  return /^\/[^/]/.test(path) && !/[\x00-\x1f\x7f\\]/.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path);
}

function withoutSlashesAtEnd(path: string): string {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === 0x2f /* / */) end--;
  return path.slice(0, end);
}

function splitAuthority(authority: string): { name: string; port: string | undefined } {
  const colon = authority.lastIndexOf(':');
  if (colon <= authority.lastIndexOf(']')) return { name: authority, port: undefined };
  return { name: authority.slice(0, colon), port: authority.slice(colon + 1) };
}

function isPort(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65535;
}

function defaultPort(environ: Environ): string {
  return environ['wsgi.url_scheme'] === 'https' ? '443' : '80';
}
