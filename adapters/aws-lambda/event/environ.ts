// What the event sources have in common on the way in: from the parts of an event to environ. Pure.

import { Buffer } from 'node:buffer';
import { addHeader, createEnviron, type GatewayInfo, headerKey, type Settings } from '../../../core/environ.ts';
import { BodyTooLargeError } from '../../../core/errors.ts';
import { HeaderPlans, putAll } from '../../../core/header-plans.ts';
import { MemoryInput } from '../../../core/memory-input.ts';
import { encodeWsgi } from '../../../core/strings.ts';
import type { Environ } from '../../../core/types.ts';
import { asciiTarget, escapeByte, quotePath, splitPrefix } from '../../../core/url.ts';
import type { Invocation } from '../invocation.ts';
import { bytesOf } from './body.ts';
import { UnsupportedEventError } from './errors.ts';

/** Lambda runs as many processes as there are requests at a time. */
const FACTS: GatewayInfo = { gateway: 'aws-lambda', multiprocess: true };

/** A map of headers or query parameters as events have it; AWS writes null for an empty one. */
export type ValueMap = { readonly [name: string]: unknown } | null | undefined;

/** The request line, in the words of environ: native strings. */
export interface EventRequestLine {
  method: unknown;
  /** The part of the path that the event source added or that mounts the function; decoded, without final slash. */
  scriptName: string;
  /** The rest of the path, decoded. */
  pathInfo: string;
  /** The whole path as a client would send it. */
  path: string;
  query: string;
  /** `HTTP/1.1` and the like, where the event tells. */
  protocol?: unknown;
}

/** Begins an environ. Server, scheme, headers and body are still to come. */
export function begin(line: EventRequestLine, settings: Settings, invocation: Invocation): Environ {
  let { scriptName, pathInfo } = line;
  const { basePath } = settings;
  if (basePath !== '') {
    // By hand wins over what the event shows; a prefix is taken off once, wherever it stands.
    const whole = splitPrefix(scriptName + pathInfo, basePath);
    const rest = whole.scriptName === '' ? splitPrefix(pathInfo, basePath) : whole;
    scriptName = rest === whole ? basePath : scriptName + rest.scriptName;
    pathInfo = rest.pathInfo;
  }
  if (pathInfo === '' && scriptName === '') pathInfo = '/';
  const { method, protocol, query } = line;
  const environ = createEnviron(
    FACTS,
    {
      method: typeof method === 'string' && method !== '' ? method : 'GET',
      scriptName,
      pathInfo,
      queryString: query,
      requestUri: query === '' ? line.path : `${line.path}?${query}`,
      protocol: typeof protocol === 'string' && protocol.startsWith('HTTP/') ? protocol : 'HTTP/1.1',
      scheme: 'https',
      serverName: 'localhost',
      serverPort: '443',
    },
    invocation.errors,
  );
  // Now, while all environs are of one shape: it takes longer when the headers have made each another one.
  invocation.attach(environ);
  return environ;
}

/**
 * A path that the event source passes on as it was sent. What no client can send is escaped, so that it reads the same.
 *
 * @returns printable ASCII that starts with `/` and holds no `?` or `#`
 */
export function sentPath(path: unknown): string {
  let text = typeof path === 'string' ? path : '';
  if (/[^\x21-\x7e]|[?#]/.test(text)) text = asciiTarget(text).replace(/[?#]/g, quotePath);
  return text.charCodeAt(0) === 0x2f ? text : `/${text}`;
}

/** A query that the event source passes on as it was sent; a bare space, as function URLs had it, becomes `%20`. */
export function sentQuery(query: unknown): string {
  if (typeof query !== 'string') return '';
  return /[^\x21-\x7e]|#/.test(query) ? asciiTarget(query).replaceAll('#', '%23') : query;
}

/**
 * A query from the maps of an event: the map with all values, then what only the other one has.
 *
 * @param write how a key or value becomes part of a query
 */
export function queryOf(multi: ValueMap, single: ValueMap, write: (text: string) => string): string {
  let query = '';
  const add = (key: string, value: unknown): void => {
    query += `${query === '' ? '' : '&'}${write(key)}=${write(value === null || value === undefined ? '' : String(value))}`;
  };
  for (const key in multi) for (const value of listOf(multi[key])) add(key, value);
  for (const key in single) {
    if (!multi || !Object.hasOwn(multi, key)) for (const value of listOf(single[key])) add(key, value);
  }
  return query;
}

/** A decoded key or value with all but the unreserved characters of RFC 3986 section 2.3 escaped: a space is `%20`. */
export function encodeQueryPart(text: string): string {
  // Half of a surrogate pair has no bytes, and encodeURIComponent would throw.
  // It also leaves five characters alone that are reserved.
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, escapeByte);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

const plans = /* @__PURE__ */ new HeaderPlans();

/** Adds the headers of a map to an environ that has none yet; a value may be a list. JSON strings count as UTF-8. */
export function addHeaders(environ: Environ, headers: ValueMap): void {
  if (!headers) return;
  const names = Object.keys(headers);
  if (followPlan(environ, headers, names)) return;
  for (const name of names) addValue(environ, name, headers[name]);
  plans.missed(names);
}

/** Adds the headers by the plan that fits them; false, with nothing added, where there is none or a value is no text. */
function followPlan(environ: Environ, headers: NonNullable<ValueMap>, names: readonly string[]): boolean {
  const { length } = names;
  if (length === 0) return false;
  const plan = plans.at(length, names[length - 1] as string);
  if (plan === null || plan.names.length !== length) return false;
  const values: string[] = [];
  for (let at = 0; at < length; at++) {
    const name = names[at] as string;
    if (plan.names[at] !== name) return false;
    const given = headers[name];
    const value: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given;
    if (typeof value !== 'string') return false;
    values.push(nativeOf(value));
  }
  putAll(environ, plan.keys, values, 1);
  return true;
}

/** Adds the headers of both maps: all values of the first, then the names that only the second has. */
export function addBothHeaders(environ: Environ, multi: ValueMap, single: ValueMap): void {
  if (!multi) {
    addHeaders(environ, single);
    return;
  }
  addHeaders(environ, multi);
  let added: string[] | null = null;
  for (const name in single) {
    // As a rule both maps have the same names, and all that has to be seen is that the first one has a value.
    const all = multi[name];
    if (Array.isArray(all) && typeof all[0] === 'string') continue;
    const key = headerKey(name);
    // Names that differ in case are one header, also where the first of them has just been added.
    if (environ[key] !== undefined && !added?.includes(key)) continue;
    addValue(environ, name, single[name]);
    added ??= [];
    added.push(key);
  }
}

/** Adds a header with a value as events have it: a text, a list of such, or null for none. */
export function addValue(environ: Environ, name: string, value: unknown): void {
  if (typeof value === 'string') addHeader(environ, name, nativeOf(value));
  else if (Array.isArray(value)) for (const each of value) addValue(environ, name, each);
  else if (value !== null && value !== undefined) addHeader(environ, name, encodeWsgi(String(value)));
}

/** A JSON string as native string. That a text has as many bytes as units, being ASCII, is what Node tells fastest. */
function nativeOf(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : encodeWsgi(text);
}

/** The cookies of payload 2.0 stand in a list. Function URLs keep the header too: the list replaces it. */
export function addCookies(environ: Environ, cookies: unknown): void {
  if (!Array.isArray(cookies) || cookies.length === 0) return;
  let all = String(cookies[0] ?? '');
  for (let at = 1; at < cookies.length; at++) all += `; ${cookies[at] ?? ''}`;
  environ.HTTP_COOKIE = nativeOf(all);
}

/**
 * Adds scheme, server name and port: from the headers that AWS adds, the Host header, and what the event says.
 *
 * @param proto the scheme as AWS tells it
 * @param port the port as AWS tells it
 * @param domainName the name by which AWS knows the event source
 * @param usual the scheme where nothing tells
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
 * Adds the client's address where only `X-Forwarded-For` tells it: the last entry. A load balancer that preserves client
 * ports writes `203.0.113.7:4711` or `[2001:db8::7]:4711`.
 */
export function addForwardedClient(environ: Environ): void {
  const last = lastOf(environ.HTTP_X_FORWARDED_FOR);
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]+))?$/.exec(last);
  const address = parts === null ? last : (parts[1] ?? parts[2]);
  // Of environ, and so a native string already.
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
 * Adds the client's certificate under the names of Apache's mod_ssl. (ENV-15) Members that are empty tell of none: events
 * that a typed language has passed on have them all, and nothing was verified.
 */
export function addClientCertificate(environ: Environ, certificate: ClientCertificate | null | undefined): void {
  if (!certificate) return;
  const { validity } = certificate;
  const keys = {
    SSL_CLIENT_M_SERIAL: certificate.serialNumber,
    SSL_CLIENT_V_START: validity?.notBefore,
    SSL_CLIENT_V_END: validity?.notAfter,
    SSL_CLIENT_S_DN: certificate.subjectDN,
    SSL_CLIENT_I_DN: certificate.issuerDN,
    SSL_CLIENT_CERT: certificate.clientCertPem,
  };
  for (const [key, value] of Object.entries(keys)) {
    if (typeof value !== 'string' || value === '') continue;
    environ.SSL_CLIENT_VERIFY = 'SUCCESS';
    environ[key] = encodeWsgi(value);
  }
}

/**
 * Adds `wsgi.input` and its length in bytes. The client's `Content-Length` is never believed: `isBase64Encoded` decides
 * what the body is, and the body how long it is.
 *
 * @param body the body as the event has it; null or empty for none
 * @param base64 whether it is base64
 */
export function addBody(environ: Environ, body: unknown, base64: unknown, settings: Settings): void {
  const { maxBodyBytes } = settings;
  if (body === undefined || body === null || body === '') {
    if (environ.CONTENT_LENGTH !== undefined) environ.CONTENT_LENGTH = '0';
    environ['wsgi.input'] = new MemoryInput();
    return;
  }
  if (typeof body !== 'string') {
    throw new UnsupportedEventError(`a request whose body is not a string but of type ${typeof body}`);
  }
  const bytes = base64 === true ? bytesOf(body) : null;
  const length = bytes === null ? Buffer.byteLength(body) : bytes.byteLength;
  if (length > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes);
  environ.CONTENT_LENGTH = String(length);
  environ['wsgi.input'] = new MemoryInput(bytes ?? body);
}
