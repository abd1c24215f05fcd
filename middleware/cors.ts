// Cross-origin resource sharing, as browsers ask for it. (Fetch standard §3.2, "CORS protocol")

import { checkApplication, checkOptions, isToken } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, ApplicationBody, Environ, HeaderList, StartResponse } from '../core/types.ts';
import { answer } from './answer.ts';
import { addVary, withoutHeaders } from './response-head.ts';

/** Decides for one origin, such as `https://example.com`; it may look at the request. */
export type OriginCheck = (origin: string, environ: Environ) => boolean | Promise<boolean>;

/** Which other origins may read the responses of an application. */
export interface CorsOptions {
  /**
   * The origins that may: `'*'` for any, one or several of them as `https://example.com`, regular expressions (give them
   * `^` and `$`), or a function. An opaque origin, `null`, is allowed by `'*'` or by its name only.
   *
   * @default '*'
   */
  origins?: '*' | string | RegExp | OriginCheck | readonly (string | RegExp)[];
  /**
   * Whether a page may read responses to requests with cookies. It needs `origins` other than `'*'`.
   *
   * @default false
   */
  credentials?: boolean;
  /**
   * The methods that a preflight allows; `GET`, `HEAD` and `POST` need no leave.
   *
   * @default ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
   */
  methods?: readonly string[];
  /**
   * The request headers that a preflight allows.
   *
   * @default those that the preflight asks for
   */
  headers?: readonly string[];
  /**
   * The response headers that a page may read beside the usual ones.
   *
   * @default []
   */
  exposedHeaders?: readonly string[];
  /**
   * How long a browser may keep the answer to a preflight, in seconds.
   *
   * @default the browser's own
   */
  maxAgeSeconds?: number;
  /**
   * Whether pages of a public network may ask a server of a private one (Private Network Access).
   *
   * @default false
   */
  privateNetwork?: boolean;
}

/** What this middleware answers for: it replaces these fields of the application's. */
const OWN_FIELDS = new Set([
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
]);
const PREFLIGHT_VARY = ['Access-Control-Request-Method', 'Access-Control-Request-Headers'];
/** An origin as browsers serialize it. (RFC 6454 §6.2, Fetch standard §3.1) */
const ORIGIN = /^(?:null|[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._~!$&'()*+,;=%-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?)$/;

/**
 * Answers preflights and adds the `Access-Control-*` fields to all other responses. A preflight is an `OPTIONS` with
 * `Origin` and `Access-Control-Request-Method`. It never reaches the application: the answer is a 204, and 403 for an
 * origin that is not allowed. All other requests reach it, whatever their origin: CORS keeps pages from reading, not
 * clients from asking.
 *
 * `Vary: Origin` is on every response that could differ for another origin, so that caches keep them apart. A malformed
 * `Origin` is an origin that is not allowed, and one line in `wsgi.errors`.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21) and for an option of the wrong type. Also for
 *   `credentials` without a choice of `origins`, which browsers refuse (Fetch standard §3.2.5)
 * @example
 * serve(cors(app, { origins: ['https://shop.example'], credentials: true }));
 */
export function cors(app: Application, options: CorsOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const policy = new Policy(options);
  return (environ, startResponse) => {
    const origin = environ.HTTP_ORIGIN;
    const allowed = origin === undefined ? false : policy.allows(origin, environ);
    if (!isThenable(allowed)) return serve(app, policy, allowed, environ, startResponse);
    return allowed.then((decided) => serve(app, policy, decided, environ, startResponse));
  };
}

function serve(
  app: Application,
  policy: Policy,
  allowed: boolean,
  environ: Environ,
  startResponse: StartResponse,
): ApplicationBody | Promise<ApplicationBody> {
  const origin = environ.HTTP_ORIGIN;
  const isPreflight =
    environ.REQUEST_METHOD === 'OPTIONS' &&
    origin !== undefined &&
    environ.HTTP_ACCESS_CONTROL_REQUEST_METHOD !== undefined;
  if (!isPreflight) {
    return app(environ, (status, headers, error) =>
      startResponse(status, policy.addTo(headers as HeaderList, allowed ? origin : undefined), error),
    );
  }
  const headers = policy.preflight(environ, allowed ? origin : undefined);
  if (!allowed) return answer(startResponse, 403, headers, 'This origin may not use this resource.');
  startResponse('204 No Content', headers);
  return [];
}

class Policy {
  readonly #isAllowed: OriginCheck;
  readonly #any: boolean;
  readonly #credentials: boolean;
  readonly #methods: string;
  readonly #headers: string | undefined;
  readonly #exposed: string;
  readonly #maxAge: string | undefined;
  readonly #privateNetwork: boolean;

  constructor(options: CorsOptions) {
    const { origins = '*', credentials = false, privateNetwork = false, maxAgeSeconds } = options;
    this.#any = origins === '*' || (Array.isArray(origins) && origins.includes('*'));
    this.#credentials = flag('credentials', credentials);
    this.#privateNetwork = flag('privateNetwork', privateNetwork);
    if (this.#any && credentials) {
      throw new TypeError(
        'The option "credentials" of cors is true and "origins" is "*", which browsers refuse; name the origins.',
      );
    }
    this.#isAllowed = this.#any ? () => true : toCheck(origins);
    this.#methods = names('methods', options.methods ?? ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
    this.#headers = options.headers === undefined ? undefined : names('headers', options.headers);
    this.#exposed = names('exposedHeaders', options.exposedHeaders ?? []);
    if (maxAgeSeconds !== undefined && !(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds >= 0)) {
      throw new TypeError(
        `The option "maxAgeSeconds" of cors is ${describe(maxAgeSeconds)}; expected a whole number of seconds.`,
      );
    }
    this.#maxAge = maxAgeSeconds === undefined ? undefined : String(maxAgeSeconds);
  }

  allows(origin: string, environ: Environ): boolean | Promise<boolean> {
    if (origin.length > 1024 || !ORIGIN.test(origin)) {
      log(
        environ['wsgi.errors'],
        'cors: the header Origin is malformed; expected an origin such as https://example.com.',
      );
      return false;
    }
    return this.#isAllowed(origin, environ);
  }

  /** @param origin the origin of the request where it is allowed */
  addTo(headers: HeaderList, origin: string | undefined): HeaderList {
    const list = withoutHeaders(headers, OWN_FIELDS);
    if (this.#any) list.push(['Access-Control-Allow-Origin', '*']);
    else if (origin !== undefined) list.push(['Access-Control-Allow-Origin', origin]);
    if (origin !== undefined && this.#credentials) list.push(['Access-Control-Allow-Credentials', 'true']);
    if ((origin !== undefined || this.#any) && this.#exposed !== '')
      list.push(['Access-Control-Expose-Headers', this.#exposed]);
    if (!this.#any) addVary(list, ['Origin']);
    return list;
  }

  preflight(environ: Environ, origin: string | undefined): HeaderList {
    const list: HeaderList = [];
    const vary = this.#any ? PREFLIGHT_VARY : ['Origin', ...PREFLIGHT_VARY];
    addVary(list, this.#privateNetwork ? [...vary, 'Access-Control-Request-Private-Network'] : vary);
    if (origin === undefined) return list;
    list.push(['Access-Control-Allow-Origin', this.#any ? '*' : origin]);
    if (this.#credentials) list.push(['Access-Control-Allow-Credentials', 'true']);
    list.push(['Access-Control-Allow-Methods', this.#methods]);
    const headers = this.#headers ?? askedFor(environ);
    if (headers !== '') list.push(['Access-Control-Allow-Headers', headers]);
    if (this.#maxAge !== undefined) list.push(['Access-Control-Max-Age', this.#maxAge]);
    if (this.#privateNetwork && environ.HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK === 'true')
      list.push(['Access-Control-Allow-Private-Network', 'true']);
    return list;
  }
}

/** The header names that a preflight asks for; what is not a name is left out. */
function askedFor(environ: Environ): string {
  const asked = environ.HTTP_ACCESS_CONTROL_REQUEST_HEADERS ?? '';
  return asked
    .split(',')
    .map((name) => name.trim())
    .filter(isToken)
    .join(', ');
}

function toCheck(origins: unknown): OriginCheck {
  if (typeof origins === 'function') return origins as OriginCheck;
  const list: unknown[] = Array.isArray(origins) ? origins : [origins];
  const exact = new Set<string>();
  const patterns: RegExp[] = [];
  for (const each of list) {
    if (each instanceof RegExp) patterns.push(each);
    else if (typeof each === 'string' && ORIGIN.test(each)) exact.add(each);
    else {
      throw new TypeError(
        `The option "origins" of cors holds ${describe(each)}; expected an origin such as "https://example.com", without a path and in lower case.`,
      );
    }
  }
  return (origin) => exact.has(origin) || (origin !== 'null' && patterns.some((pattern) => matches(pattern, origin)));
}

/** With the flag g or y a pattern goes on where it ended the last time. */
function matches(pattern: RegExp, origin: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(origin);
}

function flag(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`The option "${option}" of cors is ${describe(value)}; expected true or false.`);
}

function names(option: string, list: unknown): string {
  if (Array.isArray(list) && list.every((name) => typeof name === 'string' && isToken(name))) return list.join(', ');
  throw new TypeError(`The option "${option}" of cors is ${describe(list)}; expected an array of names.`);
}
