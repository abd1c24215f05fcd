// What Lambda's Node.js runtime gives to a function that streams its response: the stream, the global `awslambda`, and the
// mark of such a function. https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html

import type { Writable } from 'node:stream';
import { describe } from '../../core/errors.ts';
import type { Prelude } from './source.ts';

/** The stream that a streaming handler writes to. */
export interface ResponseStream extends Writable {
  /** Sets the content type of the whole stream; only the runtime's own stream has it. */
  setContentType?(contentType: string): void;
  /** Called by the runtime's stream ahead of the first write: that is how it sends the prelude. */
  _onBeforeFirstWrite?: ((write: (chunk: string | Uint8Array) => unknown) => void) | undefined;
}

/** The runtime's global, as far as it is used here. */
export interface AwsLambda {
  streamifyResponse<Handler extends StreamHandler>(handler: Handler, options?: { highWaterMark?: number }): Handler;
  HttpResponseStream: { from(stream: ResponseStream, metadata: object): ResponseStream };
}

/**
 * A handler as Lambda calls it when the response is streamed. That of `toLambdaStream` resolves with nothing then, and with
 * a result when it is called without a stream.
 */
// biome-ignore lint/suspicious/noExplicitAny: events and results are JSON of every shape.
export type StreamHandler = (event: any, responseStream: any, context?: any) => any;

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
 * What the runtime offers as the global `awslambda`, for use elsewhere. After `globalThis.awslambda = awslambda` a handler
 * that was written for the runtime loads and runs off AWS.
 *
 * @example
 * Object.assign(globalThis, { awslambda });
 * const { handler } = await import('./streamed.js');
 */
export const awslambda: AwsLambda = {
  streamifyResponse: (handler) => Object.assign(handler, { [STREAMING]: 'response' }),
  HttpResponseStream: {
    from(stream, metadata) {
      const prelude = JSON.stringify(metadata);
      stream.setContentType?.(PRELUDE_TYPE);
      if ('_onBeforeFirstWrite' in stream) {
        const writeFirst = (write: (chunk: string | Uint8Array) => void): void => {
          write(prelude);
          write(new Uint8Array(DELIMITER_BYTES));
        };
        stream._onBeforeFirstWrite = writeFirst;
      } else {
        stream.write(prelude);
        stream.write(new Uint8Array(DELIMITER_BYTES));
      }
      return stream;
    },
  },
};

/**
 * Marks a handler as one that streams, by the runtime's own function where there is one. Other software makes a global of
 * this name too, without the members of the runtime's. The AWS SDK keeps its request ids there; tests put a stub there.
 */
export function streamify(handler: StreamHandler): StreamHandler {
  const own = runtimeGlobal();
  const marked =
    (typeof own.streamifyResponse === 'function' ? own : awslambda).streamifyResponse?.(handler) ?? handler;
  if (marked === handler && !(STREAMING in handler)) Object.assign(handler, { [STREAMING]: 'response' });
  return marked;
}

/** Begins a response: nothing has gone out when this returns, but the first write sends the prelude. */
export function beginStream(stream: ResponseStream, prelude: Prelude): ResponseStream {
  const own = runtimeGlobal().HttpResponseStream;
  return (typeof own?.from === 'function' ? own : awslambda.HttpResponseStream).from(stream, prelude);
}

function runtimeGlobal(): Partial<AwsLambda> {
  return (globalThis as { awslambda?: Partial<AwsLambda> | null }).awslambda ?? {};
}

/**
 * Whether a stream is the runtime's. The runtime then ends a response that breaks off, with the error that the handler
 * rejects with in the trailers. To destroy its stream ends the whole process instead.
 */
export function isRuntimeStream(stream: ResponseStream): boolean {
  if (typeof stream.setContentType !== 'function') return false;
  // The runtime's stream is not a Writable, but it has the methods of one. Stand-ins are, and have to be broken.
  return !('_writableState' in stream) || process.env.AWS_LAMBDA_RUNTIME_API !== undefined;
}

/** How long an error may be as JSON, in bytes: it goes out as a header does, after the body, and in base64. */
const ERROR_LIMIT_BYTES = 8000;
/** What is left of a message and a stack that are longer, in characters: some become six bytes. */
const ERROR_KEPT = 600;

/**
 * An error that the runtime can put into the trailers of a response. It sends the name as it is: a name that no header may
 * hold, or none, would end the process. What is as usual stays the same error.
 */
export function trailerError(error: unknown): unknown {
  let name: unknown = '';
  let message = '';
  let stack = '';
  try {
    if (error instanceof Error) [name, message, stack] = [error.name, String(error.message), String(error.stack)];
    else message = `The response failed with ${describe(error)}.`;
  } catch {
    message = 'The response failed with an error that cannot be read.';
  }
  const sendable = typeof name === 'string' && /^[\x21-\x7e]{1,200}$/.test(name);
  if (sendable && Buffer.byteLength(JSON.stringify([message, stack])) <= ERROR_LIMIT_BYTES) return error;
  const short = new Error(message.slice(0, ERROR_KEPT));
  short.stack = stack.slice(0, ERROR_KEPT);
  if (sendable) short.name = name as string;
  return short;
}
