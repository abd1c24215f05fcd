// Conditional requests around any application: entity tags for bodies in memory, 304 for what the client has, 412 for what
// it does not expect. (RFC 9110 §13)

import { concat } from '../core/bytes.ts';
import { checkApplication, checkOptions } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, ApplicationBody, Environ, HeaderList, StartResponse } from '../core/types.ts';
import { answer } from './answer.ts';
import { contentHash } from './content-hash.ts';
import type { Head, Outcome } from './outcome.ts';
import { page } from './page.ts';
import { evaluate, isConditional, type Validators } from './preconditions.ts';
import { hasElement, headerValue, withoutHeaders } from './response-head.ts';
import { transform } from './transform.ts';

/** What {@link conditional} does and how. */
export interface ConditionalOptions {
  /**
   * Makes the tag of a body in memory, without quotes; or false for no tags of its own. It may hold the characters that
   * RFC 9110 §8.8.3 allows.
   *
   * @default a hash of 64 bits and the length
   * @example conditional(app, { hash: (bytes) => createHash('sha256').update(bytes).digest('base64url') });
   */
  hash?: ((bytes: Uint8Array) => string) | false;
  /**
   * Whether tags of its own are weak: they then say that two bodies mean the same, not that their bytes are.
   *
   * @default false
   */
  weak?: boolean;
  /**
   * What the resource of a request has now, without answering it; null where there is no such resource. With it all
   * preconditions are evaluated before the application is called. A PUT with `If-Match` that is out of date changes
   * nothing. A GET of what the client has costs nothing. Undefined leaves the request to the application.
   *
   * @default those of the response alone
   */
  validators?: (environ: Environ) => Validators | null | undefined | Promise<Validators | null | undefined>;
}

/** What a 304 does not repeat: it is about the body that the client has. (RFC 9110 §15.4.5) */
const ABOUT_CONTENT: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-range',
  'content-md5',
  'content-digest',
]);

/**
 * Answers conditional requests for an application. A successful response to GET or HEAD whose `ETag` or `Last-Modified` the
 * client has becomes a 304. One that the client does not expect becomes a 412. The body is closed without being read. A
 * body in memory without `ETag` gets one, unless it is `Cache-Control: no-store`.
 *
 * Requests with other methods change something before their response is there. Their preconditions are evaluated only with
 * the option `validators`; else the application does it.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), and for options of another kind
 * @example
 * const app = conditional((environ, startResponse) => {
 *   startResponse('200 OK', [['Content-Type', 'text/plain']]);
 *   return [encode('The same as before.\n')];
 * });
 */
export function conditional(app: Application, options: ConditionalOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { hash = contentHash, weak = false, validators } = options;
  if (hash !== false && typeof hash !== 'function')
    throw new TypeError(`The option "hash" of conditional is ${describe(hash)}; expected a function or false.`);
  if (typeof weak !== 'boolean')
    throw new TypeError(`The option "weak" of conditional is ${describe(weak)}; expected true or false.`);
  if (validators !== undefined && typeof validators !== 'function')
    throw new TypeError(`The option "validators" of conditional is ${describe(validators)}; expected a function.`);

  const call: Application = (environ, startResponse) => {
    const method = environ.REQUEST_METHOD;
    if (method !== 'HEAD' && method !== 'GET') return app(environ, startResponse);
    const decide = (head: Head, chunks: Uint8Array[] | null): Outcome => {
      const { status, code, headers } = head;
      if (code < 200 || code > 299) return { status, headers };
      const etag = headerValue(headers, 'etag') ?? (hash === false ? undefined : addTag(head, chunks, hash, weak));
      if (!isConditional(environ)) return { status, headers };
      const lastModified = headerValue(headers, 'last-modified');
      const outcome = evaluate(environ, { etag, lastModified });
      if (outcome === 304) return { status: '304 Not Modified', headers: notModified(headers), chunks: [] };
      if (outcome === 412) return page('412 Precondition Failed', method);
      return { status, headers };
    };
    return transform(app, environ, startResponse, decide, false);
  };
  return validators === undefined ? call : (environ, startResponse) => first(environ, startResponse, validators, call);
}

/** Asks for the validators, and calls the application only if the preconditions let it. */
function first(
  environ: Environ,
  startResponse: StartResponse,
  validators: NonNullable<ConditionalOptions['validators']>,
  app: Application,
): ApplicationBody | Promise<ApplicationBody> {
  if (!isConditional(environ)) return app(environ, startResponse);
  const go = (current: Validators | null | undefined): ApplicationBody | Promise<ApplicationBody> => {
    const outcome = current === undefined ? 0 : evaluate(environ, current);
    if (outcome === 0) return app(environ, startResponse);
    if (outcome === 412) return answer(startResponse, 412, []);
    const headers: HeaderList = [];
    if (current?.etag !== undefined) headers.push(['ETag', current.etag]);
    else if (current?.lastModified !== undefined) headers.push(['Last-Modified', current.lastModified]);
    startResponse('304 Not Modified', headers);
    return [];
  };
  const current = validators(environ);
  return isThenable(current) ? current.then(go) : go(current);
}

/** Gives a body that is there as a whole its tag. */
function addTag(
  { code, headers }: Head,
  chunks: Uint8Array[] | null,
  hash: (bytes: Uint8Array) => string,
  weak: boolean,
): string | undefined {
  if (chunks === null || code !== 200 || hasElement(headerValue(headers, 'cache-control'), 'no-store'))
    return undefined;
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  // An application may leave the body of HEAD out, and nothing is worth asking for again.
  if (total === 0) return undefined;
  const etag = `${weak ? 'W/' : ''}"${hash(concat(chunks, total))}"`;
  headers.push(['ETag', etag]);
  return etag;
}

function notModified(headers: HeaderList): HeaderList {
  const kept = withoutHeaders(headers, ABOUT_CONTENT);
  // A date is less than the tag that stands beside it.
  return headerValue(kept, 'etag') === undefined ? kept : withoutHeaders(kept, new Set(['last-modified']));
}
