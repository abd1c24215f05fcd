// Bodies of Requests and Responses that another library made, for example node-fetch. These have the shape of the
// platform's own, but the body may be bytes or a stream of Node's.

import { describe } from '../../core/errors.ts';

/**
 * A body as a web stream; nothing is read of it before the stream is.
 *
 * @param body the `body` of a Request or Response, of whatever make; not null
 * @param what what it belongs to, for the error
 * @throws {TypeError} for a body that cannot be read
 */
export function webStream(body: unknown, what: string): ReadableStream<Uint8Array> {
  if (typeof (body as Partial<ReadableStream>).getReader === 'function') return body as ReadableStream<Uint8Array>;
  if (body instanceof Uint8Array) return streamOf([body][Symbol.iterator]());
  const iterate = (body as Partial<AsyncIterable<Uint8Array>>)[Symbol.asyncIterator];
  if (typeof iterate === 'function') return streamOf(iterate.call(body) as AsyncIterator<Uint8Array>);
  throw new TypeError(
    `The body of the ${what} is ${describe(body)}; expected a ReadableStream, a Node stream, a Uint8Array or null. Use the runtime's own ${what}.`,
  );
}

function streamOf(chunks: Iterator<Uint8Array> | AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        await chunks.return?.(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Ends a body that nobody will read, of whatever make. */
export function cancelBody(response: Response): void {
  const { body } = response as { body: { cancel?(): Promise<void>; destroy?(): void } | null };
  if (typeof body?.cancel === 'function') body.cancel().catch(() => {});
  else if (typeof body?.destroy === 'function') body.destroy();
}
