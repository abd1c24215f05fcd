// AWS Lambda Web Functions: `serve` as the server that Lambda runs, behind an endpoint that says who the client is.
// https://docs.aws.amazon.com/lambda/latest/dg/web-functions-nodejs.html

import { checkApplication, checkOptions } from '../../../core/check.ts';
import { describe } from '../../../core/errors.ts';
import { trimBlanks } from '../../../core/strings.ts';
import type { Application, Environ } from '../../../core/types.ts';
import type { ServeOptions } from './options.ts';

/** Where Lambda wants the server to listen, as `host:port`. */
const ENDPOINT = 'AWS_LAMBDA_HTTP_ENDPOINT';
/**
 * How long a shutdown may take, in milliseconds: Lambda ends the process a second after SIGTERM.
 * https://docs.aws.amazon.com/lambda/latest/dg/web-functions-env-lifecycle.html
 */
const SHUTDOWN_LIMIT = 800;
/**
 * The longest that a request may take, in milliseconds, which Lambda sees to.
 * https://docs.aws.amazon.com/lambda/latest/dg/web-functions-revisions-timeout.html
 */
const REQUEST_LIMIT = 900_000;

/** What cannot be: Lambda speaks plain HTTP/1.1 to one address. */
const EXCLUDED = ['path', 'fd', 'tls', 'http2'] as const;

/**
 * The options of `serve` as they are in a Web Function; any others stay as they are.
 *
 * @throws {TypeError} for an option that keeps the function from ever being ready, and for a variable that names no address
 */
export function webFunctionOptions(options: ServeOptions): ServeOptions & { webFunction: boolean } {
  checkOptions(options);
  const { webFunction = Boolean(process.env[ENDPOINT]) } = options;
  if (typeof webFunction !== 'boolean') {
    throw new TypeError(`The option "webFunction" is ${describe(webFunction)}; expected a boolean.`);
  }
  if (!webFunction) return { ...options, webFunction };
  const { host, port } = endpoint(process.env[ENDPOINT]);
  const excluded = EXCLUDED.find((name) => options[name] !== undefined && options[name] !== false);
  if (excluded !== undefined) {
    throw new TypeError(
      `The option "${excluded}" excludes a Web Function, where Lambda speaks plain HTTP/1.1 to ${ENDPOINT}. Leave it ` +
        'out there, or set "webFunction" to false for a server that Lambda does not call.',
    );
  }
  const { shutdownTimeout = SHUTDOWN_LIMIT } = options;
  return {
    // Connections are Lambda's to close: one that ends just as it sends a request fails that request.
    keepAliveTimeout: 0,
    requestTimeout: REQUEST_LIMIT,
    ...options,
    webFunction,
    host,
    port,
    // What is not a number is refused later on.
    shutdownTimeout: shutdownTimeout > SHUTDOWN_LIMIT ? SHUTDOWN_LIMIT : shutdownTimeout,
  };
}

function endpoint(text: string | undefined): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text ?? '') ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  const seen = text === undefined ? 'is not set' : `is ${JSON.stringify(text)}`;
  throw new TypeError(`${ENDPOINT} of the environment ${seen}; expected a host and a port, such as 0.0.0.0:3000.`);
}

/**
 * An application behind the endpoint of a Web Function: its client, scheme and server are the endpoint's, not those of the
 * connection from Lambda.
 *
 * @throws {ContractError} (a `TypeError`) L-21 for what is not an application
 */
export function behindEndpoint(app: Application): Application {
  checkApplication(app);
  return (environ, startResponse) => {
    showClient(environ);
    return app(environ, startResponse);
  };
}

/**
 * Lambda appends the address of the client to X-Forwarded-For, has checked that Host is the domain of the endpoint, and
 * takes requests over HTTPS. What comes without X-Forwarded-For has not come through it.
 * https://docs.aws.amazon.com/lambda/latest/dg/web-functions-http.html
 */
function showClient(environ: Environ): void {
  const forwarded = environ.HTTP_X_FORWARDED_FOR;
  if (forwarded === undefined) return;
  environ.REMOTE_ADDR = trimBlanks(forwarded.slice(forwarded.lastIndexOf(',') + 1));
  delete environ.REMOTE_PORT;
  environ['wsgi.url_scheme'] = 'https';
  environ.HTTPS = 'on';
  // It has no port, or Lambda would have refused it.
  if (environ.HTTP_HOST) environ.SERVER_NAME = environ.HTTP_HOST;
  environ.SERVER_PORT = '443';
}
