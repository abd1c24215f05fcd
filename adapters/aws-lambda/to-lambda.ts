// Serves an application as a Lambda function whose result is returned in one piece.

import type { Application } from '../../core/types.ts';
import { answerWhole } from './call.ts';
import { LambdaGateway, servedSources } from './gateway.ts';
import type { LambdaOptions } from './options.ts';
import type { Source } from './source.ts';
import { SOURCES } from './sources/all.ts';
import type { LambdaHandler } from './types.ts';

/**
 * Serves an application as a Lambda function, behind every HTTP event source that AWS has: REST API, HTTP API, function
 * URL, Application Load Balancer, VPC Lattice and Lambda@Edge. The event alone says which one it is.
 *
 * @param app the application
 * @param options see {@link LambdaOptions}
 * @returns the handler. It rejects with {@link UnsupportedEventError} for an event that is not an HTTP request, unless the
 *   option `events` takes it. It rejects with {@link FailedResponseError} for a status among `errorStatuses`. Any other
 *   failure of the application is a response
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example export const handler = toLambda(app, { events: (event) => console.log(event) });
 */
export function toLambda(app: Application, options: LambdaOptions = {}): LambdaHandler {
  return handlerFor(app, options, servedSources(options.sources) ?? SOURCES);
}

/** The handler for some event sources. */
export function handlerFor(app: Application, options: LambdaOptions, sources: readonly Source[]): LambdaHandler {
  const gateway = new LambdaGateway(app, options, sources);
  const handler = (event: unknown, context?: unknown): Promise<unknown> => {
    try {
      return answerWhole(gateway, event, context);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return handler as LambdaHandler;
}
