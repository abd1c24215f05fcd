// Which part of a path the stage and the custom domain of an API stand for. (ENV-05, ENV-06)

import { BadRequestError } from '../../../core/errors.ts';
import { encodeWsgi } from '../../../core/strings.ts';
import { decodePath, quotePath, splitPrefix } from '../../../core/url.ts';
import type { EventRequestLine } from './environ.ts';
import { sentPath, type ValueMap } from './target.ts';

type Path = Pick<EventRequestLine, 'scriptName' | 'pathInfo' | 'path'>;

/**
 * The path of an HTTP API with payload 2.0, which comes decoded. It is never decoded again; it is escaped where a URL is
 * made of it. A named stage stands in front of it, also on a custom domain, where it is not in the public URL.
 *
 * @param path what the event has as path
 * @param stage the stage; `$default` is in no path
 * @param name see {@link calledName}
 */
export function decodedPath(path: unknown, stage: unknown, name: string | undefined): Path {
  const text = typeof path === 'string' ? path : '';
  const native = encodeWsgi(text.charCodeAt(0) === 0x2f ? text : `/${text}`);
  if (native.includes('\0')) throw new BadRequestError('The request path holds a NUL byte.');
  if (typeof stage !== 'string' || stage === '' || stage === '$default') {
    return { scriptName: '', pathInfo: native, path: quotePath(native) };
  }
  const split = splitPrefix(native, encodeWsgi(`/${stage}`));
  if (split.scriptName === '' || name === undefined || isOwnName(name)) return { ...split, path: quotePath(native) };
  return { scriptName: '', pathInfo: split.pathInfo, path: quotePath(split.pathInfo) || '/' };
}

/**
 * The name under which an API was called, where the event has it: as API Gateway knows it, else as the client wrote it.
 *
 * @param domainName `requestContext.domainName`
 * @param maps the maps of headers, which hold names in any case
 */
export function calledName(domainName: unknown, ...maps: ValueMap[]): string | undefined {
  if (typeof domainName === 'string' && domainName !== '') return domainName;
  for (const map of maps) {
    for (const name in map) {
      if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
      const value = Array.isArray(map[name]) ? map[name][0] : map[name];
      if (typeof value === 'string') return value;
    }
  }
  return undefined;
}

/** Whether a name is the API's own, under which the stage is a part of the URL: in every region, China's too. */
function isOwnName(name: string): boolean {
  return name.includes('.execute-api.');
}

/** What a REST API event says about its path. */
export interface RestPath {
  path?: string | null;
  resource?: string | null;
  pathParameters?: ValueMap;
  stage?: string | null;
  /** `requestContext.path` */
  publicPath?: string | null;
  /** See {@link calledName}. */
  name?: string | undefined;
}

/**
 * The path of a REST API, which comes as it was sent: without the stage, but with the mapping key of a custom domain.
 * `requestContext.path` has what the public URL has.
 */
export function restPath(event: RestPath): Path {
  const path = sentPath(event.path);
  const decoded = decodePath(path);
  const prefix = publicPrefix(event, path);
  if (prefix !== '') return withPrefix(prefix, decoded, path);
  return splitAt(decoded, endOfSegments(decoded, keyLength(event, decoded)), path);
}

/**
 * The path of an HTTP API with payload 1.0, which comes as it was sent, while `requestContext.path` and the parameters are
 * decoded. A named stage stands in front of it, and on a custom domain, where the public URL has no stage, the mapping key.
 */
export function httpApi1Path(event: RestPath): Path {
  const path = sentPath(event.path);
  const decoded = decodePath(path);
  const { stage, name } = event;
  const named = typeof stage === 'string' && stage !== '' && stage !== '$default' ? encodeWsgi(stage) : null;
  const isStage = (index: number, segments: string[]): boolean => named !== null && segments[index] === named;
  if (name === undefined || isOwnName(name)) {
    const segments = decoded.split('/', 2);
    if (isStage(1, segments)) return splitAt(decoded, segments.join('/').length, path);
    // AWS documents nothing of stages in this format: requestContext.path may have one that the path lacks.
    return withPrefix(publicPrefix(event, path), decoded, path);
  }
  const length = keyLength(event, decoded);
  const end = endOfSegments(decoded, Math.max(length, isStage(1, decoded.split('/', 2)) ? 1 : 0));
  const key = namesOf(decoded.slice(0, end));
  // The stage is ahead of the key or behind it.
  const without = isStage(0, key) ? key.slice(1) : isStage(key.length - 1, key) ? key.slice(0, -1) : key;
  if (without === key) return splitAt(decoded, end, path);
  const scriptName = without.map((segment) => `/${segment}`).join('');
  const rest = path.slice(endOfSegments(path, key.length));
  return { scriptName, pathInfo: decoded.slice(end), path: quotePath(scriptName) + rest || '/' };
}

function withPrefix(prefix: string, decoded: string, path: string): Path {
  return { scriptName: decodePath(prefix), pathInfo: decoded, path: prefix + path };
}

/** A prefix with doubled slashes in front keeps one: a link that begins with two leads to another host. */
function splitAt(decoded: string, end: number, path: string): Path {
  const scriptName = decoded.slice(0, end).replace(/^\/+/, '/');
  return { scriptName, pathInfo: decoded.slice(end), path };
}

/** The stage as path, if the public URL has it in front of `path`; without `requestContext.path` the host name decides. */
function publicPrefix(event: RestPath, path: string): string {
  const { name, stage, publicPath } = event;
  if (typeof stage !== 'string' || stage === '') return '';
  const prefix = sentPath(stage);
  if (typeof publicPath !== 'string' || publicPath === '') return name !== undefined && isOwnName(name) ? prefix : '';
  const shown = sentPath(publicPath);
  if (shown === prefix + path) return prefix;
  // One of the two may be decoded, or have lost doubled slashes or the last one: what counts is that the stage is more.
  return sameSegments(segmentsOf(shown), segmentsOf(prefix + path)) ? prefix : '';
}

/**
 * How many segments of a path stand ahead of the resource, once that is filled in with its parameters. They are the mapping
 * key of a custom domain. The parameters may be decoded, once or twice, or not.
 *
 * @param decoded the path, decoded
 * @returns 0 where there is no key, or the resource is a route such as `$default`, which says nothing about the path
 */
function keyLength(event: Pick<RestPath, 'resource' | 'pathParameters' | 'name'>, decoded: string): number {
  const { name, resource, pathParameters } = event;
  if (name === undefined || isOwnName(name)) return 0;
  if (typeof resource !== 'string' || resource.charCodeAt(0) !== 0x2f) return 0;
  const filled = resource.replace(/\{([^{}+]+)\+?\}/g, (hole, parameter) => {
    const value = pathParameters?.[parameter];
    return typeof value === 'string' ? value : hole;
  });
  if (filled === decoded) return 0;
  const whole = segmentsOf(quotePath(decoded));
  const tail = segmentsOf(sentPath(filled));
  const length = whole.length - tail.length;
  return length > 0 && sameSegments(whole.slice(length), tail) ? length : 0;
}

/** The segments of a path in a form that is the same for all writings of it: decoded, and without the empty ones. */
function segmentsOf(path: string): string[] {
  let text = path;
  try {
    // HTTP APIs decode parameters twice, and what is compared may have been quoted once more.
    for (let turn = 0; turn < 3 && text.includes('%'); turn++) text = decodePath(text);
  } catch {
    // A NUL that was escaped twice: it compares as it is.
  }
  return namesOf(text);
}

function namesOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function sameSegments(one: string[], other: string[]): boolean {
  return one.length === other.length && one.every((segment, index) => segment === other[index]);
}

/** The index at which so many segments of a path end. An empty segment goes with the one after it. */
function endOfSegments(path: string, count: number): number {
  let at = 0;
  for (let left = count; left > 0; left--) {
    while (path.charCodeAt(at) === 0x2f) at++;
    const slash = path.indexOf('/', at);
    at = slash === -1 ? path.length : slash;
  }
  return at;
}
