// Builds `environ`: the CGI variables and `wsgi.*` keys, and the header rules that are the same on every platform.
// (ENV-01 … ENV-28)

import { checkApplication, checkOptions, isToken } from './check.ts';
import { errorStreams } from './error-stream.ts';
import { BadRequestError, describe, quote } from './errors.ts';
import { fileWrapper } from './file-wrapper.ts';
import { memo } from './memo.ts';
import { encodeWsgi } from './strings.ts';
import type { Environ, ErrorStream, GatewayOptions } from './types.ts';
import { normalizePrefix } from './url.ts';

/** What an adapter knows of a request besides its headers. All strings are native strings. */
export interface RequestInfo {
  /** `REQUEST_METHOD`. */
  method: string;
  /** `SCRIPT_NAME`: a decoded native string, empty at the root. */
  scriptName: string;
  /** `PATH_INFO`: a decoded native string. */
  pathInfo: string;
  /** `QUERY_STRING`, as received, without the `?`. */
  queryString: string;
  /** The request target as received. */
  requestUri: string;
  /** `HTTP/1.1` and the like. */
  protocol: string;
  /** `wsgi.url_scheme`. */
  scheme: 'http' | 'https';
  /** Never empty. */
  serverName: string;
  /** Decimal digits. */
  serverPort: string;
}

/** What stays the same for every request that an adapter serves. */
export interface GatewayInfo {
  /** `waygate.gateway`. */
  gateway: string;
  /** `wsgi.multiprocess`: whether other processes may run the same application at the same time. */
  multiprocess: boolean;
}

/** The options every adapter takes, checked and made ready once, when the adapter is made. */
export interface Settings {
  /** `/api` or empty. */
  readonly basePath: string;
  /** Bytes; Infinity for no limit. */
  readonly maxBodyBytes: number;
  /** Makes the `wsgi.errors` of a request. */
  readonly errors: () => ErrorStream;
  /** The option `onError`. */
  readonly onError: GatewayOptions['onError'];
  /** The keys of the option `environ`, for {@link addDeployerKeys}. */
  readonly deployerKeys: [key: string, value: unknown][];
}

/**
 * @param app what was given as the application
 * @param options the options every adapter takes
 * @throws {TypeError} for an application that is not a function (L-21), and for an option of the wrong type
 * @example
 * const { basePath, maxBodyBytes } = prepareOptions(app, { basePath: '/api' });
 */
export function prepareOptions(app: unknown, options: GatewayOptions): Settings {
  checkApplication(app);
  checkOptions(options);
  const { basePath, maxBodyBytes = Number.POSITIVE_INFINITY, errors, onError, environ = {} } = options;
  if (basePath !== undefined && typeof basePath !== 'string')
    throw new TypeError(`The option "basePath" is ${describe(basePath)}; expected a string such as "/api".`);
  if (typeof maxBodyBytes !== 'number' || !(maxBodyBytes >= 0))
    throw new TypeError(`The option "maxBodyBytes" is ${describe(maxBodyBytes)}; expected a number of bytes.`);
  if (onError !== undefined && typeof onError !== 'function')
    throw new TypeError(`The option "onError" is ${describe(onError)}; expected a function (error, environ).`);
  return {
    basePath: normalizePrefix(encodeWsgi(basePath ?? '')),
    maxBodyBytes,
    errors: errorStreams(errors),
    onError,
    deployerKeys: deployerKeys(environ),
  };
}

/**
 * The keys of the `environ` option, checked once.
 *
 * @throws {TypeError} for a CGI variable that is not a native string (L-15, L-16), and for a key of the contract's own (L-20)
 */
function deployerKeys(environ: unknown): [key: string, value: unknown][] {
  if (typeof environ !== 'object' || environ === null || Array.isArray(environ))
    throw new TypeError(`The option "environ" is ${describe(environ)}; expected an object of environ keys.`);
  const keys = Object.entries(environ).filter(([, value]) => value !== undefined);
  for (const [key, value] of keys) checkDeployerKey(key, value);
  // What the body of a request is belongs to the request.
  return keys.filter(([key]) => !key.startsWith('CONTENT_'));
}

function checkDeployerKey(key: string, value: unknown): void {
  if (/^(?:wsgi|waygate)\./.test(key)) {
    throw new TypeError(
      `The option "environ" has the key "${key}"; keys that begin with "wsgi." or "waygate." belong to the gateway. Use a prefix of your own. [L-20]`,
    );
  }
  if (key.includes('.')) return;
  if (typeof value !== 'string') {
    throw new TypeError(
      `The option "environ" has ${describe(value)} under "${key}"; a key without a dot is a CGI variable and holds a string. Give it a name with a dot, such as "app.${key}". [L-15]`,
    );
  }
  if (/[^\0-\xff]/.test(value)) {
    throw new TypeError(
      `The option "environ" has ${describe(value)} under "${key}"; expected code units up to U+00FF. Text beyond Latin-1 goes through encodeWsgi(). [L-16]`,
    );
  }
}

/**
 * A fresh environ without headers. All have the same keys in the same order, and so one shape.
 *
 * @param gateway what stays the same from request to request
 * @param request the request line and the server's side of the connection
 * @example
 * const environ = createEnviron({ gateway: 'cgi', multiprocess: true }, request, errors);
 */
export function createEnviron(gateway: GatewayInfo, request: RequestInfo, errors: ErrorStream): Environ {
  return new PlainEnviron(gateway, request, errors) as unknown as Environ;
}

type MakesEnviron = new (gateway: GatewayInfo, request: RequestInfo, errors: ErrorStream) => object;

/**
 * A function, and no literal: V8 counts how many objects of a literal survive, and may then allocate them in the old
 * generation. The whole of every request would then live until the next full collection. What it makes is a plain object.
 */
const PlainEnviron = /* @__PURE__ */ (() => {
  function make(this: Record<string, unknown>, gateway: GatewayInfo, request: RequestInfo, errors: ErrorStream): void {
    this.REQUEST_METHOD = request.method;
    this.SCRIPT_NAME = request.scriptName;
    this.PATH_INFO = request.pathInfo;
    this.QUERY_STRING = request.queryString;
    this.REQUEST_URI = request.requestUri;
    this.SERVER_NAME = request.serverName;
    this.SERVER_PORT = request.serverPort;
    this.SERVER_PROTOCOL = request.protocol;
    this.SERVER_SOFTWARE = 'waygate';
    this.GATEWAY_INTERFACE = 'CGI/1.1';
    this['wsgi.version'] = [1, 0];
    this['wsgi.url_scheme'] = request.scheme;
    this['wsgi.input'] = undefined; // set by the adapter once the headers are there
    this['wsgi.errors'] = errors;
    this['wsgi.multithread'] = false;
    this['wsgi.multiprocess'] = gateway.multiprocess;
    this['wsgi.run_once'] = false;
    this['wsgi.input_terminated'] = true;
    this['wsgi.file_wrapper'] = fileWrapper;
    this['waygate.gateway'] = gateway.gateway;
    this['waygate.wait_until'] = undefined; // set by the adapter
    // The adapter adds `waygate.signal`, as an accessor. An accessor over an existing key would turn the whole object into
    // a dictionary, which costs more than the rest of this function.
  }
  make.prototype = Object.prototype;
  return make as unknown as MakesEnviron;
})();

/**
 * The environ key of a request header; an empty string for one that is dropped. Dropped are `Proxy` (httpoxy), names that
 * are not tokens, and names with `_`, which could pose as another header. Takes the name in any case. (ENV-12, ENV-25 …
 * ENV-27)
 */
export const headerKey: (name: string) => string = /* @__PURE__ */ memo((name) => {
  if (!isToken(name) || name.includes('_')) return '';
  const upper = name.toUpperCase().replaceAll('-', '_');
  if (upper === 'PROXY') return '';
  return upper === 'CONTENT_TYPE' || upper === 'CONTENT_LENGTH' ? upper : propertyName(`HTTP_${upper}`);
});

/**
 * The same text as engines keep it for the names of properties: what is stored under it is not looked up by its letters. It
 * stands on its own: one that was cut out of a longer text would keep all of that in memory.
 */
export function propertyName(text: string): string {
  return Object.keys({ [` ${text}`.slice(1)]: 0 })[0] as string;
}

/**
 * The header that an environ key stands for, in lower case; an empty string for a key of another kind. It is the inverse of
 * {@link headerKey}, for adapters that make a request of environ.
 */
export function headerName(key: string): string {
  const first = key.charCodeAt(0);
  return first === 0x48 /* H */ || first === 0x43 /* C */ ? nameOfKey(key) : '';
}

const nameOfKey: (key: string) => string = /* @__PURE__ */ memo((key) => {
  const isContent = key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH';
  const bare = isContent ? key : key.startsWith('HTTP_') ? key.slice(5) : '';
  return bare.toLowerCase().replaceAll('_', '-');
});

/**
 * Adds one request header to environ. Repeats are joined with `", "`, cookies with `"; "`. (ENV-24)
 *
 * @param value a native string
 * @throws {BadRequestError} for a repeated Host, Content-Length or Content-Type that disagrees with the first
 * @example
 * for (const [name, value] of request.headers) addHeader(environ, name, value);
 */
export function addHeader(environ: Environ, name: string, value: string): void {
  const key = headerKey(name);
  if (key === '') return;
  const first = environ[key] as string | undefined;
  environ[key] = first === undefined ? value : join(key, first, value);
}

function join(key: string, first: string, value: string): string {
  if (key === 'HTTP_COOKIE') return `${first}; ${value}`;
  if (key !== 'HTTP_HOST' && key !== 'CONTENT_LENGTH' && key !== 'CONTENT_TYPE') return `${first}, ${value}`;
  if (first === value) return first;
  throw new BadRequestError(`The request has two different ${key.replace('HTTP_', '').replace('_', '-')} headers.`);
}

/**
 * The length that `CONTENT_LENGTH` declares, in bytes, or undefined without one. An empty one is taken away.
 *
 * @throws {BadRequestError} unless it is decimal digits that a number can hold
 * @example
 * const length = declaredLength(environ) ?? 0;
 */
export function declaredLength(environ: Environ): number | undefined {
  const text = environ.CONTENT_LENGTH;
  if (text === undefined) return undefined;
  if (text === '') {
    delete environ.CONTENT_LENGTH;
    return undefined;
  }
  const length = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(length)) {
    throw new BadRequestError(`Content-Length is ${quote(text, 40)}; expected decimal digits.`);
  }
  return length;
}

/**
 * Adds the deployer's keys, after everything of the request: over a request header of that name, never over another key
 * that the gateway set. (ENV-20)
 *
 * @example
 * addDeployerKeys(environ, prepareOptions(app, options).deployerKeys);
 */
export function addDeployerKeys(environ: Environ, deployerKeys: [key: string, value: unknown][]): void {
  for (const [key, value] of deployerKeys) {
    if (!(key in environ) || key.startsWith('HTTP_')) environ[key] = value;
  }
}
