// Sends clients that came over plain HTTP to the same address over https. (RFC 6797, RFC 9110 §15.4)

import { checkApplication, checkOptions } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { log } from '../core/log.ts';
import type { Application, Environ } from '../core/types.ts';
import { encodedPathInfo, escapeByte, quotePath } from '../core/url.ts';
import { isHost } from './address.ts';
import { answer } from './answer.ts';
import { hasHeader } from './response-head.ts';

/** `Strict-Transport-Security`: how long browsers use https alone. (RFC 6797 §6.1) */
export interface HstsOptions {
  /**
   * Seconds.
   *
   * @default 31536000, a year
   */
  maxAgeSeconds?: number;
  /**
   * Whether it holds for all subdomains.
   *
   * @default true
   */
  includeSubDomains?: boolean;
  /**
   * Whether browsers may ship the host in their own lists, from which it is hard to get off.
   *
   * @default false
   */
  preload?: boolean;
}

/** Where {@link redirectToHttps} leads. */
export interface RedirectToHttpsOptions {
  /**
   * The status of the redirect: 308 keeps the method and the body of the request, 301 is for clients that do not know it.
   *
   * @default 308
   */
  status?: 301 | 308;
  /**
   * The host names that are served here, without port. Another one in `Host` is answered with 400, so that no client is
   * sent, and no cache filled, with somebody else's address. Left out, every well-formed host is taken.
   *
   * @default every well-formed host
   */
  hosts?: readonly string[];
  /**
   * The port of https.
   *
   * @default 443
   */
  port?: number;
  /**
   * Whether responses over https carry `Strict-Transport-Security`, and with what. Never sent over plain HTTP (RFC 6797
   * §7.2).
   *
   * @default false
   */
  hsts?: boolean | HstsOptions;
}

/**
 * Redirects requests whose `wsgi.url_scheme` is `http` to the same host, path and query over `https`. Behind a proxy that ends
 * TLS, put it inside `proxyFix` with `proto` (and `host`), or each request is redirected forever.
 *
 * @param app the application: called over https only
 * @throws {TypeError} for an application that is not a function (L-21), and for an option of the wrong type
 * @example
 * serve(proxyFix(redirectToHttps(app, { hosts: ['example.com'], hsts: true }), { proto: true }));
 */
export function redirectToHttps(app: Application, options: RedirectToHttpsOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { status = 308, port = 443, hosts, hsts = false } = options;
  if (status !== 301 && status !== 308)
    throw new TypeError(`The option "status" of redirectToHttps is ${describe(status)}; expected 301 or 308.`);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new TypeError(`The option "port" of redirectToHttps is ${describe(port)}; expected a port.`);
  if (hosts !== undefined && !(Array.isArray(hosts) && hosts.every((host) => typeof host === 'string' && isHost(host))))
    throw new TypeError(
      `The option "hosts" of redirectToHttps is ${describe(hosts)}; expected an array of host names without port.`,
    );
  const served = hosts === undefined ? null : new Set(hosts.map((host) => host.toLowerCase()));
  const policy = hsts === false ? null : hstsValue(hsts === true ? {} : hsts);
  return (environ, startResponse) => {
    if (environ['wsgi.url_scheme'] === 'https') {
      if (policy === null) return app(environ, startResponse);
      return app(environ, (line, headers, error) => {
        if (hasHeader(headers, 'strict-transport-security')) return startResponse(line, headers, error);
        return startResponse(line, [...headers, ['Strict-Transport-Security', policy]], error);
      });
    }
    const host = hostOf(environ);
    if (host === null || (served !== null && !served.has(host.toLowerCase()))) {
      log(
        environ['wsgi.errors'],
        'redirectToHttps: the host of a request is not one that is served here; answered 400.',
      );
      return answer(startResponse, 400, [], 'This host is not served here.');
    }
    const location = `https://${host}${port === 443 ? '' : `:${port}`}${pathAndQuery(environ)}`;
    return answer(startResponse, status, [['Location', location]], `This page is at ${location}`);
  };
}

/** @returns the value of `Strict-Transport-Security` */
export function hstsValue(options: HstsOptions): string {
  checkOptions(options);
  const { maxAgeSeconds = 31_536_000, includeSubDomains = true, preload = false } = options;
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 0)
    throw new TypeError(
      `The option "maxAgeSeconds" is ${describe(maxAgeSeconds)}; expected a whole number of seconds.`,
    );
  return `max-age=${maxAgeSeconds}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
}

/** The host that the client asked for, without port; null where it is not one. */
function hostOf(environ: Environ): string | null {
  const authority = environ.HTTP_HOST || environ.SERVER_NAME;
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > authority.lastIndexOf(']') && /^[0-9]*$/.test(authority.slice(colon + 1));
  const name = hasPort ? authority.slice(0, colon) : authority;
  return isHost(name) ? name : null;
}

function pathAndQuery(environ: Environ): string {
  const info = environ.PATH_INFO === '*' ? '' : encodedPathInfo(environ);
  const path = quotePath(environ.SCRIPT_NAME) + info;
  const query = environ.QUERY_STRING === '' ? '' : `?${environ.QUERY_STRING}`;
  const target = path.startsWith('/') ? path + query : `/${path}${query}`;
  return target.replace(/[^\x21-\x7e]/g, escapeByte);
}
