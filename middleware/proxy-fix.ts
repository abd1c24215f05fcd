// Behind a reverse proxy: puts what the proxy says of the client in place of what the connection to the proxy says. It
// trusts nothing but what it is told to, since a client can send any of these headers itself. (RFC 7239)

import { checkApplication, checkOptions } from '../core/check.ts';
import type { Application, Environ } from '../core/types.ts';
import { decodePath, quotePath } from '../core/url.ts';

/** How many proxies are known to set a header: `true` for `hops`, a number for another count, `false` or 0 for none. */
export type Trust = boolean | number;

/** What {@link proxyFix} may believe. Everything is off unless it is asked for. */
export interface ProxyFixOptions {
  /** The proxies in front of the application that append to these headers. Default 1. */
  hops?: number;
  /** `X-Forwarded-For`: `REMOTE_ADDR`, and `REMOTE_PORT` where it is told. */
  for?: Trust;
  /** `X-Forwarded-Proto`: `wsgi.url_scheme` and `HTTPS`. */
  proto?: Trust;
  /** `X-Forwarded-Host`: `HTTP_HOST`, `SERVER_NAME` and `SERVER_PORT`. */
  host?: Trust;
  /** `X-Forwarded-Port`: `SERVER_PORT`, and the port in `HTTP_HOST`. */
  port?: Trust;
  /** `X-Forwarded-Prefix`: a path that the proxy has taken off, put in front of `SCRIPT_NAME` and of `REQUEST_URI`. */
  prefix?: Trust;
  /** Reads the client, scheme and host that are asked for from `Forwarded` (RFC 7239) instead of `X-Forwarded-*`. */
  forwarded?: boolean;
}

/** The key under which {@link proxyFix} keeps what the environ said before. */
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
 * Makes an application that sees the client behind one or more reverse proxies. Of each header that is trusted it takes
 * the value `n` places from the end, which is the one that the outermost of `n` proxies has put there; what stands before
 * comes from the client. With fewer values than proxies, and with a value that is not of the kind, nothing changes.
 *
 * The environ is changed in place; what it said before is kept in `waygate.proxy_fix.original`.
 *
 * @param app the application
 * @param options which headers to believe, and how many proxies set each
 * @throws {TypeError} for an application that is no function (L-21), and for an option that is neither a boolean nor a count
 */
export function proxyFix(app: Application, options: ProxyFixOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { hops = 1, forwarded = false } = options;
  if (!isCount(hops) || hops === 0)
    throw new TypeError('The option "hops" of proxyFix takes a number of proxies, 1 or more.');
  const count = (field: Field): number => {
    const trust = options[field] ?? false;
    if (typeof trust === 'boolean') return trust ? hops : 0;
    if (isCount(trust)) return trust;
    throw new TypeError(`The option "${field}" of proxyFix takes a number of proxies, or true or false.`);
  };
  const trust = {
    for: count('for'),
    proto: count('proto'),
    host: count('host'),
    port: count('port'),
    prefix: count('prefix'),
  };
  return (environ, startResponse) => {
    const original: Record<string, unknown> = {};
    for (const key of CHANGED) if (environ[key] !== undefined) original[key] = environ[key];
    environ[PROXY_FIX_ORIGINAL] = original;
    const said = forwarded ? fromForwarded(environ, trust) : fromHeaders(environ, trust);
    // The scheme comes first: it tells which port needs no mention.
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

interface Said {
  for?: string;
  proto?: string;
  host?: string;
}

function fromHeaders(environ: Environ, trust: Record<Field, number>): Said {
  return {
    for: nth(environ.HTTP_X_FORWARDED_FOR, trust.for),
    proto: nth(environ.HTTP_X_FORWARDED_PROTO, trust.proto),
    host: nth(environ.HTTP_X_FORWARDED_HOST, trust.host),
  };
}

/** The value that the `hops`-th proxy from the application has put into a list, or undefined. */
function nth(header: string | undefined, hops: number): string | undefined {
  if (header === undefined || hops === 0) return undefined;
  const value = header.split(',').at(-hops)?.trim();
  return value === '' ? undefined : value;
}

// Forwarded: for=192.0.2.60;proto=http, for="[2001:db8::1]:4711" (RFC 7239 §4)

const PAIR =
  /^[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*([;,]|$)/;

function fromForwarded(environ: Environ, trust: Record<Field, number>): Said {
  const elements = parseForwarded(environ.HTTP_FORWARDED ?? '');
  const pick = (field: 'for' | 'proto' | 'host'): string | undefined =>
    trust[field] === 0 ? undefined : elements?.at(-trust[field])?.get(field);
  return { for: pick('for'), proto: pick('proto'), host: pick('host') };
}

/** The elements of a `Forwarded` header, or null when it is malformed: then none of it is to be believed. */
function parseForwarded(header: string): Map<string, string>[] | null {
  const elements = [new Map<string, string>()];
  let rest = header;
  for (;;) {
    const match = PAIR.exec(rest);
    if (match === null) return null;
    const [whole, name, token, quoted, end] = match;
    const element = elements.at(-1) as Map<string, string>;
    if (name !== undefined) {
      if (element.has(name.toLowerCase())) return null;
      element.set(name.toLowerCase(), token ?? (quoted as string).replace(/\\(.)/g, '$1'));
    }
    if (end === '') return elements;
    if (end === ',') elements.push(new Map());
    rest = rest.slice(whole.length);
  }
}

// Each value is checked before anything is changed.

const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const IPV6 = /^(?=.*:.*:)[0-9A-Fa-f:]+(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3})?$/;
const NAME = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])$/;

function setScheme(environ: Environ, value: string): void {
  const scheme = value.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return;
  environ['wsgi.url_scheme'] = scheme;
  if (scheme === 'https') environ.HTTPS = 'on';
  else delete environ.HTTPS;
}

/** An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`. */
function setClient(environ: Environ, value: string): void {
  const { name, port } = IPV6.test(value) ? { name: value, port: undefined } : splitAuthority(value);
  const address = name.startsWith('[') ? name.slice(1, -1) : name;
  if (!IPV4.test(address) && !IPV6.test(address)) return;
  environ.REMOTE_ADDR = address;
  // The port that is known is the proxy's own.
  if (port !== undefined && isPort(port)) environ.REMOTE_PORT = port;
  else delete environ.REMOTE_PORT;
}

function setHost(environ: Environ, value: string): void {
  const { name, port } = splitAuthority(value);
  if (!NAME.test(name) || (port !== undefined && !isPort(port))) return;
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
  const prefix = value.replace(/\/+$/, '');
  // `//` would make an address of it wherever a page puts it in front of a link.
  if (!/^\/(?!\/)[\x21-\x7e\x80-\xff]*$/.test(prefix) || /[?#\\]/.test(prefix) || /%00/.test(prefix)) return;
  const decoded = decodePath(prefix);
  environ.SCRIPT_NAME = decoded + environ.SCRIPT_NAME;
  if (environ.REQUEST_URI?.startsWith('/')) environ.REQUEST_URI = quotePath(decoded) + environ.REQUEST_URI;
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
