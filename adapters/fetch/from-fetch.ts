// Makes an application of a Fetch handler: Hono, h3, itty-router, or any function from Request to Response. The folder
// hosted/ has the side of the hosted app: the request it sees, what else it is given, how its response is read. The file
// passthrough.ts says when none of that is needed.

import { type DirectApp, markDirect } from '../../core/direct-app.ts';
import { describe, RequestError } from '../../core/errors.ts';
import { type GatewayInput, gatewayInput } from '../../core/input-base.ts';
import { isThenable } from '../../core/thenable.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../../core/types.ts';
import { cancelBody } from './foreign-body.ts';
import { HostedBody } from './hosted/body.ts';
import { directArguments, platformArguments } from './hosted/platform.ts';
import { directRequest, hostedRequest, remember } from './hosted/request.ts';
import { checkResponse, respond, responseInMemory } from './hosted/response.ts';
import { isLightEnough } from './light/request.ts';
import { originalRequest } from './passthrough.ts';

/** A handler of the Fetch kind. What follows the request is the platform's: bindings and execution context, by custom. */
export type FetchHandlerFunction = (
  request: Request,
  // biome-ignore lint/suspicious/noExplicitAny: each framework and platform has its own types for these.
  ...platform: any[]
) => Response | Promise<Response>;

/** What {@link fromFetch} takes: a handler, or an object that has one as its `fetch` method, as a Hono app does. */
export type FetchApp = FetchHandlerFunction | { fetch: FetchHandlerFunction };

/**
 * Makes an application of a Fetch handler.
 *
 * The handler routes on `PATH_INFO`: a mount prefix is not in the URL it sees. It gets a second argument (`c.env` in Hono)
 * and an execution context, as its framework's own adapters give them. See docs/hosted-apps.md for each platform. {@link
 * environOf} gives the environ behind a request.
 *
 * @param app a handler, or an object with a `fetch` method, which is looked up anew for each request
 * @returns an application. It fails, and the gateway answers with a 500, when the handler throws or rejects. So it does for
 *   a return value that cannot be sent: not a `Response`, `Response.error()`, or one whose body is used or locked
 * @throws {TypeError} when `app` is neither
 * @example
 * const hono = new Hono().get('/', (c) => c.text('hello'));
 * await serve(fromFetch(hono));
 */
export function fromFetch(app: FetchApp): Application {
  const handler = toHandler(app);
  const application: Application = (environ, startResponse) => {
    const original = originalRequest(environ);
    if (original === null) return host(handler, environ, startResponse);
    remember(original, environ);
    const platform = platformArguments(environ);
    return new HostedBody(
      handler(original, ...platform),
      (response) => respond(response, environ, startResponse),
      startResponse,
    );
  };
  return markDirect(application, directApp(handler));
}

/** The handler for a gateway that calls it without an environ, as {@link host} does with one. */
function directApp(handler: FetchHandlerFunction): DirectApp {
  return {
    get isOpen(): boolean {
      return isLightEnough();
    },
    call(direct) {
      const [bindings, context] = directArguments(direct);
      return handler(directRequest(direct), bindings, context);
    },
    inMemory: responseInMemory,
    finish: (answer, environ, startResponse) =>
      respond(answered(answer, gatewayInput(environ['wsgi.input'])), environ, startResponse),
  };
}

function toHandler(app: FetchApp): FetchHandlerFunction {
  if (typeof app === 'function') return app;
  if (typeof app?.fetch !== 'function') {
    throw new TypeError(
      `fromFetch was given ${describe(app)}; expected a function (request) => Response, or an object with a fetch method.`,
    );
  }
  return (request, ...platform) => app.fetch(request, ...platform);
}

/** Calls the handler with a request made from environ. */
function host(
  handler: FetchHandlerFunction,
  environ: Environ,
  startResponse: StartResponse,
): ApplicationBody | Promise<ApplicationBody> {
  const input = gatewayInput(environ['wsgi.input']);
  const finish = (answer: unknown): ApplicationBody | Promise<ApplicationBody> =>
    respond(answered(answer, input), environ, startResponse);
  const answer = handler(hostedRequest(environ), ...platformArguments(environ));
  return isThenable(answer) ? Promise.resolve(answer).then(finish) : finish(answer);
}

/** The response of a handler, where nothing of the request's own has failed. */
function answered(answer: unknown, input: GatewayInput | null): Response {
  const response = checkResponse(answer);
  // A framework makes a 500 of every failure; one of the request's own has an answer of its own, a 413 for one.
  if (response.status >= 500 && input?.failure instanceof RequestError) {
    cancelBody(response);
    throw input.failure;
  }
  return response;
}

/** A handler that calls an application, at work on one request. */
export interface Around {
  readonly answer: Promise<Response>;
  /** Whether that application gives its body chunk by chunk. */
  isLive(): boolean;
}

/**
 * An application of a handler that calls another application. Its body is there at once: only then may that of the other
 * one be asked for a chunk. (L-55)
 */
export function hostAround(handle: (request: Request) => Around): Application {
  const direct = fromFetch((request) => handle(request).answer);
  return (environ, startResponse) => {
    if (originalRequest(environ) !== null) return direct(environ, startResponse);
    const input = gatewayInput(environ['wsgi.input']);
    const around = handle(hostedRequest(environ));
    const answer = around.answer.then((response) => answered(response, input));
    const start = (response: Response) => respond(response, environ, startResponse, around.isLive());
    return new HostedBody(answer, start, startResponse, false);
  };
}
