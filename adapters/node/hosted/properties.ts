// What connect middleware has put on a request (`req.session`, `req.user`, `req.body`) and on a response (`res.flush`). A
// listener further in gets objects of its own, and finds it there.

/** What routers keep for themselves on the request at hand: it is not true of another one. */
const ROUTING = new Set(['originalUrl', 'baseUrl', 'params', 'route', 'app', 'res', 'req', 'next', '_parsedUrl']);

/**
 * Shows the properties that middleware has put on one request, or response, on another one too. They are read and written
 * where they are: a session that is made anew is the new one for both.
 *
 * @param shown the object of the listener further in
 * @param seen the object that the middleware saw
 */
export function showProperties(shown: object, seen: object): void {
  if (shown === seen) return;
  const from = seen as Record<string, unknown>;
  for (const key of Object.getOwnPropertyNames(from)) {
    if (key in shown || ROUTING.has(key)) continue;
    Object.defineProperty(shown, key, {
      get: () => from[key],
      set: (value: unknown) => {
        from[key] = value;
      },
      enumerable: true,
      configurable: true,
    });
  }
}
