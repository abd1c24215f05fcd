// Several applications in one, each under a path prefix and, if wanted, on a host of its own. (ENV-05, ENV-29, URL-03)

import { checkApplication } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { plainResponse } from '../core/plain-response.ts';
import { encodeWsgi } from '../core/strings.ts';
import type { Application, ApplicationBody } from '../core/types.ts';
import { normalizePrefix, splitPrefix } from '../core/url.ts';

/**
 * Applications by where they are mounted: `'/api'` on any host, `'api.example.com'` or `'example.com/shop'` on one. The
 * path is written decoded, `'/café'`.
 */
export type Mounts = Record<string, Application>;

interface MountPoint {
  /** In lower case, without port; empty for any host. */
  readonly host: string;
  /** `/api` or empty, as native string. */
  readonly prefix: string;
  readonly app: Application;
}

/**
 * Makes one application of several. The longest prefix that matches whole segments of `PATH_INFO` wins: `/api` takes `/api`
 * and `/api/users`, not `/apiary`. What is mounted on the host of the request comes before what is mounted on any. The
 * prefix moves from `PATH_INFO` to the end of `SCRIPT_NAME` in the environ itself, as PEP 3333 lets an application do.
 * Middleware around it that needs the values as they were reads them before the call. An application mounted at `/` gets
 * its environ unchanged.
 *
 * The host is what the client says in `Host`. It selects among applications that anyone may call; it does not control
 * access.
 *
 * @param mounts the applications
 * @param fallback answers what no mount point matches, with environ unchanged; default: a plain 404
 * @throws {TypeError} for mounts that are not an object, an application that is not a function (L-21), and two keys that
 *   mean the same mount point
 * @example
 * await serve(mount({ '/api': fromFetch(hono), '/': site, 'admin.example.com': admin }));
 */
export function mount(mounts: Mounts, fallback: Application = notFound): Application {
  if (typeof mounts !== 'object' || mounts === null || Array.isArray(mounts)) {
    throw new TypeError(`mount was given ${describe(mounts)}; expected applications by mount point: { '/api': app }.`);
  }
  const points = Object.entries(mounts).map(toPoint);
  checkApplication(fallback, 'The fallback of mount');
  points.sort((a, b) => Number(b.host !== '') - Number(a.host !== '') || b.prefix.length - a.prefix.length);
  points.forEach((point, index) => {
    if (points.findIndex(({ host, prefix }) => host === point.host && prefix === point.prefix) !== index) {
      throw new TypeError(`mount was given two applications for ${point.host}${point.prefix || '/'}; expected one.`);
    }
  });
  const usesHosts = points.some(({ host }) => host !== '');
  return (environ, startResponse) => {
    const host = usesHosts ? hostOf(environ.HTTP_HOST ?? environ.SERVER_NAME) : '';
    for (const point of points) {
      if (point.host !== '' && point.host !== host) continue;
      if (point.prefix === '') return point.app(environ, startResponse);
      const { scriptName, pathInfo } = splitPrefix(environ.PATH_INFO, point.prefix);
      if (scriptName === '') continue;
      environ.SCRIPT_NAME += scriptName;
      environ.PATH_INFO = pathInfo;
      return point.app(environ, startResponse);
    }
    return fallback(environ, startResponse);
  };
}

function toPoint([key, app]: [string, unknown]): MountPoint {
  checkApplication(app, `What mount was given for ${JSON.stringify(key)}`);
  const slash = key.indexOf('/');
  const host = slash === -1 ? key : key.slice(0, slash);
  const path = slash === -1 ? '' : key.slice(slash);
  return { host: hostOf(host), prefix: normalizePrefix(encodeWsgi(path)), app: app as Application };
}

/** `Example.com:8000` → `example.com`, `[::1]:8000` → `[::1]`. */
function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(':');
  const end = colon > authority.lastIndexOf(']') ? colon : authority.length;
  const name = authority.slice(0, end).toLowerCase();
  // A name may be written with the dot of the DNS root.
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

const notFound: Application = (environ, startResponse) => {
  const { status, headers, body } = plainResponse(404, environ.REQUEST_METHOD);
  startResponse(status, headers);
  return body as ApplicationBody;
};
