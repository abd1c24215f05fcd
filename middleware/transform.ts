// What every middleware that changes bodies has in common. It decides with the whole head of a response, and with all
// chunks where they are in memory. It hands on the body as it is, another one, or each chunk changed. (MW-01 … MW-06)

import { isThenable } from '../core/thenable.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../core/types.ts';
import type { Decide } from './outcome.ts';
import { TransformedResponse } from './transformed-response.ts';

/**
 * Calls an application and changes its response.
 *
 * @param decide what becomes of the response
 * @param waits whether an outcome may hold a promise, or a coder that gives one
 * @returns the body for the caller of the middleware; a promise only if the application returned one or `chunks` are one
 */
export function transform(
  app: Application,
  environ: Environ,
  startResponse: StartResponse,
  decide: Decide,
  waits: boolean,
): ApplicationBody | Promise<ApplicationBody> {
  const response = new TransformedResponse(environ, startResponse, decide, waits);
  const result = app(environ, response.startResponse);
  return isThenable(result) ? response.wait(result) : response.accept(result);
}
