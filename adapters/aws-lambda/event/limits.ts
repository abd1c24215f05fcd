// How large a result may be.

import type { HeaderList } from '../../../core/types.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB, in practice this many bytes of JSON. */
export const SYNC_LIMIT_BYTES = 6_291_556;

/** The most bytes that one byte of a body becomes in JSON: a control character is `\u0000`. */
const WORST_ESCAPE = 6;
/** Braces, names and the status. */
const FRAME_BYTES = 1024;
/** Quotation marks, brackets and commas. */
const HEADER_FRAME_BYTES = 8;

/**
 * How many bytes of JSON a result has, if that is more than the event source takes; else 0. What is surely small is not
 * counted.
 *
 * @param headers the headers in the result
 * @param bodyBytes how long the body in the result is
 */
export function oversizeBytes(result: unknown, limit: number, headers: HeaderList, bodyBytes: number): number {
  let units = bodyBytes;
  for (const [name, value] of headers) units += name.length + value.length + HEADER_FRAME_BYTES;
  if (units * WORST_ESCAPE + FRAME_BYTES <= limit) return 0;
  const size = Buffer.byteLength(JSON.stringify(result));
  return size > limit ? size : 0;
}

/**
 * What the log says of a result that was too large.
 *
 * @param source the name of the event source
 */
export function tooLarge(source: string, size: number | null, limit: number): Error {
  const was = size === null ? 'more than that' : `${size} bytes`;
  return new Error(
    `The response is too large: ${source} takes at most ${limit} bytes of JSON, and the result is ${was}. ` +
      'The client got a 500. Stream it with toLambdaStream, or answer with a redirect to where the content lies.',
  );
}

/** What the log says of a streamed response whose status and headers were too large. */
export function headTooLarge(size: number, limit: number): Error {
  return new Error(
    `The head of the response is too large: a streamed response has at most ${limit} bytes of JSON for its status and ` +
      `headers, and these are ${size} bytes. The client got a 500. Send fewer or shorter headers and cookies.`,
  );
}
