// A page for developers in the place of a plain 500. Never for anybody else.

import type { BodyReader } from '../core/body.ts';
import { checkApplication, checkOptions } from '../core/check.ts';
import { describe, isA, RequestError, report } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { encode } from '../core/strings.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../core/types.ts';
import { preferredType } from './accept.ts';
import { type ErrorFacts, errorFacts, htmlPage, jsonPage, textPage } from './error-page-content.ts';
import { FrontBody, type Step } from './front-body.ts';

/** Whether {@link errorPage} shows anything, and what it hides. */
export interface ErrorPageOptions {
  /**
   * Whether failures are shown. Only true switches it on; without it errorPage returns the application as it is.
   *
   * @default false
   */
  enabled?: boolean;
  /**
   * Environ keys whose values are hidden too, beside those that look like secrets by their name.
   *
   * @default none
   */
  secrets?: RegExp;
}

const TYPES = ['text/plain', 'text/html', 'application/json'] as const;
const PAGES: Record<(typeof TYPES)[number], (facts: ErrorFacts) => string> = {
  'text/plain': textPage,
  'text/html': htmlPage,
  'application/json': jsonPage,
};

/**
 * Shows a failure of the application to the client: the error with its causes, its frames with the source around them, and
 * the environ. Source maps are followed where files can be read. As HTML, JSON or plain text, by what the request accepts.
 * It is for development: switch it on by what only your own machine has.
 *
 * Values of keys that look like secrets (cookies, credentials, tokens, passwords) are hidden, and their text is hidden
 * wherever else it occurs. All else of the environ is shown.
 *
 * A failure after the first byte breaks the response as ever, and a `RequestError` keeps its own plain answer. What is shown is
 * also logged to `wsgi.errors`; `onError` of the gateway is not called for it.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), and for an option of the wrong type
 * @example
 * serve(errorPage(app, { enabled: process.env.NODE_ENV === 'development' }));
 */
export function errorPage(app: Application, options: ErrorPageOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { enabled = false, secrets } = options;
  if (typeof enabled !== 'boolean')
    throw new TypeError(`The option "enabled" of errorPage is ${describe(enabled)}; expected true or false.`);
  if (secrets !== undefined && !(secrets instanceof RegExp))
    throw new TypeError(`The option "secrets" of errorPage is ${describe(secrets)}; expected a regular expression.`);
  if (!enabled) return app;
  return (environ, startResponse) => {
    const show = (error: unknown): Uint8Array => page(error, environ, startResponse, secrets);
    let result: ApplicationBody | Promise<ApplicationBody>;
    try {
      result = app(environ, startResponse);
    } catch (error) {
      return [show(error)];
    }
    if (!isThenable(result)) return shown(result, show, environ);
    return Promise.resolve(result).then(
      (body) => shown(body, show, environ),
      (error) => [show(error)],
    );
  };
}

/** @throws whatever was thrown, where a page cannot take its place */
function page(error: unknown, environ: Environ, startResponse: StartResponse, secrets: RegExp | undefined): Uint8Array {
  if (isA(error, RequestError)) throw error;
  const type = preferredType(environ.HTTP_ACCEPT, TYPES);
  const headers: [string, string][] = [
    ['Content-Type', type === 'application/json' ? type : `${type}; charset=utf-8`],
    ['Cache-Control', 'no-store'],
    ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"],
    ['X-Content-Type-Options', 'nosniff'],
  ];
  // Throws the error again where the response has begun.
  startResponse('500 Internal Server Error', headers, error === undefined ? new Error('undefined was thrown') : error);
  log(environ['wsgi.errors'], report(error));
  return encode(PAGES[type](errorFacts(error, environ, secrets)));
}

/** The same body, with a page in the place of its failure. An array fails as a whole, in the gateway. */
function shown(body: ApplicationBody, show: (error: unknown) => Uint8Array, environ: Environ): ApplicationBody {
  if (Array.isArray(body)) return body;
  return new ShownBody(body, show, environ).front;
}

class ShownBody extends FrontBody {
  readonly #show: (error: unknown) => Uint8Array;
  readonly #environ: Environ;
  /** Bytes went out: nothing can take their place. */
  #sent = false;

  constructor(body: ApplicationBody, show: (error: unknown) => Uint8Array, environ: Environ) {
    super(body);
    this.#show = show;
    this.#environ = environ;
  }

  protected override step(reader: BodyReader): Step | Promise<Step> {
    try {
      const chunk = reader.pull();
      return isThenable(chunk) ? chunk.then(this.#arrived, this.#failed) : this.#arrived(chunk);
    } catch (error) {
      return this.#failed(error);
    }
  }

  readonly #arrived = (chunk: Uint8Array | null): Step => {
    if (chunk === null) return this.end();
    if (chunk.byteLength > 0) this.#sent = true;
    return { done: false, value: chunk };
  };

  readonly #failed = (error: unknown): Step => {
    this.isOver = true;
    if (this.#sent || this.isClosed) throw error;
    return { done: false, value: this.#show(error) };
  };

  protected override report(error: unknown): void {
    log(this.#environ['wsgi.errors'], report(error));
  }
}
