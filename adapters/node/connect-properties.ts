// What connect middleware has put on a request (`req.session`, `req.user`, `req.body`), for a listener further in that gets
// a request of its own.

/** What routers keep for themselves on the request at hand: it is not true of another one. */
const ROUTING = new Set(['originalUrl', 'baseUrl', 'params', 'route', 'app', 'res', 'next', '_parsedUrl']);

/**
 * Shows the properties that middleware has put on one request on another one too. They are read and written where they
 * are: a session that is made anew is the new one for both.
 *
 * @param request the request of the listener further in
 * @param seen the request that the middleware saw
 */
export function showProperties(request: object, seen: object): void {
  if (request === seen) return;
  const from = seen as Record<string, unknown>;
  for (const key of Object.keys(from)) {
    if (key in request || ROUTING.has(key)) continue;
    Object.defineProperty(request, key, {
      get: () => from[key],
      set: (value: unknown) => {
        from[key] = value;
      },
      enumerable: true,
      configurable: true,
    });
  }
}
