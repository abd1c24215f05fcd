// Serves an application as a Lambda function that streams its response.

import type { Application } from '../../core/types.ts';
import { answerWhole } from './call.ts';
import { LambdaGateway, servedSources } from './gateway.ts';
import type { LambdaOptions } from './options.ts';
import type { Source } from './source.ts';
import { SOURCES } from './sources/all.ts';
import { answerStreamed } from './stream-call.ts';
import { isRuntimeStream, type ResponseStream, type StreamHandler, streamify, trailerError } from './streaming.ts';

/**
 * Serves an application as a Lambda function that streams its response. It works behind a function URL with invoke mode
 * `RESPONSE_STREAM`, and a REST API whose integration has the response transfer mode `STREAM`.
 *
 * @param app the application
 * @param options see {@link LambdaOptions}
 * @returns the handler, marked as Lambda's runtime wants it by `awslambda.streamifyResponse`. Off AWS it can be called as
 *   `handler(event, responseStream, context)` with any `Writable`. Called without a stream, as `handler(event, context)`,
 *   it answers in one piece, as `toLambda` does. It rejects for an event that is not an HTTP request, unless the option
 *   `events` takes it. It also rejects for an event source that does not stream, a status among `errorStatuses`, and a
 *   response that broke off
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example export const handler = toLambdaStream(app);
 */
export function toLambdaStream(app: Application, options: LambdaOptions = {}): StreamHandler {
  return streamHandlerFor(app, options, servedSources(options.sources) ?? SOURCES);
}

/** The handler for some event sources. */
export function streamHandlerFor(app: Application, options: LambdaOptions, sources: readonly Source[]): StreamHandler {
  const gateway = new LambdaGateway(app, options, sources);
  return streamify(async (event: unknown, second: unknown, third?: unknown) => {
    const stream = second as ResponseStream | null | undefined;
    if (typeof stream?.write !== 'function') return answerWhole(gateway, event, third ?? second);
    letGo(third);
    try {
      return await answerStreamed(gateway, event, stream, third);
    } catch (error) {
      throw isRuntimeStream(stream) ? trailerError(error) : error;
    }
  });
}

/** Has the runtimes up to Node 22 go on when the handler has: they would wait for every open timer, pool and socket. */
function letGo(context: unknown): void {
  if (typeof context !== 'object' || context === null || !('callbackWaitsForEmptyEventLoop' in context)) return;
  Reflect.set(context, 'callbackWaitsForEmptyEventLoop', false);
}
