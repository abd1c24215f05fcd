// Static files from a directory, from memory, or from a binding of the platform. (RFC 9110 §8, §12–15)

import { lookup } from 'mrmime';
import { checkApplication, checkOptions, isHopByHop } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import type { AnsweringSource, FileSource, Found, StaticFile } from '../core/file-source.ts';
import { reasonPhrase } from '../core/status.ts';
import { encode } from '../core/strings.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, ApplicationBody, Environ, HeaderList, StartResponse } from '../core/types.ts';
import { encodedPathInfo, quotePath } from '../core/url.ts';
import { chooser } from './accept-encoding.ts';
import { answer } from './answer.ts';
import { fileBody, free, type Piece } from './file-body.ts';
import { evaluate, rangeApplies } from './preconditions.ts';
import { type ByteRange, contentRange, parseRanges } from './ranges.ts';
import { filePath } from './static-path.ts';

/** What {@link staticFiles} serves and how. */
export interface StaticFilesOptions {
  /**
   * Answers what there is no file for, and requests other than GET and HEAD.
   *
   * @default a plain 404, or a 405
   */
  fallback?: Application;
  /**
   * The file that a path with a slash at its end stands for; false for none.
   *
   * @default 'index.html'
   */
  index?: string | false;
  /**
   * How long caches may use a file without asking, in seconds.
   *
   * @default 0, or a year for what is immutable
   */
  maxAge?: number;
  /**
   * Whether a file never changes under its path, such as one with a hash in its name; or a function of the path.
   *
   * @default false
   */
  immutable?: boolean | ((path: string) => boolean);
  /**
   * Whether names that begin with a dot are served, or which.
   *
   * @default false
   * @example staticFiles(source, { dotfiles: ['.well-known'] });
   */
  dotfiles?: boolean | readonly string[];
  /**
   * Whether `app.js.br`, `app.js.zst` or `app.js.gz` is sent for `app.js` to clients that accept it.
   *
   * @default false
   */
  precompressed?: boolean;
  /**
   * Types by the ending of the name, beside the usual ones: `{ glsl: 'text/plain' }`.
   *
   * @default those of the package mrmime
   */
  types?: Readonly<Record<string, string>>;
}

const SIBLINGS: readonly [coding: string, ending: string][] = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
];

const A_YEAR = 31_536_000;

/**
 * An application that serves files, and middleware with the option `fallback`. It answers GET and HEAD, ranges, one or
 * several, and conditional requests. It redirects the path of a directory to the one with a slash at its end. Nothing
 * outside of the source can be named, in whatever encoding.
 *
 * @param source `directory(path)` of `waygate/node`, `memoryFiles(…)`, `assets()` on Workers, or one of your own
 * @throws {TypeError} for a source or options of another kind
 * @example
 * const app = staticFiles(memoryFiles({ '/index.html': '<h1>Hello</h1>' }), { maxAge: 60 });
 */
export function staticFiles(source: FileSource | AnsweringSource, options: StaticFilesOptions = {}): Application {
  checkOptions(options);
  const { fallback } = options;
  if (fallback !== undefined) checkApplication(fallback, 'The option "fallback" of staticFiles');
  const missing: Application = fallback ?? ((_environ, startResponse) => answer(startResponse, 404, []));
  const mayBeDotted = dotRule(options.dotfiles ?? false);
  const find = finder(source, options);

  return (environ, startResponse) => {
    const { REQUEST_METHOD: method } = environ;
    if (method !== 'GET' && method !== 'HEAD' && fallback !== undefined) return fallback(environ, startResponse);
    const path = filePath(environ.PATH_INFO, mayBeDotted);
    if (path === null) return missing(environ, startResponse);
    const respond = (found: Answer | null): ApplicationBody | Promise<ApplicationBody> =>
      found === null ? missing(environ, startResponse) : found(environ, startResponse);
    const found = find(path, environ);
    return isThenable(found) ? found.then(respond) : respond(found);
  };
}

/** Answers a request for something that is there. */
type Answer = Application;
type Finder = (path: string, environ: Environ) => Answer | null | Promise<Answer | null>;

function dotRule(dotfiles: unknown): (name: string) => boolean {
  if (typeof dotfiles === 'boolean') return () => dotfiles;
  if (Array.isArray(dotfiles)) return (name) => dotfiles.includes(name);
  throw new TypeError(
    `The option "dotfiles" of staticFiles is ${describe(dotfiles)}; expected true, false or a list of names.`,
  );
}

function finder(source: FileSource | AnsweringSource, options: StaticFilesOptions): Finder {
  if (typeof (source as AnsweringSource)?.respond === 'function') return foreign(source as AnsweringSource);
  if (typeof (source as FileSource)?.find !== 'function') {
    throw new TypeError(
      `staticFiles was given ${describe(source)}; expected a source of files, such as directory('public') of waygate/node.`,
    );
  }
  const files = source as FileSource;
  const { index = 'index.html', precompressed = false, types = {} } = options;
  if (index !== false && (typeof index !== 'string' || index === '' || index.includes('/')))
    throw new TypeError(
      `The option "index" of staticFiles is ${describe(index)}; expected the name of a file or false.`,
    );
  const cacheControl = cachingRule(options);
  const siblings = precompressed ? siblingFinder(files) : undefined;

  const send = (path: string, file: StaticFile, environ: Environ): Answer | Promise<Answer> => {
    // Nobody else closes it where it does not come to an answer.
    const fail = (error: unknown): never => {
      free(file, environ);
      throw error;
    };
    try {
      const facts: Facts = {
        type: file.type ?? typeOf(path, types),
        cacheControl: cacheControl(path),
        varies: precompressed,
      };
      if (siblings === undefined) return (each, startResponse) => serveFile(file, facts, each, startResponse);
      const choose = (coded: Coded | null): Answer => {
        if (coded !== null) free(file, environ);
        const sent = coded === null ? facts : { ...facts, coding: coded.coding };
        return (each, startResponse) => serveFile(coded?.file ?? file, sent, each, startResponse);
      };
      const coded = siblings(path, environ.HTTP_ACCEPT_ENCODING);
      return isThenable(coded) ? coded.then(choose, fail) : choose(coded);
    } catch (error) {
      return fail(error);
    }
  };

  const indexOf = (path: string, use: (file: StaticFile, path: string) => Answer | Promise<Answer>) => {
    if (index === false) return null;
    return after(files.find(path + index), (found) => (isFile(found) ? use(found, path + index) : null));
  };
  return (path, environ) => {
    if (path.endsWith('/')) return indexOf(path, (file, name) => send(name, file, environ));
    const go = (found: Found): ReturnType<Finder> => {
      if (isFile(found)) return send(path, found, environ);
      if (found === null) return null;
      return indexOf(`${path}/`, (file) => {
        free(file, environ);
        return toDirectory;
      });
    };
    return path === '' ? go('directory') : after(files.find(path), go);
  };
}

function after<T, U>(value: T | Promise<T>, use: (value: T) => U | Promise<U>): U | Promise<U> {
  return isThenable(value) ? value.then(use) : use(value);
}

function isFile(found: Found): found is StaticFile {
  return found !== null && found !== 'directory';
}

/** A source that answers itself: what it says goes out, where its redirects are those of the mount. */
function foreign(source: AnsweringSource): Finder {
  return async (_path, environ) => {
    const { REQUEST_METHOD: method, QUERY_STRING: query } = environ;
    if (method !== 'GET' && method !== 'HEAD') return notAllowed;
    const path = encodedPathInfo(environ) || '/';
    const response = await source.respond(query === '' ? path : `${path}?${query}`, environ);
    if (response === null) return null;
    return (_environ, startResponse) => {
      // `wrangler pages dev` leaves those of its own connection in.
      const headers: HeaderList = [...response.headers].filter(([name]) => !isHopByHop(name));
      // Code that reads the body of a Response gets it decoded.
      const kept = response.headers.has('content-encoding')
        ? headers.filter(([name]) => name !== 'content-encoding' && name !== 'content-length')
        : headers;
      const mount = quotePath(environ.SCRIPT_NAME);
      const sent = kept.map(([name, value]): [string, string] =>
        name === 'location' && value.startsWith('/') && !value.startsWith('//') ? [name, mount + value] : [name, value],
      );
      startResponse(`${response.status} ${response.statusText || reasonPhrase(response.status)}`, sent);
      return (response.body as ApplicationBody | null) ?? [];
    };
  };
}

const notAllowed: Application = (_environ, startResponse) => answer(startResponse, 405, [['Allow', 'GET, HEAD']]);

/** Links of an index page are relative to the directory. (RFC 9110 §15.4.2) */
const toDirectory: Application = (environ, startResponse) => {
  if (environ.REQUEST_METHOD !== 'GET' && environ.REQUEST_METHOD !== 'HEAD') return notAllowed(environ, startResponse);
  const { QUERY_STRING: query } = environ;
  // Two slashes at the start would name another server.
  const path = `/${environ.SCRIPT_NAME}${environ.PATH_INFO}/`.replace(/^\/+/, '/');
  return answer(startResponse, 301, [['Location', quotePath(path) + (query === '' ? '' : `?${query}`)]]);
};

interface Coded {
  file: StaticFile;
  coding: string;
}

/** Finds the compressed sibling of a file that suits the client best. */
function siblingFinder(
  files: FileSource,
): (path: string, header: string | undefined) => Coded | null | Promise<Coded | null> {
  // One for each way in which some are missing.
  const choosers = Array.from({ length: 1 << SIBLINGS.length }, (_, set) =>
    chooser(SIBLINGS.filter((_sibling, index) => set & (1 << index)).map(([coding]) => coding)),
  );
  const look = (path: string, header: string, set: number): Coded | null | Promise<Coded | null> => {
    const { coding } = (choosers[set] as ReturnType<typeof chooser>)(header);
    const index = SIBLINGS.findIndex(([name]) => name === coding);
    if (index === -1) return null;
    const go = (found: Found): Coded | null | Promise<Coded | null> =>
      isFile(found) ? { file: found, coding: coding as string } : look(path, header, set & ~(1 << index));
    return after(files.find(path + (SIBLINGS[index]?.[1] ?? '')), go);
  };
  return (path, header) => (header === undefined ? null : look(path, header, choosers.length - 1));
}

function cachingRule({ maxAge, immutable = false }: StaticFilesOptions): (path: string) => string {
  if (maxAge !== undefined && (!Number.isSafeInteger(maxAge) || maxAge < 0))
    throw new TypeError(`The option "maxAge" of staticFiles is ${describe(maxAge)}; expected a number of seconds.`);
  if (typeof immutable !== 'boolean' && typeof immutable !== 'function')
    throw new TypeError(
      `The option "immutable" of staticFiles is ${describe(immutable)}; expected true, false or a function.`,
    );
  const changing = `public, max-age=${maxAge ?? 0}`;
  const fixed = `public, max-age=${maxAge || A_YEAR}, immutable`;
  return (path) => ((typeof immutable === 'boolean' ? immutable : immutable(path)) ? fixed : changing);
}

function typeOf(path: string, types: Readonly<Record<string, string>>): string {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const type = (Object.hasOwn(types, ending) ? types[ending] : lookup(path)) ?? 'application/octet-stream';
  return type.startsWith('text/') && !type.includes('charset') ? `${type}; charset=utf-8` : type;
}

/** What is sent along with a file. */
interface Facts {
  readonly type: string;
  readonly cacheControl: string;
  readonly varies: boolean;
  readonly coding?: string;
}

function serveFile(file: StaticFile, facts: Facts, environ: Environ, startResponse: StartResponse): ApplicationBody {
  try {
    const { REQUEST_METHOD: method, HTTP_RANGE: range } = environ;
    if (method !== 'GET' && method !== 'HEAD')
      return closing(file, environ, notAllowed(environ, startResponse) as ApplicationBody);
    const { etag, size } = file;
    const changed = file.lastModified;
    // A date that lies ahead would be a promise. (RFC 9110 §8.8.2.1)
    const lastModified = changed === undefined ? undefined : new Date(Math.min(changed, Date.now())).toUTCString();
    const outcome = evaluate(environ, { etag, lastModified });
    if (outcome === 412) return closing(file, environ, answer(startResponse, 412, []));
    const shared: HeaderList = [['Cache-Control', facts.cacheControl]];
    if (facts.varies) shared.push(['Vary', 'Accept-Encoding']);
    if (etag !== undefined) shared.push(['ETag', etag]);
    if (lastModified !== undefined && (outcome !== 304 || etag === undefined))
      shared.push(['Last-Modified', lastModified]);
    if (outcome === 304) {
      startResponse('304 Not Modified', shared);
      return closing(file, environ, []);
    }
    if (facts.coding !== undefined) shared.push(['Content-Encoding', facts.coding]);
    shared.push(['Accept-Ranges', 'bytes']);
    const asked = range !== undefined && method === 'GET' && rangeApplies(environ, { etag, lastModified });
    const ranges = asked ? parseRanges(range, size) : null;
    if (ranges === null) {
      startResponse('200 OK', [['Content-Type', facts.type], ['Content-Length', String(size)], ...shared]);
      if (method === 'HEAD') return closing(file, environ, []);
      return fileBody(environ, file, [{ start: 0, end: size }]);
    }
    if (ranges.length === 0) {
      return closing(file, environ, answer(startResponse, 416, [['Content-Range', `bytes */${size}`]]));
    }
    return partial(file, ranges, facts.type, shared, environ, startResponse);
  } catch (error) {
    free(file, environ);
    throw error;
  }
}

function closing(file: StaticFile, environ: Environ, body: ApplicationBody): ApplicationBody {
  free(file, environ);
  return body;
}

/** One range as it is, several as the parts of a message. (RFC 9110 §15.3.7) */
function partial(
  file: StaticFile,
  ranges: ByteRange[],
  type: string,
  shared: HeaderList,
  environ: Environ,
  startResponse: StartResponse,
): ApplicationBody {
  const [only] = ranges as [ByteRange];
  let pieces: Piece[] = [only];
  let headers: HeaderList = [
    ['Content-Type', type],
    ['Content-Range', contentRange(only, file.size)],
  ];
  if (ranges.length > 1) {
    const boundary = crypto.randomUUID();
    const head = (range: ByteRange, index: number): Uint8Array =>
      encode(
        `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${contentRange(range, file.size)}\r\n\r\n`,
      );
    pieces = ranges.flatMap((range, index) => [head(range, index), range]);
    pieces.push(encode(`\r\n--${boundary}--\r\n`));
    headers = [['Content-Type', `multipart/byteranges; boundary=${boundary}`]];
  }
  let length = 0;
  for (const piece of pieces) length += piece instanceof Uint8Array ? piece.byteLength : piece.end - piece.start;
  startResponse('206 Partial Content', [...headers, ['Content-Length', String(length)], ...shared]);
  return fileBody(environ, file, pieces);
}
