// Response bodies in one piece, as results hold them.

import { concat, EMPTY } from '../../core/bytes.ts';
import type { ResponseBody } from '../../core/response.ts';

/** The chunks of a body that lies in memory, as one. */
export function wholeOf(chunks: Uint8Array[]): Uint8Array {
  if (chunks.length === 0) return EMPTY;
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return concat(chunks, total);
}

/** All of a body, or null when it is surely longer than the limit in bytes: then it is not read on. */
export async function collect(body: ResponseBody, limit: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for (;;) {
      const next = body.next();
      const chunk = next instanceof Promise ? await next : next;
      if (chunk === null) return concat(chunks, total);
      total += chunk.byteLength;
      if (total > limit) return null;
      // The application may fill its buffer anew once it is asked for more. (BODY-08)
      chunks.push(new Uint8Array(chunk));
    }
  } finally {
    await body.close();
  }
}
