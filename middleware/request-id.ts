// One name for a request, in environ, in the response and in the log, so that lines of several programs can be put together.

import { checkApplication, checkOptions, isHeaderValue, isToken } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { log } from '../core/log.ts';
import type { Application, Environ } from '../core/types.ts';
import { withoutHeaders } from './response-head.ts';

/**
 * The key under which {@link requestId} keeps the id.
 *
 * @example
 * environ['wsgi.errors'].write(`${environ[REQUEST_ID]} was refused\n`);
 */
export const REQUEST_ID = 'waygate.request_id';

/** Where {@link requestId} takes the id from, and where it puts it. */
export interface RequestIdOptions {
  /**
   * The header of the response that carries the id, and of the request where it is trusted; false for none.
   *
   * @default 'X-Request-Id'
   */
  header?: string | false;
  /**
   * Whether the id that the request carries in that header is taken. A client can send any: trust it only behind a proxy
   * of your own that sets or removes it.
   *
   * @default false
   */
  trust?: boolean;
  /**
   * Whether the trace id of `traceparent` is taken (W3C Trace Context §3.2). A client can choose it, within 32 hexadecimal
   * digits.
   *
   * @default true
   */
  traceparent?: boolean;
  /**
   * Makes a new id, where none is known: up to 128 letters, digits and `-._~+/=:@`.
   *
   * @default crypto.randomUUID
   */
  generate?: (environ: Environ) => string;
}

/** What an id may be, wherever it comes from: nothing that has a meaning in a log, a header or a shell. */
const ID = /^[A-Za-z0-9._~+/=:@-]{1,128}$/;
/** Version, trace id, parent id, flags; later versions may say more. (W3C Trace Context §3.2.2) */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/**
 * Gives each request an id. It is the first that is there of the trusted header, the trace id of `traceparent`, and the
 * platform's own id; or a new one. The platform's own is, for example, `awsRequestId` on Lambda and `cf-ray` on Workers. It
 * is `environ['waygate.request_id']` for the application and for `accessLog`, and a header of the response, where it
 * replaces one of the application's.
 *
 * A malformed `traceparent`, or a malformed id in the trusted header, is one line in `wsgi.errors`, without its text, and
 * the next source is asked.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), and for an option of the wrong type
 * @example
 * serve(requestId(accessLog(app)));
 */
export function requestId(app: Application, options: RequestIdOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { header = 'X-Request-Id', trust = false, traceparent = true } = options;
  const generate = options.generate ?? (() => crypto.randomUUID());
  if (header !== false && (typeof header !== 'string' || !isToken(header)))
    throw new TypeError(`The option "header" of requestId is ${describe(header)}; expected a header name, or false.`);
  if (typeof generate !== 'function')
    throw new TypeError(`The option "generate" of requestId is ${describe(generate)}; expected a function.`);
  const sources: Source[] = [];
  if (trust && header !== false) sources.push(fromHeader(header));
  if (traceparent) sources.push(fromTraceparent);
  sources.push(fromPlatform);
  const names = new Set(header === false ? [] : [header.toLowerCase()]);
  return (environ, startResponse) => {
    let id: string | undefined;
    for (const source of sources) {
      id = source(environ);
      if (id !== undefined) break;
    }
    const known = id ?? checkMade(generate(environ));
    environ[REQUEST_ID] = known;
    if (header === false) return app(environ, startResponse);
    return app(environ, (status, headers, error) =>
      startResponse(status, [...withoutHeaders(headers, names), [header, known]], error),
    );
  };
}

type Source = (environ: Environ) => string | undefined;

function fromHeader(header: string): Source {
  const key = `HTTP_${header.toUpperCase().replaceAll('-', '_')}` as const;
  return (environ) => {
    const sent = environ[key];
    if (sent === undefined || ID.test(sent)) return sent;
    const expected = 'expected up to 128 letters, digits and -._~+/=:@';
    log(environ['wsgi.errors'], `requestId: the header ${header} is malformed; ${expected}. It is not used.`);
    return undefined;
  };
}

const fromTraceparent: Source = (environ) => {
  const sent = environ.HTTP_TRACEPARENT;
  if (sent === undefined) return undefined;
  const found = sent.length <= 512 ? TRACEPARENT.exec(sent) : null;
  // Version 00 ends with the flags.
  if (found !== null && (sent.length === 55 || !sent.startsWith('00'))) return found[1];
  const expected = 'expected version, trace id, parent id and flags in lower-case hexadecimal digits';
  log(environ['wsgi.errors'], `requestId: the header traceparent is malformed; ${expected}. It is not used.`);
  return undefined;
};

/** Only what the platform itself says: a header of that name on another platform is the client's. */
const fromPlatform: Source = (environ) => {
  const gateway = environ['waygate.gateway'];
  // An adapter sets it where the platform has an id of its own; an outer requestId, where it has chosen one.
  let id: unknown = environ[REQUEST_ID];
  if (gateway === 'aws-lambda') id = (environ['aws.context'] as { awsRequestId?: unknown } | undefined)?.awsRequestId;
  else if (gateway === 'cloudflare-workers') id = environ.HTTP_CF_RAY;
  return typeof id === 'string' && ID.test(id) ? id : undefined;
};

function checkMade(id: unknown): string {
  if (typeof id === 'string' && ID.test(id) && isHeaderValue(id)) return id;
  throw new TypeError(
    `The option "generate" of requestId gave ${describe(id)}; expected up to 128 letters, digits and -._~+/=:@.`,
  );
}
