// Where somebody mounted a listener: what Express, connect and the like leave on a request. No client can set any of it.

import { absoluteOrigin } from '../../core/url.ts';

/** What of a request a listener changes as it goes: routers take their prefix off the URL, others override the method. */
export interface RequestLine {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** The prefix under which Express mounted a listener. */
  readonly baseUrl?: unknown;
  /** The whole URL, which Express, connect, polka and middie keep here when they take a prefix off. */
  readonly originalUrl?: unknown;
}

/** Where a listener is mounted. Nothing is decoded. */
export interface Mount {
  /** Empty at the root; otherwise it begins with a slash and does not end with one. */
  prefix: string;
  /** The request target as the client sent it. */
  requestUri: string;
}

/**
 * Finds the prefix that routers took off the URL: the part of `originalUrl` in front of `url`. Where `url` is no end of it,
 * since it was rewritten, the prefix is what `baseUrl` says.
 */
export function mountOf({ url = '', baseUrl, originalUrl }: RequestLine): Mount {
  const said = typeof baseUrl === 'string' ? baseUrl : '';
  if (typeof originalUrl !== 'string') return { prefix: said, requestUri: url };
  if (originalUrl === url) return { prefix: said, requestUri: originalUrl };
  const path = pathOf(originalUrl.slice(absoluteOrigin(originalUrl).length));
  return { prefix: inFrontOf(pathOf(url.slice(absoluteOrigin(url).length)), path) ?? said, requestUri: originalUrl };
}

/** What stands in `whole` in front of `rest`, where that ends a segment; else null. */
function inFrontOf(rest: string, whole: string): string | null {
  if (whole.length >= rest.length && rest.charCodeAt(0) === 0x2f && whole.endsWith(rest)) {
    const prefix = whole.slice(0, whole.length - rest.length);
    if (!prefix.endsWith('/')) return prefix;
  }
  // `/api` itself becomes `/`: the slash is the router's.
  if (rest !== '/' || whole.charCodeAt(0) !== 0x2f) return null;
  let end = whole.length;
  while (end > 0 && whole.charCodeAt(end - 1) === 0x2f) end--;
  return whole.slice(0, end);
}

function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}
