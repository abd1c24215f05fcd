// A gateway response as a Fetch `Response`, streamed without read-ahead.

import { concat } from '../../core/bytes.ts';
import { lengthOf } from '../../core/head.ts';
import type { GatewayResponse, ResponseBody } from '../../core/response.ts';
import { isNullBodyStatus } from '../../core/status.ts';
import type { HeaderList } from '../../core/types.ts';
import type { FetchPlatform } from './platform.ts';

/** What a response body needs of the request it answers. */
export interface ResponseCall {
  /** The request method. */
  readonly method: string;
  /** The client has left: aborts the signal and closes the application's body. */
  clientLeft(reason: unknown): void | Promise<void>;
  /** What is to happen when the client has left before the body came to its end, if it is one who would read on. */
  onClientLeft(breakOff: (reason: unknown) => void): void;
  /** Reads away what is left of the request, where the platform wants that before the response ends. */
  drain(): Promise<void> | undefined;
  /** The body has come to its end: closes it. */
  bodyOver(body: ResponseBody): void;
}

/**
 * @param response what the gateway made of the application's answer
 * @param platform how this platform takes a response
 */
export function toResponse(response: GatewayResponse, platform: FetchPlatform, call: ResponseCall): Response {
  const { statusCode, body, headers } = response;
  const { headerText } = platform;
  const init: ResponseInit =
    headerText === undefined
      ? { status: statusCode, statusText: response.reason, headers }
      : { status: statusCode, statusText: headerText(response.reason), headers: inText(headers, headerText) };
  if (hasCoding(headers)) Object.assign(init, AS_IT_IS);
  if (Array.isArray(body)) return new Response(whole(body), init);
  if (body.stream !== null) {
    call.bodyOver(body);
    return passedOn(body.stream, init);
  }
  if (call.method === 'HEAD' || isNullBodyStatus(statusCode)) {
    // A Response that nobody reads is never pulled or cancelled: close at once. (trap 5)
    call.bodyOver(body);
    return new Response(null, init);
  }
  const pipe = platform.pipe?.(lengthOf(headers));
  if (pipe === undefined) return new Response(pulled(body, call), init);
  pump(body, pipe.writable.getWriter(), call);
  return new Response(pipe.readable, init);
}

/** A native stream goes out as it is; one that has been read from is refused as a body, and goes out through another. */
function passedOn(stream: ReadableStream<Uint8Array>, init: ResponseInit): Response {
  try {
    return new Response(stream, init);
  } catch {
    return new Response(stream.pipeThrough(new TransformStream<Uint8Array, Uint8Array>()), init);
  }
}

/** A record, which workerd takes in a third of the time, unless a name repeats or is one that every object has. */
function inText(headers: HeaderList, headerText: (native: string) => string): HeadersInit {
  const record: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (name in record) return headers.map(([each, native]) => [each, headerText(native)]);
    record[name] = headerText(value);
  }
  return record;
}

/** Where workerd is the platform it would encode a body by its label once more. (Cloudflare docs, "Response: encodeBody") */
const AS_IT_IS = { encodeBody: 'manual' };

function hasCoding(headers: HeaderList): boolean {
  for (const [name] of headers) if (name.length === 16 && name.toLowerCase() === 'content-encoding') return true;
  return false;
}

function whole(chunks: Uint8Array[]): BodyInit | null {
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  if (total === 0) return null;
  const bytes = concat(chunks, total);
  // Memory that threads share is refused as a body.
  return isShared(bytes) ? new Uint8Array(bytes) : (bytes as Uint8Array<ArrayBuffer>);
}

function isShared(bytes: Uint8Array): boolean {
  return typeof SharedArrayBuffer === 'function' && bytes.buffer instanceof SharedArrayBuffer;
}

/** A default stream, not a byte stream: that would detach the application's buffers. It pulls only when it is read. */
function pulled(body: ResponseBody, call: ResponseCall): ReadableStream<Uint8Array> {
  const deliver = (controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array | null): void => {
    if (chunk === null) {
      controller.close();
      call.bodyOver(body);
    } else {
      // The reader may hold the chunk while the application already fills its buffer anew. (BODY-08)
      controller.enqueue(new Uint8Array(chunk));
    }
  };
  const fail = (error: unknown): never => {
    call.bodyOver(body); // a stream that errors is not cancelled
    throw error;
  };
  return new ReadableStream<Uint8Array>(
    {
      // A client that aborts and reads on must not take what there is for the whole. (ERR-04)
      start: (controller) => call.onClientLeft((reason) => controller.error(reason)),
      pull(controller) {
        try {
          const chunk = body.next();
          if (!(chunk instanceof Promise)) return deliver(controller, chunk);
          return chunk.then((each) => deliver(controller, each)).catch(fail);
        } catch (error) {
          fail(error);
        }
      },
      cancel: (reason) => call.clientLeft(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Writes a body into a pipe, one chunk at a time; the next is asked for when the platform has taken the last. (BODY-02) */
async function pump(
  body: ResponseBody,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  call: ResponseCall,
): Promise<void> {
  for (;;) {
    let chunk: Uint8Array | null;
    try {
      const next = body.next();
      chunk = next instanceof Promise ? await next : next;
    } catch (error) {
      call.bodyOver(body);
      return writer.abort(error).catch(() => {});
    }
    try {
      if (chunk === null) {
        await call.drain();
        call.bodyOver(body);
        return await writer.close();
      }
      await writer.write(chunk);
    } catch (error) {
      call.clientLeft(error);
      return;
    }
  }
}
