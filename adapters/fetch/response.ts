// A gateway response as a Fetch `Response`, streamed without read-ahead.

import type { GatewayResponse, ResponseBody } from '../../core/gateway.ts';
import { concat } from '../../core/input.ts';
import { isNullBodyStatus } from '../../core/status.ts';

/**
 * @param response what the gateway made of the application's answer
 * @param gone called when the client cancels the body; returns when the application's body is closed
 * @param keep keeps the platform running until a promise has settled
 */
export function toResponse(
  response: GatewayResponse,
  gone: (reason: unknown) => void | Promise<void>,
  keep: (work: Promise<void>) => void,
): Response {
  const { statusCode, body } = response;
  const init = { status: statusCode, statusText: response.reason, headers: response.headers };
  if (Array.isArray(body)) return new Response(whole(body), init);
  if (body.stream !== null) {
    finish(body, keep);
    return new Response(body.stream, init);
  }
  if (isNullBodyStatus(statusCode)) {
    // A Response that nobody reads is never pulled or cancelled: close at once. (trap 5)
    finish(body, keep);
    return new Response(null, init);
  }
  return new Response(pulled(body, gone, keep), init);
}

function whole(chunks: Uint8Array[]): BodyInit | null {
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return total === 0 ? null : (concat(chunks, total) as Uint8Array<ArrayBuffer>);
}

/** A default stream, not a byte stream: that would detach the application's buffers. It pulls only when it is read. */
function pulled(
  body: ResponseBody,
  gone: (reason: unknown) => void | Promise<void>,
  keep: (work: Promise<void>) => void,
): ReadableStream<Uint8Array> {
  const deliver = (controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array | null): void => {
    if (chunk === null) {
      controller.close();
      finish(body, keep);
    } else {
      // The reader may hold the chunk while the application already fills its buffer anew. (BODY-08)
      controller.enqueue(new Uint8Array(chunk));
    }
  };
  const fail = (error: unknown): never => {
    finish(body, keep); // a stream that errors is not cancelled
    throw error;
  };
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        try {
          const chunk = body.next();
          if (!(chunk instanceof Promise)) return deliver(controller, chunk);
          return chunk.then((each) => deliver(controller, each)).catch(fail);
        } catch (error) {
          fail(error);
        }
      },
      cancel: gone,
    },
    { highWaterMark: 0 },
  );
}

function finish(body: ResponseBody, keep: (work: Promise<void>) => void): void {
  const closing = body.close();
  if (closing instanceof Promise) keep(closing);
}
