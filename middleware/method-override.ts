// Lets HTML forms, which know GET and POST alone, ask for another method.

import { checkApplication, checkOptions, isToken } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { Input } from '../core/input.ts';
import { log } from '../core/log.ts';
import { MemoryInput } from '../core/memory-input.ts';
import { parseForm } from '../core/query.ts';
import { nativeFromBytes } from '../core/strings.ts';
import type { Application, Environ, InputStream } from '../core/types.ts';

/**
 * The key under which {@link methodOverride} keeps the method that was sent.
 *
 * @example
 * const sent = environ[METHOD_OVERRIDE_ORIGINAL] ?? environ.REQUEST_METHOD;
 */
export const METHOD_OVERRIDE_ORIGINAL = 'waygate.method_override.original';

declare module 'waygate' {
  interface EnvironKeys {
    /** The method that was sent, where `methodOverride` has put another in its place. */
    'waygate.method_override.original'?: string;
  }
}

/** Where {@link methodOverride} looks, and what it allows. */
export interface MethodOverrideOptions {
  /**
   * The methods that a `POST` may become, in capitals.
   *
   * @default ['PUT', 'PATCH', 'DELETE']
   */
  methods?: readonly string[];
  /**
   * The request header that names the method; false for none.
   *
   * @default 'X-HTTP-Method-Override'
   */
  header?: string | false;
  /**
   * The field of an `application/x-www-form-urlencoded` body that names the method; false for none, so that no body is read.
   *
   * @default '_method'
   */
  field?: string | false;
  /**
   * The largest form, in bytes, that is searched for the field: it is held in memory.
   *
   * @default 65536
   */
  maxFormBytes?: number;
}

/**
 * Replaces the `REQUEST_METHOD` of a `POST` by the one that a header names, if it is on the list. Without such a header a
 * form field may name it. What was sent is kept in `waygate.method_override.original`. A name that is not on the list
 * changes nothing, and is one line in `wsgi.errors`.
 *
 * The application reads the body as if nobody had read it before. Only forms are read: all other requests stay synchronous.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), and for an option of the wrong type
 * @example
 * serve(methodOverride(app, { methods: ['DELETE'], header: false }));
 */
export function methodOverride(app: Application, options: MethodOverrideOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { header = 'X-HTTP-Method-Override', field = '_method', maxFormBytes = 65_536 } = options;
  const list: unknown = options.methods ?? ['PUT', 'PATCH', 'DELETE'];
  if (!Array.isArray(list) || !list.every((each) => typeof each === 'string' && isToken(each)))
    throw new TypeError(`The option "methods" of methodOverride is ${describe(list)}; expected an array of methods.`);
  if (header !== false && (typeof header !== 'string' || !isToken(header)))
    throw new TypeError(`The option "header" of methodOverride is ${describe(header)}; expected a name, or false.`);
  if (field !== false && (typeof field !== 'string' || field === ''))
    throw new TypeError(`The option "field" of methodOverride is ${describe(field)}; expected a name, or false.`);
  if (!Number.isSafeInteger(maxFormBytes) || maxFormBytes < 0)
    throw new TypeError(`The option "maxFormBytes" is ${describe(maxFormBytes)}; expected a number of bytes.`);
  const methods = new Set<string>(list);
  const key = header === false ? null : (`HTTP_${header.toUpperCase().replaceAll('-', '_')}` as const);
  return (environ, startResponse) => {
    if (environ.REQUEST_METHOD !== 'POST') return app(environ, startResponse);
    const named = key === null ? undefined : environ[key];
    if (named !== undefined || field === false || !mayBeForm(environ, maxFormBytes)) {
      override(environ, named, methods);
      return app(environ, startResponse);
    }
    return readField(environ, field, maxFormBytes).then((value) => {
      override(environ, value, methods);
      return app(environ, startResponse);
    });
  };
}

function override(environ: Environ, named: string | undefined, methods: ReadonlySet<string>): void {
  if (named === undefined) return;
  const method = named.trim().toUpperCase();
  if (methods.has(method)) {
    environ[METHOD_OVERRIDE_ORIGINAL] = environ.REQUEST_METHOD;
    environ.REQUEST_METHOD = method;
  } else if (method !== 'POST') {
    const allowed = [...methods].join(', ');
    log(environ['wsgi.errors'], `methodOverride: a POST asks for a method that is not allowed; expected ${allowed}.`);
  }
}

function mayBeForm(environ: Environ, most: number): boolean {
  const type = environ.CONTENT_TYPE ?? '';
  if (!/^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i.test(type)) return false;
  return environ.CONTENT_LENGTH === undefined || Number(environ.CONTENT_LENGTH) <= most;
}

/** The value of a field of the form, or undefined. What was read can be read again. */
async function readField(environ: Environ, field: string, most: number): Promise<string | undefined> {
  const input = environ['wsgi.input'];
  const bytes = await input.read(most + 1);
  const isWhole = bytes.byteLength <= most;
  environ['wsgi.input'] = isWhole ? new MemoryInput(bytes) : replay(bytes, input);
  return isWhole ? (parseForm(nativeFromBytes(bytes)).get(field) ?? undefined) : undefined;
}

/** An input that gives what was read of another one, and then the rest of it. */
function replay(read: Uint8Array, rest: InputStream): InputStream {
  let first: Uint8Array | null = read;
  return new Input({
    async pull() {
      const chunk = first ?? (await rest.read(65_536));
      first = null;
      return chunk.byteLength === 0 ? null : chunk;
    },
  });
}
