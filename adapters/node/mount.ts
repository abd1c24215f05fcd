// Where somebody mounted a listener: what Express, connect and the like leave on a request. No client can set any of it.

import { absoluteOrigin } from '../../core/url.ts';

/** What of a request a listener changes as it goes: routers take their prefix off the URL, others override the method. */
export interface NodeTarget {
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
  /** The request target that is left for the listener. */
  url: string;
  /** The request target as the client sent it. */
  requestUri: string;
}

/**
 * Finds the prefix that routers have removed from the URL: the part of `originalUrl` in front of `url`. Where `url` does
 * not stand at its end, because it was rewritten, the prefix is what `baseUrl` says.
 */
export function mountOf({ url = '', baseUrl, originalUrl }: NodeTarget): Mount {
  const said = typeof baseUrl === 'string' ? baseUrl : '';
  if (typeof originalUrl !== 'string') return { prefix: said, url, requestUri: url };
  if (originalUrl === url) return { prefix: said, url, requestUri: originalUrl };
  // polka leaves "?query" of "/prefix?query".
  const left = url.charCodeAt(0) === 0x3f /* ? */ ? `/${url}` : url;
  const prefix = inFrontOf(pathOf(left), pathOf(originalUrl));
  return { prefix: prefix ?? said, url: left, requestUri: originalUrl };
}

/** What stands in `whole` in front of `rest`, where that ends a segment; else null. */
function inFrontOf(rest: string, whole: string): string | null {
  if (rest.charCodeAt(0) !== 0x2f) return null;
  let end = whole.length - rest.length;
  if (!whole.endsWith(rest)) {
    // "/api" itself becomes "/": the slash is the router's.
    if (rest !== '/') return null;
    end = whole.length;
  }
  while (end > 0 && whole.charCodeAt(end - 1) === 0x2f) end--;
  const prefix = whole.slice(0, end);
  // No router mounts there, and a link that begins with it would lead to another host.
  return /^\/(?:\/|%2f)/i.test(prefix) ? null : prefix;
}

/** The path of a target of whatever form. */
function pathOf(target: string): string {
  const path = target.charCodeAt(0) === 0x2f ? target : target.slice(absoluteOrigin(target).length);
  const end = path.search(/[?#]/);
  return end === -1 ? path : path.slice(0, end);
}
