// Cookies of a request, and the header that sets one. The package `cookie` reads and writes them. (RFC 6265, RFC 6265bis)

import { parseCookie, stringifySetCookie } from 'cookie';
import { checkOptions } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { decodeWsgi, encodeWsgi } from '../core/strings.ts';
import type { Environ } from '../core/types.ts';

/** How a cookie is set. (RFC 6265bis §5.6) */
export interface CookieOptions {
  /**
   * How long it is kept, in seconds; 0 deletes it.
   *
   * @default until the browser is closed
   */
  maxAgeSeconds?: number;
  /**
   * When it ends, for clients that do not know `Max-Age`.
   *
   * @default the end of the session
   */
  expires?: Date;
  /**
   * The domain whose subdomains get it too.
   *
   * @default only the host that sets it
   */
  domain?: string;
  /**
   * The path below which it is sent.
   *
   * @default '/'
   */
  path?: string;
  /**
   * Whether scripts of the page cannot read it.
   *
   * @default true
   */
  httpOnly?: boolean;
  /**
   * Whether it is sent over https only.
   *
   * @default false
   */
  secure?: boolean;
  /**
   * Whether requests from other sites carry it: `'none'` for all, which needs `secure`.
   *
   * @default 'lax'
   */
  sameSite?: 'strict' | 'lax' | 'none' | false;
  /**
   * Whether each site that embeds this one has a jar of its own (CHIPS); needs `secure`.
   *
   * @default false
   */
  partitioned?: boolean;
  /**
   * Which cookies Chromium drops first.
   *
   * @default the browser decides
   */
  priority?: 'low' | 'medium' | 'high';
}

/**
 * The cookies of a request, by name; the first where a name is there twice. Escapes and raw bytes are read as UTF-8. Nothing makes
 * it throw: a piece that is not a cookie is passed over, an escape that is none stays as it is. Made anew at each call. (MW-07)
 *
 * @param environ the request
 * @returns an object that inherits nothing: `constructor` is a name like any other
 * @example
 * const { theme = 'light' } = cookies(environ);
 */
export function cookies(environ: Environ): Record<string, string | undefined> {
  const header = environ.HTTP_COOKIE;
  return parseCookie(header === undefined ? '' : decodeWsgi(header));
}

/**
 * The header that sets a cookie, for the list that `startResponse` takes. By default the cookie holds for the whole site,
 * and no script can read it. Requests of other sites do not carry it, except by a link.
 *
 * @param name a token; `__Host-` and `__Secure-` in front of it are held to what browsers demand of them
 * @param value any text: all but what a cookie can hold is percent-encoded
 * @throws {TypeError} for what browsers would refuse, such as `sameSite: 'none'` without `secure`
 * @example
 * startResponse('200 OK', [setCookie('theme', 'dark', { maxAgeSeconds: 86_400 }), ['Content-Type', 'text/html']]);
 */
export function setCookie(name: string, value: string, options: CookieOptions = {}): [name: string, value: string] {
  checkOptions(options);
  if (typeof name !== 'string') throw new TypeError(`The name of a cookie is ${describe(name)}; expected a string.`);
  if (typeof value !== 'string') throw new TypeError(`The value of a cookie is ${describe(value)}; expected a string.`);
  const { path = '/', httpOnly = true, secure = false, sameSite = 'lax', partitioned = false } = options;
  const { maxAgeSeconds: maxAge, expires, domain, priority } = options;
  if (!secure && (sameSite === 'none' || partitioned || /^__(?:Secure|Host)-/i.test(name)))
    throw new TypeError(`The cookie ${JSON.stringify(name)} is only taken with "secure": set it to true.`);
  if (/^__Host-/i.test(name) && (path !== '/' || domain !== undefined))
    throw new TypeError(`The cookie ${JSON.stringify(name)} is only taken with the path "/" and without "domain".`);
  if (maxAge !== undefined && !Number.isSafeInteger(maxAge))
    throw new TypeError(`The option "maxAgeSeconds" is ${describe(maxAge)}; expected a whole number of seconds.`);
  const settings = { path, httpOnly, secure, sameSite, partitioned, maxAge, expires, domain, priority };
  const known = Object.entries(settings).filter(([, setting]) => setting !== undefined && setting !== false);
  try {
    return ['Set-Cookie', encodeWsgi(stringifySetCookie(name, value, Object.fromEntries(known)))];
  } catch (error) {
    throw new TypeError(
      `The cookie ${JSON.stringify(name)} cannot be set: ${(error as Error).message}. A name, a domain and a path have no blanks, semicolons or control characters (RFC 6265 §4.1.1).`,
      { cause: error },
    );
  }
}
