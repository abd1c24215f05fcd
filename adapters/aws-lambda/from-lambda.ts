// Makes an application of a Lambda handler, by doing what the event source before it would do. It is the Lambda emulator:
// one faithful event builder for each event source, and the rules by which each reads a result.

import { describe } from '../../core/errors.ts';
import type { Application } from '../../core/types.ts';
import { answerRequest } from './emulator/call.ts';
import type { FromLambdaOptions } from './emulator/options.ts';
import type { AnyHandler } from './emulator/runtime.ts';
import { emulatorOf } from './sources/emulators.ts';

/**
 * Makes an application of a Lambda handler: `toFetch(fromLambda(handler, { source: 'http-api' }))` calls it as an HTTP API
 * would, with the event of an HTTP API. It answers as an HTTP API answers the result. That is also how a handler is tested,
 * and run on `node:http` during development.
 *
 * The handler may be asynchronous, call back, or stream. When it fails, or the event source cannot use its result, the
 * client gets the event source's own error page. `wsgi.errors` says why.
 *
 * @param handler the function as Lambda would call it
 * @param options which event source, how it is set up, and what the function's context says
 * @throws {TypeError} for a handler that is not a function, and for an unknown source
 * @example
 * await serve(fromLambda(handler, { source: 'http-api' }));
 */
export function fromLambda(handler: AnyHandler, options: FromLambdaOptions): Application {
  if (typeof handler !== 'function') {
    throw new TypeError(`fromLambda was given ${describe(handler)}; expected a function (event, context).`);
  }
  const emulator = emulatorOf(options?.source);
  return (environ, startResponse) => answerRequest(handler, emulator, options, environ, startResponse);
}
