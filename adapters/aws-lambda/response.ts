// Response bodies in one piece, as results hold them.

import { concat, EMPTY } from '../../core/bytes.ts';
import { lengthOf } from '../../core/head.ts';
import type { ResponseBody } from '../../core/response.ts';
import type { HeaderList } from '../../core/types.ts';

/** The chunks of a body that lies in memory, as one. */
export function wholeOf(chunks: Uint8Array[]): Uint8Array {
  if (chunks.length === 0) return EMPTY;
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return concat(chunks, total);
}

/** What a body gives when it is asked for a chunk. */
export type Pulled = ReturnType<ResponseBody['next']>;

/** The first chunk of a body. Never throws: a promise of it rejects. */
export function firstOf(body: ResponseBody): Pulled {
  try {
    return body.next();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Whether the first chunk is all that a response has declared: then its body is not asked for more. (CL-01) */
export function isAll(first: Pulled, headers: HeaderList): first is Uint8Array {
  return first !== null && !(first instanceof Promise) && first.byteLength === lengthOf(headers);
}

/**
 * All of a body, or null when it is surely longer than the limit: then it is not read on.
 *
 * @param limit in bytes
 * @param first what {@link firstOf} gave, where it was asked already
 */
export async function collect(body: ResponseBody, limit: number, first?: Pulled): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    let next = first === undefined ? body.next() : first;
    for (;;) {
      const chunk = next instanceof Promise ? await next : next;
      if (chunk === null) return concat(chunks, total);
      total += chunk.byteLength;
      if (total > limit) return null;
      // The application may fill its buffer anew once it is asked for more. (BODY-08)
      chunks.push(new Uint8Array(chunk));
      next = body.next();
    }
  } finally {
    await body.close();
  }
}
