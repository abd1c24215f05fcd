// The validator: a middleware that looks at both sides of the contract while requests go through it, as `wsgiref.validate`
// does in Python. What it looks for stands in rules.ts, and in docs/contract.md under the same ids.

import { closeBody } from '../../core/body.ts';
import { checkApplication } from '../../core/check.ts';
import { describe } from '../../core/errors.ts';
import { isThenable } from '../../core/thenable.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../../core/types.ts';
import { validBody } from './body.ts';
import { isOutermost, ValidatedCall } from './call.ts';
import { checkEnviron } from './environ.ts';
import { ResponseWatch } from './head.ts';
import { validInput } from './input.ts';
import { violation, Warnings } from './report.ts';
import { validEarlyHints, validErrors, validFileWrapper } from './streams.ts';

/**
 * Wraps an application so that every broken rule of the contract is found, whether the application breaks it or the
 * gateway. Around a middleware, `validator(middleware(validator(app)))`, it sees what the middleware does to either side.
 *
 * An error is thrown as `ContractError` where it happens, with the id of the rule as `rule`. A warning is written to
 * `wsgi.errors`, once per rule and validator. Use it while developing and in tests: it costs time, and it turns mistakes
 * that a client might not have noticed into failed requests.
 *
 * @param app the application to look at
 * @returns the same application, watched
 * @throws {ContractError} L-21 for an application that is not a function
 * @example
 * await serve(validator(app));
 */
export function validator(app: Application): Application {
  checkApplication(app);
  const warnings = new Warnings();
  return (...given: unknown[]): ApplicationBody | Promise<ApplicationBody> => {
    if (given.length !== 2) {
      throw violation(
        'L-22',
        `The application was called with ${given.length} argument${given.length === 1 ? '' : 's'}.`,
      );
    }
    const [environ, startResponse] = given as [Environ, StartResponse];
    if (typeof startResponse !== 'function') throw violation('SR-01', `startResponse is ${describe(startResponse)}.`);
    const warn = warnings.to(environ?.['wsgi.errors']);
    checkEnviron(environ, isOutermost(environ), warn);
    const call = new ValidatedCall(environ, warn);
    const head = new ResponseWatch(call, startResponse, environ);
    wrapStreams(environ, call);
    return answer(app, environ, call, head);
  };
}

function answer(
  app: Application,
  environ: Environ,
  call: ValidatedCall,
  head: ResponseWatch,
): ApplicationBody | Promise<ApplicationBody> {
  const accept = (body: ApplicationBody): ApplicationBody => {
    call.returned = true;
    try {
      return validBody(body, call, head);
    } catch (error) {
      // The caller gets no body to close.
      closeBody(body, () => {});
      throw error;
    }
  };
  const fail = (error: unknown): never => {
    call.returned = true;
    call.over = true;
    throw error;
  };
  try {
    const result = app(environ, head.startResponse);
    return isThenable(result) ? Promise.resolve(result).then(accept).catch(fail) : accept(result);
  } catch (error) {
    return fail(error);
  }
}

/** In place: the environ stays the same object, with what a gateway may have tied to it. */
function wrapStreams(environ: Environ, call: ValidatedCall): void {
  environ['wsgi.input'] = validInput(environ, call.warn);
  environ['wsgi.errors'] = validErrors(environ['wsgi.errors']);
  const wrap = environ['wsgi.file_wrapper'];
  if (wrap !== undefined) environ['wsgi.file_wrapper'] = validFileWrapper(wrap);
  const hints = environ['waygate.early_hints'];
  if (hints !== undefined) environ['waygate.early_hints'] = validEarlyHints(hints, call.warn);
}
