// Takes secrets out of what is shown and copied, in headers, queries, environ and events. Secret are the values of
// `Authorization`, of cookies, and of whatever calls itself a token, a key or a password.

import type { HeaderLines } from './messages.ts';

/** What stands in the place of a secret. */
export const MASK = '***';

const SECRET =
  /authorization|cookie|secret|passw|token|api[-_]?key|session|credential|signature|jwt|^sig$|^x[-_]amzn[-_]oidc[-_]/i;
/** Names that look like one and hold none. */
const HARMLESS = /^(?:accept|access[-_]control|set-?cookie-?names?|x-amz-cf-id)/i;

/** Whether what has this name is a secret: a header, a parameter of a query, a key of an object. */
export function isSecret(name: string): boolean {
  return SECRET.test(name) && !HARMLESS.test(name);
}

/**
 * A header's value without its secret: the scheme of an `Authorization` and the names of cookies stay.
 *
 * @example maskHeader('Cookie', 'a=1; b=2'); // 'a=***; b=***'
 */
export function maskHeader(name: string, value: string): string {
  if (!isSecret(name)) return value;
  if (/^set[-_]cookie$/i.test(name)) return maskCookie(value);
  if (/cookie$/i.test(name)) {
    return value
      .split(';')
      .map((each) => maskCookie(each))
      .join(';');
  }
  const scheme = /authorization$/i.test(name) ? /^[A-Za-z][\w-]*(?= )/.exec(value)?.[0] : undefined;
  return scheme === undefined ? MASK : `${scheme} ${MASK}`;
}

/** A cookie as `Set-Cookie` has it: its name and its attributes stay. */
function maskCookie(cookie: string): string {
  const end = cookie.indexOf(';');
  const pair = end === -1 ? cookie : cookie.slice(0, end);
  const equals = pair.indexOf('=');
  const attributes = end === -1 ? '' : cookie.slice(end);
  return `${equals === -1 ? '' : pair.slice(0, equals + 1)}${MASK}${attributes}`;
}

/** Header lines without their secrets. */
export function maskHeaders(headers: HeaderLines): HeaderLines {
  return headers.map(([name, value]) => [name, maskHeader(name, value)]);
}

/** A request target or a URL whose secret parameters are masked. */
export function maskTarget(target: string): string {
  const start = target.indexOf('?');
  return start === -1 ? target : `${target.slice(0, start + 1)}${maskQuery(target.slice(start + 1))}`;
}

/** A query whose secret parameters are masked. */
export function maskQuery(query: string): string {
  return query.replace(/([^&=#]+)=([^&#]*)/g, (found, name: string) => (isSecret(name) ? `${name}=${MASK}` : found));
}

/** Keys of environ and of events that hold a target or a query. */
const TARGETS = /^(?:REQUEST_URI|url|uri|path|rawPath|raw_path|target)$/;
const QUERIES = /^(?:QUERY_STRING|rawQueryString|querystring)$/;

/** The value of a key of environ, without its secrets. */
export function maskEnviron(key: string, value: string): string {
  if (QUERIES.test(key)) return maskQuery(value);
  if (TARGETS.test(key)) return maskTarget(value);
  if (/^HTTP_/.test(key)) return maskHeader(key.slice('HTTP_'.length).replaceAll('_', '-'), value);
  return isSecret(key) ? MASK : value;
}

/** A value of JSON, such as an event or a result, without its secrets. */
export function maskJson(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return maskText(value, key);
  if (Array.isArray(value)) {
    const [name, text] = value;
    if (value.length === 2 && typeof name === 'string' && typeof text === 'string' && !isSecret(key)) {
      // A header line.
      return [name, maskHeader(name, text)];
    }
    return value.map((each) => maskJson(each, key));
  }
  if (typeof value !== 'object' || value === null) return value;
  // Lambda@Edge has { key: 'Cookie', value: '…' } under the header's name.
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, maskJson(each, name === 'value' && isSecret(key) ? key : name)]),
  );
}

function maskText(value: string, key: string): string {
  if (QUERIES.test(key)) return maskQuery(value);
  if (TARGETS.test(key)) return maskTarget(value);
  // The list `cookies` of payload 2.0 has a cookie in each string, in results with its attributes.
  if (key === 'cookies') return maskCookie(value);
  return key === 'key' ? value : maskHeader(key, value);
}

/** Bytes that went to a client: the head's secrets are masked, the body stays. Text has one character per byte. */
export function maskHead(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  const head = end === -1 ? text : text.slice(0, end);
  const masked = head.replace(/^([^\s:]+): (.*)$/gm, (_line, name: string, value: string) => {
    const ended = value.endsWith('\r') ? '\r' : '';
    return `${name}: ${maskHeader(name, value.replace(/\r$/, ''))}${ended}`;
  });
  return end === -1 ? masked : masked + text.slice(end);
}

/**
 * Puts the secrets back into headers that were shown masked and may have been edited.
 *
 * @param edited the headers as they came back
 * @param original the headers that were masked
 */
export function unmaskHeaders(edited: HeaderLines, original: HeaderLines): HeaderLines {
  const left = original.map(([name, value]) => ({ name: name.toLowerCase(), value, masked: maskHeader(name, value) }));
  return edited.map(([name, value]) => {
    const at = left.findIndex((each) => each.name === name.toLowerCase() && each.masked === value);
    if (at === -1) return [name, value];
    const [found] = left.splice(at, 1);
    return [name, found?.value ?? value];
  });
}
