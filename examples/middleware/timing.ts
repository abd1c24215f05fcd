// A middleware that only looks at the head: it adds a header and passes the body on as it is.

import type { Middleware } from 'waygate';

/** Adds `Server-Timing` with the milliseconds until the application started its response. */
export const timing: Middleware = (app) => (environ, startResponse) => {
  const begun = performance.now();
  return app(environ, (status, headers, error) => {
    const duration = (performance.now() - begun).toFixed(1);
    return startResponse(status, [...headers, ['Server-Timing', `app;dur=${duration}`]], error);
  });
};
