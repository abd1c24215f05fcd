// How large a result may be.

import type { Source } from './source.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB, in practice this many bytes of JSON. */
export const SYNC_LIMIT_BYTES = 6_291_556;

/** The most bytes that one byte of a body becomes in JSON: a control character is `\u0000`. */
const WORST_ESCAPE = 6;
/** Braces, names and the status. */
const FRAME_BYTES = 1024;

/**
 * How many bytes of JSON a result has, if that is more than the front door takes; else 0. What is surely small is not
 * counted.
 *
 * @param body the bytes of the body
 * @param headerUnits how long all names and values of the headers are together
 */
export function excess(result: unknown, limit: number, body: Uint8Array, headerUnits: number): number {
  if ((body.byteLength + headerUnits) * WORST_ESCAPE + FRAME_BYTES <= limit) return 0;
  const size = Buffer.byteLength(JSON.stringify(result));
  return size > limit ? size : 0;
}

/** What the log says of a result that was too large. */
export function tooLarge(source: Source, size: number | null, limit: number): Error {
  const was = size === null ? 'more than that' : `${size} bytes`;
  return new Error(
    `The response is too large: ${source.name} takes at most ${limit} bytes of JSON, and the result is ${was}. ` +
      'The client got a 500. Stream it with toLambdaStream, or answer with a redirect to where the content lies.',
  );
}
