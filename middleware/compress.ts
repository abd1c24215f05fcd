// Compresses responses as the client and the response allow. (RFC 9110 §8.4, §12.5.3)

import { concat } from '../core/bytes.ts';
import { checkApplication, checkOptions } from '../core/check.ts';
import type { ContentEncoder, ContentEncoders } from '../core/coding.ts';
import { describe } from '../core/errors.ts';
import { isNullBodyStatus } from '../core/status.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, HeaderList } from '../core/types.ts';
import { chooser } from './accept-encoding.ts';
import { isCompressible } from './compressible.ts';
import type { Head, Outcome } from './outcome.ts';
import { page } from './page.ts';
import { addVary, hasElement, headerValue, withoutHeaders } from './response-head.ts';
import { transform } from './transform.ts';
import { webEncoders } from './web-encoders.ts';

/** What {@link compress} does and how. */
export interface CompressOptions {
  /**
   * The encoders by name, the preferred one first. On Node give it `nodeEncoders` of `waygate/node`, which have Brotli and
   * Zstandard, flush every chunk, and code a body in memory in one step.
   *
   * @default gzip and deflate through CompressionStream
   */
  encoders?: ContentEncoders;
  /**
   * The smallest body that is compressed, in bytes, where its length is known.
   *
   * @default 1024
   */
  minBytes?: number;
  /**
   * Whether a type, given as the value of `Content-Type`, is worth it. Never asked for event streams.
   *
   * @default text, JSON, XML, scripts, WebAssembly, and fonts and images that are not compressed by themselves
   */
  compressible?: (type: string | undefined) => boolean;
  /**
   * Whether to compress a body without a declared length, chunk by chunk, also with encoders that cannot flush. Its chunks
   * then come late: an encoder such as `CompressionStream` holds them back until it has enough.
   *
   * @default false
   */
  holdsChunks?: boolean;
}

/** A larger body in memory is coded in pieces, between which other requests get their turn; in bytes. */
const MOST_AT_ONCE = 128 * 1024;

/** These say something about the exact bytes of the body, or about pieces of it. */
const ABOUT_BYTES = ['content-range', 'content-md5', 'digest', 'content-digest', 'repr-digest'];
const CHANGED: ReadonlySet<string> = new Set(['content-length', 'accept-ranges', 'content-encoding']);

/**
 * Compresses the responses of an application in a coding that the client accepts. It leaves these as they are: event
 * streams, ranges, bodies with a coding or digest of their own, `Cache-Control: no-transform`, bodies under `minBytes`,
 * incompressible types. All responses that it could compress say `Vary: Accept-Encoding`. A strong ETag becomes a weak one.
 * The length becomes that of the coded body, where it is known.
 *
 * A body that comes in chunks is compressed chunk by chunk, and each goes out at once, if the encoder can flush. If it cannot,
 * only bodies in memory and bodies of a declared length are compressed; see `holdsChunks`.
 *
 * To a client that refuses everything, `identity` too, a GET or HEAD that went well is answered with 406.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), and for options of another kind
 * @example
 * const app = compress((environ, startResponse) => {
 *   startResponse('200 OK', [['Content-Type', 'text/plain']]);
 *   return [encode('Hello, world!\n'.repeat(1000))];
 * });
 */
export function compress(app: Application, options: CompressOptions = {}): Application {
  checkApplication(app);
  checkOptions(options);
  const { minBytes = 1024, compressible = isCompressible, holdsChunks = false, encoders = webEncoders() } = options;
  if (!Number.isSafeInteger(minBytes) || minBytes < 0) {
    throw new TypeError(`The option "minBytes" of compress is ${describe(minBytes)}; expected a number of bytes.`);
  }
  if (typeof compressible !== 'function')
    throw new TypeError(`The option "compressible" of compress is ${describe(compressible)}; expected a function.`);
  checkOptions(encoders);
  const choose = chooser(Object.keys(encoders));

  return (environ, startResponse) => {
    const { coding, takesIdentity } = choose(environ.HTTP_ACCEPT_ENCODING);
    const encoder = coding === null || coding === 'identity' ? undefined : encoders[coding];
    const method = environ.REQUEST_METHOD;
    const isHead = method === 'HEAD';
    const isSafe = isHead || method === 'GET';

    const decide = (head: Head, chunks: Uint8Array[] | null): Outcome => {
      const { status, code, headers } = head;
      if (code === 304) return notModified(status, headers, encoder !== undefined);
      if (isNullBodyStatus(code) || !isChangeable(code, headers)) return { status, headers };
      const type = headerValue(headers, 'content-type');
      // Only a client that takes no other gets small and incompressible bodies coded.
      if (takesIdentity && !compressible(type)) return { status, headers };
      addVary(headers, ['Accept-Encoding']);
      if (coding === null && isSafe && code < 300) {
        return page('406 Not Acceptable', method, `Available: ${[...Object.keys(encoders), 'identity'].join(', ')}.`, [
          ['Vary', headerValue(headers, 'vary') as string],
        ]);
      }
      if (encoder === undefined) return { status, headers };
      const length = lengthOf(head, chunks, isHead);
      if (length === 0 || (length > 0 && length < minBytes && takesIdentity)) return { status, headers };
      const inPieces = chunks === null && !(encoder.flushes || holdsChunks || head.length >= 0);
      if (inPieces && !isHead) return { status, headers };
      return {
        status,
        headers: codedHeaders(headers, coding as string),
        ...codedBody(encoder, chunks, length, isHead),
      };
    };
    return transform(app, environ, startResponse, decide, true);
  };
}

/** Whether the response may be changed at all. */
function isChangeable(code: number, headers: HeaderList): boolean {
  if (code === 206) return false;
  const coding = headerValue(headers, 'content-encoding');
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') return false;
  if (hasElement(headerValue(headers, 'cache-control'), 'no-transform')) return false;
  if (/^\s*(?:text\/event-stream|multipart\/byteranges)\s*(?:;|$)/i.test(headerValue(headers, 'content-type') ?? ''))
    return false;
  return ABOUT_BYTES.every((name) => headerValue(headers, name) === undefined);
}

/** It stands for a response that was compressed: what caches compare has to be what that one had. (RFC 9111 §4.3.4) */
function notModified(status: string, headers: HeaderList, coded: boolean): Outcome {
  addVary(headers, ['Accept-Encoding']);
  return { status, headers: coded ? headers.map(weakened) : headers };
}

/** The bytes of the body, or -1 where they are not known: an application may leave the body of HEAD out. */
function lengthOf(head: Head, chunks: Uint8Array[] | null, isHead: boolean): number {
  if (chunks === null) return head.length;
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return isHead && total === 0 ? head.length : total;
}

function codedHeaders(headers: HeaderList, coding: string): HeaderList {
  const changed = withoutHeaders(headers, CHANGED).map(weakened);
  changed.push(['Content-Encoding', coding]);
  return changed;
}

/** The same tag would name two bodies that differ in their bytes. (RFC 9110 §8.8.1) */
function weakened([name, value]: [string, string]): [string, string] {
  return name.toLowerCase() === 'etag' && !value.startsWith('W/') ? [name, `W/${value}`] : [name, value];
}

function codedBody(
  encoder: ContentEncoder,
  chunks: Uint8Array[] | null,
  length: number,
  isHead: boolean,
): Pick<Outcome, 'chunks' | 'coder'> {
  if (isHead) return { chunks: [] };
  if (chunks === null || length > MOST_AT_ONCE) return { coder: () => encoder.start() };
  if (encoder.encode !== undefined) {
    const coded = encoder.encode(concat(chunks, length));
    return { chunks: isThenable(coded) ? coded.then((whole) => [whole]) : [coded] };
  }
  return { chunks: codedWhole(encoder, chunks) };
}

async function codedWhole(encoder: ContentEncoder, chunks: Uint8Array[]): Promise<Uint8Array[]> {
  const coder = encoder.start();
  try {
    const coded: Uint8Array[] = [];
    for (const chunk of chunks) coded.push(...(await coder.write(chunk)));
    coded.push(...(await coder.end()));
    return coded;
  } finally {
    coder.destroy();
  }
}
