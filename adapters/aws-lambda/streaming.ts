// What Lambda's Node.js runtime gives to a function that streams its response: the stream, the global `awslambda`, and
// the mark by which the runtime knows such a function.
// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html

import type { Writable } from 'node:stream';
import type { Prelude } from './source.ts';

/** The stream that a streaming handler writes to. */
export interface ResponseStream extends Writable {
  setContentType?(contentType: string): void;
  /** Called by the runtime's stream ahead of the first write: that is how it sends the prelude. */
  _onBeforeFirstWrite?: ((write: (chunk: string | Uint8Array) => unknown) => void) | undefined;
}

/** The runtime's global, as far as it is used here. */
export interface AwsLambda {
  streamifyResponse<Handler extends StreamHandler>(handler: Handler, options?: { highWaterMark?: number }): Handler;
  HttpResponseStream: { from(stream: ResponseStream, metadata: object): ResponseStream };
}

/** A handler as Lambda calls it when the response is streamed. */
// biome-ignore lint/suspicious/noExplicitAny: events are JSON of every shape.
export type StreamHandler = (event: any, responseStream: any, context?: any) => Promise<void> | void;

/** Under this symbol `streamifyResponse` puts "response" on a handler. */
export const STREAMING: unique symbol = Symbol.for('aws.lambda.runtime.handler.streaming') as never;

/** A streamed HTTP response begins with JSON under this type, … */
export const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';
/** … then come as many bytes of zero, and then the body. */
export const DELIMITER_BYTES = 8;
/**
 * Both have to be complete within this many bytes.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
 */
export const PRELUDE_LIMIT_BYTES: number = 16 * 1024;

/**
 * What the runtime offers as the global `awslambda`, for where there is none: a handler that was written for the runtime
 * loads and runs off AWS after `globalThis.awslambda = awslambda`.
 */
export const awslambda: AwsLambda = {
  streamifyResponse: (handler) => Object.assign(handler, { [STREAMING]: 'response' }),
  HttpResponseStream: {
    from(stream, metadata) {
      const prelude = JSON.stringify(metadata);
      stream.setContentType?.(PRELUDE_TYPE);
      if ('_onBeforeFirstWrite' in stream) {
        stream._onBeforeFirstWrite = (write) => {
          write(prelude);
          write(new Uint8Array(DELIMITER_BYTES));
        };
      } else {
        stream.write(prelude);
        stream.write(new Uint8Array(DELIMITER_BYTES));
      }
      return stream;
    },
  },
};

/** The runtime's own global where there is one. */
export function runtime(): AwsLambda {
  return (globalThis as { awslambda?: AwsLambda }).awslambda ?? awslambda;
}

/** Begins a response: nothing has gone out when this returns, but the first write sends the prelude. */
export function beginStream(stream: ResponseStream, prelude: Prelude): ResponseStream {
  return runtime().HttpResponseStream.from(stream, prelude);
}
