// Which part of a path the stage and the custom domain of an API stand for. (ENV-05, ENV-06)

import { BadRequestError } from '../../core/errors.ts';
import { encodeWsgi } from '../../core/strings.ts';
import { decodePath, quotePath, splitPrefix } from '../../core/url.ts';
import { type RequestLine, sentPath, type ValueMap } from './environ.ts';

type Path = Pick<RequestLine, 'scriptName' | 'pathInfo' | 'path'>;

/**
 * The path of an HTTP API, which comes decoded: it is never decoded again, but escaped where a URL is made of it. A named
 * stage stands in front of it, also on a custom domain, where it is not in the public URL.
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
 * The name under which an API was called, where the event tells: as API Gateway knows it, else as the client wrote it.
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

/** What a REST API event tells of its path. */
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
  const prefix = publicPrefix(event, path, decoded);
  if (prefix !== '') return { scriptName: decodePath(prefix), pathInfo: decoded, path: prefix + path };
  const key = mappingKey(event, decoded);
  return { scriptName: key, pathInfo: decoded.slice(key.length), path };
}

/** The stage as path, if the public URL has it in front of `path`; without `requestContext.path` the host name tells. */
function publicPrefix(event: RestPath, path: string, decoded: string): string {
  const { name, stage, publicPath } = event;
  if (typeof stage !== 'string' || stage === '') return '';
  const prefix = sentPath(stage);
  if (typeof publicPath !== 'string' || publicPath === '') return name !== undefined && isOwnName(name) ? prefix : '';
  const shown = sentPath(publicPath);
  if (shown === prefix + path) return prefix;
  const trimmed = decoded === '/' ? '' : decoded;
  const all = decodePath(shown);
  const script = decodePath(prefix);
  return all === script + decoded || all === script + trimmed ? prefix : '';
}

/**
 * What stands in the path ahead of the resource filled in with its parameters: the mapping key of a custom domain, which
 * may have several segments. Parameters may be encoded or not, and a final slash is in no resource.
 *
 * @param decoded the path, decoded
 * @returns a decoded prefix such as `/v1/nested`, or empty
 */
function mappingKey(event: RestPath, decoded: string): string {
  if (event.name === undefined || isOwnName(event.name)) return '';
  if (typeof event.resource !== 'string' || event.resource.charCodeAt(0) !== 0x2f) return '';
  const whole = withoutSlash(decoded);
  const filled = event.resource.replace(/\{([^{}+]+)\+?\}/g, (hole, name) => {
    const value = event.pathParameters?.[name];
    return typeof value === 'string' ? value : hole;
  });
  for (const text of [encodeWsgi(filled), decodePath(sentPath(filled))]) {
    const tail = withoutSlash(text);
    if (whole.length > tail.length && whole.endsWith(tail)) return whole.slice(0, whole.length - tail.length);
  }
  return '';
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
