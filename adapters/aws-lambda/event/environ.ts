// What the event sources have in common on the way in: from the parts of an event to environ. Pure.

import { Buffer } from 'node:buffer';
import { createEnviron, type GatewayInfo, type Settings } from '../../../core/environ.ts';
import { BodyTooLargeError } from '../../../core/errors.ts';
import { MemoryInput } from '../../../core/memory-input.ts';
import type { Environ } from '../../../core/types.ts';
import { splitPrefix } from '../../../core/url.ts';
import type { Invocation } from '../invocation.ts';
import { bytesOf } from './body.ts';
import { UnsupportedEventError } from './errors.ts';

/** Lambda runs as many processes as there are requests at a time. */
const GATEWAY: GatewayInfo = { gateway: 'aws-lambda', multiprocess: true };

/** The request line, in the words of environ: native strings. */
export interface EventRequestLine {
  method: unknown;
  /** The part of the path that the event source added or that mounts the function; decoded, without final slash. */
  scriptName: string;
  /** The rest of the path, decoded. */
  pathInfo: string;
  /** The whole path as a client would send it. */
  path: string;
  query: string;
  /** `HTTP/1.1` and the like, where the event has it. */
  protocol?: unknown;
}

/** Begins an environ. Server, scheme, headers and body are still to come. */
export function begin(line: EventRequestLine, settings: Settings, invocation: Invocation): Environ {
  let { scriptName, pathInfo } = line;
  const { basePath } = settings;
  if (basePath !== '') {
    // By hand wins over what the event shows; a prefix is removed once, wherever it stands.
    const whole = splitPrefix(scriptName + pathInfo, basePath);
    const rest = whole.scriptName === '' ? splitPrefix(pathInfo, basePath) : whole;
    scriptName = rest === whole ? basePath : scriptName + rest.scriptName;
    pathInfo = rest.pathInfo;
  }
  if (pathInfo === '' && scriptName === '') pathInfo = '/';
  const { method, protocol, query } = line;
  const environ = createEnviron(
    GATEWAY,
    {
      method: typeof method === 'string' && method !== '' ? method : 'GET',
      scriptName,
      pathInfo,
      queryString: query,
      requestUri: query === '' ? line.path : `${line.path}?${query}`,
      protocol: typeof protocol === 'string' && protocol.startsWith('HTTP/') ? protocol : 'HTTP/1.1',
      scheme: 'https',
      serverName: 'localhost',
      serverPort: '443',
    },
    invocation.errors,
  );
  // Now, while all environs are of one shape: it takes longer when the headers have made each another one.
  invocation.attachTo(environ);
  return environ;
}

/**
 * Adds `wsgi.input` and its length in bytes. The client's `Content-Length` is never believed: `isBase64Encoded` decides
 * what the body is, and the body how long it is.
 *
 * @param body the body as the event has it; null or empty for none
 * @param base64 whether it is base64
 */
export function addBody(environ: Environ, body: unknown, base64: unknown, settings: Settings): void {
  const { maxBodyBytes } = settings;
  if (body === undefined || body === null || body === '') {
    if (environ.CONTENT_LENGTH !== undefined) environ.CONTENT_LENGTH = '0';
    environ['wsgi.input'] = new MemoryInput();
    return;
  }
  if (typeof body !== 'string') {
    throw new UnsupportedEventError(`a request whose body is not a string but of type ${typeof body}`);
  }
  const bytes = base64 === true ? bytesOf(body) : null;
  const length = bytes === null ? Buffer.byteLength(body) : bytes.byteLength;
  if (length > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes);
  environ.CONTENT_LENGTH = String(length);
  environ['wsgi.input'] = new MemoryInput(bytes ?? body);
}
